"""GitHub's own pages tell the truth: a deployment of the merge commit, and an answer at the commit
that the wheel was built from. A courtesy: its failure stops no release."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import replace
from functools import cache

import structlog

from bridge.errors import LeaseLost, Reason, Refused, Superseded, Unavailable
from bridge.github.rest import COURTESY_WITHIN
from bridge.release import Release, Stage
from bridge.sentences import say, short, span
from bridge.steps.world import Done, Outcome, World

log = structlog.get_logger()
Step = Callable[[Release, World], Awaitable[Outcome]]
UNDER_WAY = ("queued", "in_progress")


def shown(step: Step) -> Step:
    """The step, and after it GitHub is told how the deployment stands, once for each state.

    Who did not answer at the end is told again after it, once a reading matches: what serves no
    more must not make the deployment of what does inactive.
    """

    async def step_then_show(release: Release, world: World) -> Outcome:
        try:
            outcome = await step(release, world)
        except Refused as refusal:
            state = "inactive" if isinstance(refusal, Superseded) else "failure"
            await _courtesy(_tell(release, world, state, refusal.reason))
            refusal.learned = {**refusal.learned, "shown": state}
            raise
        state = _state(release, outcome)
        if state == release.facts.shown or (state == "success" and not _serves(release, outcome)):
            return outcome
        answered = await _courtesy(_tell(release, world, state, outcome.because))
        if not answered and state == "success":
            return outcome
        return replace(outcome, learned={**outcome.learned, "shown": state})

    return step_then_show


def _serves(release: Release, outcome: Outcome) -> bool:
    """Whether this look has seen it serve."""
    readings = outcome.learned.get("later_readings", [])
    seen = bool(readings) and readings[-1].verdict == "matches"
    return seen or release.stage is not Stage.VERIFIED


def _state(release: Release, outcome: Outcome) -> str:
    """GitHub's word for where the deployment stands after the step."""
    if release.stage is Stage.VERIFIED:
        return "success"
    if release.stage is Stage.ROLLING_BACK:
        return "inactive" if isinstance(outcome, Done) else "failure"
    if release.stage is Stage.DEPLOYED:
        return "success" if isinstance(outcome, Done) else "in_progress"
    begun = isinstance(outcome, Done) or "heroku" in outcome.learned or release.facts.heroku
    return "in_progress" if begun else "queued"


async def _courtesy(told: Awaitable[None]) -> bool:
    """GitHub may be slow, away, or not let us: then its pages know less than ours. False where it
    makes sense to try again."""
    try:
        async with asyncio.timeout(COURTESY_WITHIN):
            await told
    except Refused as refusal:
        _warn_once(refusal.reason.sentence)
    except (Unavailable, TimeoutError) as error:
        log.warning("not shown at GitHub", error=str(error) or "it took too long")
        return False
    except LeaseLost:
        raise
    except Exception:  # a bug in a courtesy must not park a release
        log.exception("bug", what="not shown at GitHub")
    return True


@cache
def _warn_once(sentence: str) -> None:
    log.warning("not shown at GitHub", error=sentence)


async def _tell(release: Release, world: World, state: str, why: Reason) -> None:
    """Show the state, at an end also that of the version that runs again, and answer whoever
    trained the model.

    Everybody may read it there, so it tells neither what a build printed nor who did what.
    """
    before, names = world.last_verified, {"version": release.version, "app": world.pipeline.app}
    if state in UNDER_WAY:
        await show(release, world, state, say("on_its_way", **names))
        return
    if state == "success":
        proven_at = release.since if release.stage is Stage.VERIFIED else world.now
        waited = span((proven_at - release.began_at).total_seconds())
        after = "the tag" if release.facts.tagged_at else "it was announced"
        why = say("answered", waited=waited, after=after, **names)
    else:
        why = say("not_there", why=why.code, **names)
    await _answer(release, world, state, why)
    await show(release, world, state, why)
    if release.stage is Stage.ROLLING_BACK and state == "inactive" and before:
        await show(before, world, "success", why)


async def show(release: Release, world: World, state: str, why: Reason) -> None:
    """Make the deployment of this release, if it is not there, and have it say `state`.

    GitHub is looked at first, so a lost reply or a crash makes no second one. Raises Refused where
    the token may not, Unavailable.
    """
    sha, app, github = release.facts.merge_sha, world.pipeline.app, world.github
    if sha is None:
        return
    task = f"deploy {release.package} {release.version} by {release.pipeline}"
    deployment = await github.deployment(sha, app, task)
    told = await github.deployment_status(deployment) if deployment else None
    if (told and told.state == state) or (deployment is None and state == "inactive"):
        return
    await world.intend(say("intent_deployment", sha=short(sha), app=app, state=state))
    if deployment is None:
        what = f"{release.package} {release.version}"
        deployment = await github.create_deployment(sha, app, task, what)
    page = f"{world.public_url}/releases/{release.id}"
    await github.set_deployment_status(
        deployment, state, why.sentence, page, world.pipeline.api_url
    )


async def _answer(release: Release, world: World, state: str, why: Reason) -> None:
    """The commit of the training gets a status, if it is one of this repository.

    Never a pending one: Heroku's own integration waits for every status of a commit.
    """
    commit, context = release.facts.commit, f"bridge/{release.pipeline}"
    told = await world.github.statuses(commit) if commit else None
    if commit is None or told is None or (state == "inactive" and not release.facts.readings):
        return
    verdict = "success" if state == "success" else "failure"
    last = next((one for one in told if one.context == context), None)
    if last and last.state == verdict:
        return
    await world.intend(say("intent_answer", commit=short(commit), state=verdict))
    page = f"{world.public_url}/releases/{release.id}"
    await world.github.set_status(commit, context, verdict, why.sentence, page)
