"""The issuer's keys: fetched where its own document says, kept, and looked for again."""

from datetime import datetime, timedelta

import httpx
import pytest

from bridge.circleci.client import Issuer
from bridge.errors import Unavailable
from bridge.kit.http import Door
from tests.bridge_kit import NOW
from tests.provenance_kit import CIRCLECI, ORGANIZATION, OidcIssuer, jwk

PATH = f"/org/{ORGANIZATION}/.well-known/jwks-pub.json"
DOCUMENTS = ["openid-configuration", "jwks-pub.json"]


class Visit:
    """An issuer, and one who asks it, at `now`."""

    def __init__(self) -> None:
        self.oidc = OidcIssuer()
        self.now = NOW
        self.naps = 0
        door = Door(
            "CircleCI's issuer",
            CIRCLECI.issuer,
            transport=httpx.ASGITransport(self.oidc.app),
            clock=self.clock,
            sleep=self._nap,
        )
        self.issuer = Issuer(door, CIRCLECI.issuer, self.clock)

    def clock(self) -> datetime:
        return self.now

    async def _nap(self, seconds: float) -> None:
        self.naps += 1


@pytest.fixture
def visit() -> Visit:
    return Visit()


async def test_keys_are_asked_for_once_an_hour(visit: Visit) -> None:
    assert {"first"} == set(await visit.issuer.keys("first"))
    visit.now += timedelta(minutes=59)
    await visit.issuer.keys("first")
    assert DOCUMENTS == visit.oidc.asked
    visit.now += timedelta(minutes=1)
    await visit.issuer.keys("first")
    assert 2 * DOCUMENTS == visit.oidc.asked


async def test_an_unknown_key_may_be_new_but_not_ten_times_a_minute(visit: Visit) -> None:
    await visit.issuer.keys("first")
    visit.oidc.keys.append(jwk("second"))
    for _ in range(10):
        with pytest.raises(Unavailable) as told:
            await visit.issuer.keys("second")
        assert 60 == told.value.retry_after
    assert DOCUMENTS == visit.oidc.asked
    visit.now += timedelta(minutes=1)
    assert "second" in await visit.issuer.keys("second")
    visit.now += timedelta(minutes=1)
    assert "third" not in await visit.issuer.keys("third"), "looked for, and not there"
    assert 3 * DOCUMENTS == visit.oidc.asked


async def test_a_key_that_was_taken_back_is_gone_within_the_hour(visit: Visit) -> None:
    await visit.issuer.keys("first")
    visit.oidc.keys = [jwk("second")]
    visit.now += timedelta(hours=1)
    assert {"second"} == set(await visit.issuer.keys("first"))


async def test_an_issuer_that_is_away_is_unavailable_and_asked_again(visit: Visit) -> None:
    visit.oidc.away = True
    with pytest.raises(Unavailable, match="503"):
        await visit.issuer.keys("first")
    visit.oidc.away = False
    assert await visit.issuer.keys("first")


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("issuer", "http://evil.test"),
        ("issuer", f"{CIRCLECI.issuer}/"),
        ("jwks_uri", f"http://evil.test{PATH}"),
        ("jwks_uri", f"https://oidc.test{PATH}"),
        ("jwks_uri", f"http://oidc.test@evil.test{PATH}"),
        ("jwks_uri", f"http://oidc.test:81{PATH}"),
        ("jwks_uri", f"//oidc.test{PATH}"),
        ("jwks_uri", "file:///etc/passwd"),
        ("jwks_uri", 7),
    ],
)
async def test_another_hosts_keys_are_not_fetched(visit: Visit, name: str, value: object) -> None:
    visit.oidc.discovery[name] = value
    with pytest.raises(Unavailable):
        await visit.issuer.keys("first")
    assert ["openid-configuration"] == visit.oidc.asked


@pytest.mark.parametrize(
    "bad",
    [
        {"kty": "oct", "k": "bWFkZS11cA"},
        {"use": "enc"},
        {"alg": "RS512"},
        {"n": "AQAB"},
        {"n": 1},
        {"kty": "EC"},
        jwk("short"),
    ],
)
async def test_only_a_strong_rsa_key_for_signing_is_a_key(
    visit: Visit, bad: dict[str, object]
) -> None:
    visit.oidc.keys = [jwk("first") | bad | {"kid": "bad"}, jwk("second"), {"x": 1}]
    assert {"second"} == set(await visit.issuer.keys("second"))


async def test_an_answer_that_cannot_be_read_is_unavailable(visit: Visit) -> None:
    visit.oidc.keys = "none"  # type: ignore[assignment]
    with pytest.raises(Unavailable, match="cannot be read"):
        await visit.issuer.keys("first")
