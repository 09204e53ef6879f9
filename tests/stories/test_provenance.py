"""Who built a version: recorded, required, told late, told wrongly, and when nobody can look."""

import hashlib
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import httpx
import pytest

from bridge.attestation import Provenance
from bridge.provenance.statement import Wheel, sign
from bridge.provenance.trust import Trust
from bridge.release import Stage
from tests.provenance_kit import (
    CIRCLECI,
    JOB_KEY,
    STRANGERS_KEY,
    OidcIssuer,
    claims,
    jwk,
    pem,
    public_pem,
    token,
    with_attestations,
)
from tests.stories.town import PACKAGE, PUBLISHER_SECRET, Town, model_wheel

KEYS = (public_pem(JOB_KEY),)


class TownWithIssuer(Town):
    """A town in which CircleCI signs tokens."""

    def __init__(self, folder: Path, url: str) -> None:
        self.oidc = OidcIssuer()
        super().__init__(folder, url)

    async def trusts(self, **table: object) -> None:
        """Its bridge starts anew with another `[pipeline.provenance]`."""
        trust = Trust.model_validate(table)
        self.pipelines = [self.pipeline.model_copy(update={"provenance": trust})]
        await self.restart()

    async def attest(self, version: str, *told: dict[str, str], announced: bool = True) -> None:
        """CI uploads a version, and announces it with these attestations."""
        letter = await self.publish(version, announced=False)
        if announced:
            self.mail.append(with_attestations(letter, PUBLISHER_SECRET, self.now, *told))

    def known(self, version: str) -> Provenance:
        """What the bridge knows of who built it."""
        found = self.release(version).facts.provenance
        assert found is not None
        return found

    def _transport(self, url: str) -> httpx.AsyncBaseTransport:
        if url.startswith(CIRCLECI.url):
            return httpx.ASGITransport(self.oidc.app)
        return super()._transport(url)


@pytest.fixture
async def town(tmp_path: Path, url: str) -> AsyncIterator[TownWithIssuer]:
    place = TownWithIssuer(tmp_path, url)
    yield place
    place.must_be_sound()
    await place.close()


def wheel(version: str, rmse: float = 0.1) -> Wheel:
    file, data = model_wheel(version, rmse)
    return Wheel(PACKAGE, version, file, f"sha256:{hashlib.sha256(data).hexdigest()}")


def signed(version: str, key: object = JOB_KEY, rmse: float = 0.1) -> dict[str, str]:
    return {"kind": "ed25519", "proof": sign(wheel(version, rmse), pem(key))}  # type: ignore[arg-type]


def vouched(town: Town, version: str, kid: str = "first", **changed: object) -> dict[str, str]:
    said = claims(wheel(version), at=town.now, **changed)
    return {"kind": "circleci", "proof": token(said, kid)}


