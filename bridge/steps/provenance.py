"""Who built the wheel: what a step asks before it goes on."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace

import jwt

from bridge.attestation import Provenance
from bridge.columns import written
from bridge.errors import Forged, Refused, Unavailable
from bridge.policy import INDEX_PATIENCE, next_look, not_proven
from bridge.provenance.judge import judge
from bridge.provenance.statement import Wheel
from bridge.provenance.token import key_id
from bridge.release import Release
from bridge.sentences import say, span
from bridge.steps.world import Outcome, Wait, World


def attested(release: Release, world: World) -> Wait | None:
    """None, or how long the wheel waits for an attestation that the pipeline requires.

    Raises Refused when none was told in time.
    """
    names = {"package": release.package, "version": release.version}
    if world.pipeline.provenance.mode != "require" or release.facts.attestations:
        return None
    deadline = release.since + INDEX_PATIENCE
    if world.now >= deadline:
        within = span(INDEX_PATIENCE.total_seconds())
        raise Refused(say("no_attestation", within=within, **names))
    since, until = written(release.since), written(deadline)
    reason = say("waiting_for_attestation", since=since, until=until, **names)
    return Wait(next_look(release.since, world.now), reason)


async def provenance(release: Release, world: World, file: str, digest: str) -> Provenance | None:
    """What the attestations told so far prove of these bytes; None where nobody wants to know.

    Raises Unavailable when the issuer's keys are out of reach and the pipeline requires a proof;
    one that only records goes on.
    """
    trust, told = world.pipeline.provenance, release.facts.attestations
    if trust.mode == "off":
        return None
    wheel = Wheel(release.package, release.version, file, digest)
    keys: dict[str, jwt.PyJWK] = {}
    away: Unavailable | None = None
    for one in told:
        if one.kind == "circleci" and world.issuer:
            try:
                keys |= await world.issuer.keys(key_id(one.proof))
            except Forged:
                continue
            except Unavailable as error:
                away = error
    found = await asyncio.to_thread(
        judge, trust, wheel, told, world.public_url, keys, release.created_at
    )
    if away and found.verdict == "refuted":
        if trust.mode == "require":
            raise away
        names = {"package": release.package, "version": release.version}
        reason = say("attestation_unchecked", why=away, **names)
        said = {"code": reason.code, "sentence": reason.sentence}
        return found.model_copy(update={"verdict": "unchecked", "checked": [], **said})
    return found


def with_late_attestations(
    step: Callable[[Release, World], Awaitable[Outcome]],
) -> Callable[[Release, World], Awaitable[Outcome]]:
    """The step, after a look at what was attested since the last one: an announcement may come
    late, and a person may have changed in `bridge.toml` whom to trust."""

    async def look_then_step(release: Release, world: World) -> Outcome:
        if not _is_news(release, world):
            return await step(release, world)
        facts = release.facts
        found = await provenance(release, world, facts.file or "", facts.digest or "")
        release.facts = facts.model_copy(update={"provenance": found})
        outcome = await step(release, world)
        return replace(outcome, learned={"provenance": found, **outcome.learned})

    return look_then_step


def _is_news(release: Release, world: World) -> bool:
    known, facts, trust = release.facts.provenance, release.facts, world.pipeline.provenance
    if facts.digest is None:
        return False
    if known is None or known.trust != trust.digest:
        return known is not None or trust.mode != "off"
    new = {one.digest for one in facts.attestations} - {*known.checked}
    return bool(new) and known.verdict != "proven"


def must_be_proven(found: Provenance | None) -> None:
    """Raises Refused when the pipeline requires what the attestations do not prove."""
    if reason := not_proven(found):
        raise Refused(reason)