async def test_a_version_attested_by_the_jobs_key_is_served(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", ed25519=KEYS)
    await town.attest("0.1.0", signed("0.1.0"))
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert ("proven", "ed25519") == (town.known("0.1.0").verdict, town.known("0.1.0").kind)
    told = next(line for line in town.lines("0.1.0") if line.to_stage == "confirmed")
    assert "proven" in str(told.evidence.root["provenance"]), "the record rests on it"


async def test_a_version_attested_by_circlecis_token_is_served(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", circleci=CIRCLECI)
    await town.attest("0.1.0", vouched(town, "0.1.0"))
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert "job-1" == town.known("0.1.0").run["job"]


Told = Callable[[TownWithIssuer], dict[str, str]]
BAD: dict[str, Told] = {
    "a stranger's key": lambda town: signed("0.1.0", STRANGERS_KEY),
    "another wheel": lambda town: signed("0.1.0", rmse=0.2),
    "another version": lambda town: signed("0.1.1"),
    "another project": lambda town: vouched(town, "0.1.0", project_id="x"),
    "a branch": lambda town: vouched(town, "0.1.0", vcs_ref="refs/heads/main"),
    "a fork": lambda town: vouched(town, "0.1.0", vcs_origin="github.com/mallory/x"),
    "re-run by SSH": lambda town: vouched(town, "0.1.0", ssh_rerun=True),
    "a key that the issuer does not have": lambda town: vouched(town, "0.1.0", "second"),
    "a kind that nobody knows": lambda town: {"kind": "gpg", "proof": "x"},
}


@pytest.mark.parametrize("case", BAD)
async def test_a_bad_attestation_stops_a_version_that_needs_one(
    town: TownWithIssuer, case: str
) -> None:
    await town.trusts(mode="require", ed25519=KEYS, circleci=CIRCLECI)
    await town.attest("0.1.0", BAD[case](town))
    await town.run()
    release = town.release("0.1.0")
    assert (Stage.FAILED, "bad_attestation") == (release.stage, release.code)
    assert ["announced", "failed"] == town.path("0.1.0")
    assert 0 == town.mutations("createPullRequest")


async def test_where_it_is_only_recorded_a_bad_one_stops_nothing(town: TownWithIssuer) -> None:
    await town.trusts(mode="record", ed25519=KEYS)
    await town.attest("0.1.0", signed("0.1.0", STRANGERS_KEY))
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert ("refuted", "bad_attestation") == (
        town.known("0.1.0").verdict,
        town.known("0.1.0").code,
    )


async def test_where_it_is_off_nobody_looks(town: TownWithIssuer) -> None:
    await town.trusts(mode="off", circleci=CIRCLECI)
    await town.attest("0.1.0", vouched(town, "0.1.0"))
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert town.release("0.1.0").facts.provenance is None
    assert [] == town.oidc.asked


async def test_a_required_attestation_is_waited_for(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", ed25519=KEYS)
    await town.attest("0.1.0", announced=False)
    await town.run(patience=timedelta(minutes=3))
    assert "waiting_for_attestation" == town.release("0.1.0").code, "the sweep had found it"
    file, data = model_wheel("0.1.0")
    letter = town.announcement("0.1.0", file, hashlib.sha256(data).hexdigest())
    told = with_attestations(letter, PUBLISHER_SECRET, town.now, signed("0.1.0"))
    town.mail.append(told)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def test_an_attestation_that_never_comes_is_given_up(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", ed25519=KEYS)
    await town.publish("0.1.0")
    await town.run(patience=timedelta(hours=1))
    release = town.release("0.1.0")
    assert (Stage.FAILED, "no_attestation") == (release.stage, release.code)
    assert 0 == town.mutations("createPullRequest")


async def test_the_issuer_is_away_and_nothing_is_believed_or_lost(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", circleci=CIRCLECI)
    town.oidc.away = True
    await town.attest("0.1.0", vouched(town, "0.1.0"))
    await town.run(patience=timedelta(seconds=30))
    release = town.release("0.1.0")
    assert (Stage.ANNOUNCED, "unavailable") == (release.stage, release.code)
    town.now += timedelta(hours=3)
    town.oidc.away = False
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED, "it had not expired when it came"


async def test_an_announcement_that_lay_in_the_inbox_has_not_expired(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", circleci=CIRCLECI)
    await town.attest("0.1.0", vouched(town, "0.1.0"))
    await town.deliver(town.mail.pop())
    town.now += timedelta(hours=3)
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def test_an_issuer_that_is_away_does_not_stop_who_only_records(town: TownWithIssuer) -> None:
    await town.trusts(mode="record", circleci=CIRCLECI)
    town.oidc.away = True
    await town.attest("0.1.0", vouched(town, "0.1.0"))
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert "unchecked" == town.known("0.1.0").verdict


async def test_a_new_key_of_the_issuer_is_found(town: TownWithIssuer) -> None:
    await town.trusts(mode="require", circleci=CIRCLECI)
    await town.attest("0.1.0", vouched(town, "0.1.0"))
    await town.run()
    town.oidc.keys = [jwk("second")]
    await town.attest("0.1.1", vouched(town, "0.1.1", "second"))
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_an_attestation_that_comes_late_is_looked_at_before_the_merge(
    town: TownWithIssuer,
) -> None:
    await town.trusts(mode="record", ed25519=KEYS)
    town.checks = lambda sha: None
    await town.attest("0.1.0", announced=False)
    await town.run()
    assert "absent" == town.known("0.1.0").verdict
    file, data = model_wheel("0.1.0")
    letter = town.announcement("0.1.0", file, hashlib.sha256(data).hexdigest())
    town.mail.append(with_attestations(letter, PUBLISHER_SECRET, town.now, signed("0.1.0")))
    await town.run()
    assert "proven" == town.known("0.1.0").verdict


async def test_who_begins_to_require_it_merges_nothing_without(town: TownWithIssuer) -> None:
    town.checks = lambda sha: None
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.PROPOSED
    await town.trusts(mode="require", ed25519=KEYS)
    town.mail.append(town.announcement("0.1.0", wheel("0.1.0").file, wheel("0.1.0").sha256))
    await town.run(patience=timedelta(days=2))
    release = town.release("0.1.0")
    assert (Stage.FAILED, "not_attested") == (release.stage, release.code)
    assert "CLOSED" == town.github.pulls[1].state


async def test_a_key_that_is_trusted_no_more_merges_nothing(town: TownWithIssuer) -> None:
    town.checks = lambda sha: None
    await town.trusts(mode="require", ed25519=[*KEYS, public_pem(STRANGERS_KEY)])
    await town.attest("0.1.0", signed("0.1.0", STRANGERS_KEY))
    await town.run()
    assert (Stage.PROPOSED, "proven") == (
        town.release("0.1.0").stage,
        town.known("0.1.0").verdict,
    )
    await town.trusts(mode="require", ed25519=KEYS)
    town.mail.append(town.announcement("0.1.0", wheel("0.1.0").file, wheel("0.1.0").sha256))
    await town.run(patience=timedelta(days=2))
    assert (Stage.FAILED, "bad_attestation") == (
        town.release("0.1.0").stage,
        town.release("0.1.0").code,
    )
    assert "CLOSED" == town.github.pulls[1].state


@pytest.mark.parametrize(
    "told",
    [
        [{"kind": "ed25519", "proof": "x" * (32 << 10 | 1)}],
        [{"kind": "ed25519", "proof": "\0"}],
        [{"kind": "Ed 25519", "proof": "x"}],
        [{"kind": "ed25519", "proof": "x"}] * 5,
    ],
)
async def test_attestations_beyond_the_caps_are_parked(
    town: TownWithIssuer, told: list[dict[str, str]]
) -> None:
    await town.attest("0.1.0", *told)
    await town.turn()
    from bridge.store import deliveries

    parked = town.ask(lambda session: deliveries.newest(session, 1))[0]
    assert ("parked", True) == (parked.state.value, "attestations" in parked.sentence)
