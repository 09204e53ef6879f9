"""What was rolled back, or held by a person, is not proposed again by anything but a person."""

from collections.abc import Callable
from datetime import datetime, timedelta

import pytest
from sqlmodel import Session

from bridge import operator, recall
from bridge.delivery import Delivery
from bridge.errors import Reason, Refused
from bridge.rehearsal.letters import Letter
from bridge.release import Stage
from bridge.store import deliveries
from tests.stories.test_putting_back import reverting
from tests.stories.town import Town

ROSA = {"who": "rosa", "why": "it is wrong about cellars"}
SECOND = "regression_model-0.1.1-py3-none-any.whl"


async def hold(town: Town, version: str, until: datetime | None = None) -> Reason:
    def work(session: Session) -> Reason:
        return recall.quarantine(session, "Regression_Model", version, until, now=town.now, **ROSA)

    return await town.bridge.store.write(work)


async def lift(town: Town, version: str) -> Reason:
    return await town.bridge.store.write(
        lambda session: recall.lift(session, "regression-model", version, now=town.now, **ROSA)
    )


async def retry(town: Town, version: str) -> Reason:
    return await town.bridge.store.write(
        lambda session: operator.retry(
            session, "regression-model", version, [], now=town.now, **ROSA
        )
    )


def proposed(town: Town, version: str) -> list[str]:
    """Every pull request that was ever opened to bring this version, by state."""
    pulls = town.github.pulls.values()
    return [pull.state for pull in pulls if pull.title.endswith(f" to {version}")]


async def rolled_back(town: Town) -> list[Letter]:
    """A town that has rolled 0.1.1 back; every letter that was ever posted there."""
    letters: list[Letter] = []
    collect = town.deliver

    async def noting(letter: Letter) -> int:
        letters.append(letter)
        return await collect(letter)

    town.deliver = noting  # type: ignore[method-assign]
    await town.publish("0.1.0")
    await town.run()
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    town.mail.append(town.workflow("v0.1.1", "success"))
    await town.run()
    town.runner.stuck_version = None
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    return letters


async def test_a_rolled_back_version_is_in_quarantine(town: Town) -> None:
    await rolled_back(town)
    held = town.release("0.1.1").facts.quarantine
    assert held is not None
    assert ("bridge", None) == (held.by, held.until)
    assert "it reports 0.1.0" in held.why
    line = next(line for line in town.lines("0.1.1") if line.to_stage == "rolled_back")
    assert "quarantine" in line.evidence.root


async def test_nothing_that_was_ever_received_brings_it_back(town: Town) -> None:
    """Each letter once more as it was, each stored delivery handled again, the version announced
    anew by everybody, and two sweeps."""
    letters = await rolled_back(town)
    assert {"publisher", "circleci", "github", "heroku"} == {one.source for one in letters}
    pulls, builds = proposed(town, "0.1.1"), len(town.heroku.builds)
    town.mail += letters
    await town.run()

    def again(session: Session) -> int:
        rows = deliveries.newest(session, 999)
        for row in rows:
            kept = session.get_one(Delivery, row.id)
            kept.state, kept.attempts, kept.due_at = type(kept.state).NEW, 0, town.now
            session.add(kept)
        return len(rows)

    assert len({letter.body for letter in letters}) <= await town.bridge.store.write(again)
    digest = (town.release("0.1.1").facts.digest or "").removeprefix("sha256:")
    town.now += timedelta(hours=1)
    town.mail.append(town.announcement("0.1.1.0", SECOND, digest))
    town.mail.append(town.workflow("v0.1.1", "success"))
    await town.run()
    for _ in range(2):
        await town.bridge.worker.sweep()
        await town.run()
    await town.restart()
    await town.run()
    assert pulls == proposed(town, "0.1.1")
    assert builds == len(town.heroku.builds)
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert "0.1.0" == (await town.health())["model_version"]


async def test_a_person_lifts_it_and_only_then_may_have_it_tried_again(town: Town) -> None:
    await rolled_back(town)
    with pytest.raises(Refused, match="release-quarantine"):
        await retry(town, "0.1.1")
    assert "rosa lifted" in (await lift(town, "0.1.1")).sentence
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage, "lifting alone brings nothing back"
    await retry(town, "0.1.1")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.1").stage
    assert ["MERGED", "MERGED"] == proposed(town, "0.1.1")
    assert "0.1.1" == (await town.health())["model_version"]


async def test_what_a_person_holds_nobody_merges(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    told = await hold(town, "0.1.0")
    assert "rosa put regression-model 0.1.0 into quarantine: it is wrong" in told.sentence
    await town.run()
    release = town.release("0.1.0")
    assert (Stage.PROPOSED, "quarantined") == (release.stage, release.code)
    (line,) = [line for line in town.lines("0.1.0") if line.code == "quarantine"]
    assert ("note", "rosa") == (line.kind, line.actor)
    assert line.delivery_id is not None
    status = town.github.statuses(town.github.pulls[1].head_sha)[-1]
    assert ("bridge/gate", "failure") == (status.context, status.state)
    town.github.merge(1, "mallory")
    await town.run()
    assert "merged_against_gate" == town.release("0.1.0").code
    assert [] == town.heroku.builds
    await lift(town, "0.1.0")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.0").stage


async def test_what_is_held_before_it_is_proposed_waits_and_holds_nobody_up(town: Town) -> None:
    town.index.hidden = {"regression_model-0.1.2-py3-none-any.whl"}
    await town.publish("0.1.2")
    await town.run(patience=timedelta())
    await hold(town, "0.1.2")
    town.index.hidden = set()
    await town.publish("0.1.1")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.1").stage
    held = town.release("0.1.2")
    assert (Stage.CONFIRMED, "quarantined") == (held.stage, held.code)
    await lift(town, "0.1.2")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.2").stage


async def test_a_quarantine_with_an_end_ends_by_itself(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    await hold(town, "0.1.0", town.now + timedelta(minutes=5))
    await town.run(patience=timedelta(minutes=3))
    assert "quarantined" == town.release("0.1.0").code
    assert "until 2026-11-23T09:0" in town.release("0.1.0").sentence
    await town.run(patience=timedelta(minutes=6))
    assert "waiting_for_reviewer" == town.release("0.1.0").code


async def test_what_makes_no_sense_is_refused(town: Town) -> None:
    with pytest.raises(Refused, match="There is no release"):
        await hold(town, "9.9.9")
    await town.publish("0.1.0")
    await town.run()
    with pytest.raises(Refused, match="not in quarantine"):
        await lift(town, "0.1.0")


async def test_what_a_person_holds_is_not_put_back(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    await town.publish("0.1.1")
    await town.run()
    await hold(town, "0.1.1")
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.2")
    await town.run()
    town.runner.stuck_version = None
    await town.run()
    bad = town.release("0.1.2")
    assert Stage.ROLLED_BACK is bad.stage
    assert bad.facts.rollback is not None
    assert "0.1.0" == bad.facts.rollback.to
    assert "regression-model==0.1.0 \\" in town.pinned()
    assert "0.1.0" == (await town.health())["model_version"]
    assert town.release("0.1.0").due_at is not None, "it is watched again"
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage, "it does not serve any more"


async def test_what_alone_could_be_put_back_is_held(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    await town.publish("0.1.1")
    await town.run()
    await hold(town, "0.1.0")
    with pytest.raises(Refused, match="none can be put back"):
        await town.bridge.store.write(
            lambda session: recall.roll_back(
                session, "regression-model", "0.1.1", now=town.now, **ROSA
            )
        )


async def test_the_pin_is_not_put_back_to_what_a_person_holds(
    town_with: Callable[..., Town],
) -> None:
    town = await reverting(town_with, "0.1.1")
    await hold(town, "0.1.0")
    await town.run()
    release = town.release("0.1.1")
    assert "revert_held" == release.code
    status = town.github.statuses(town.github.pulls[3].head_sha)[-1]
    assert ("bridge/gate", "failure") == (status.context, status.state)
    await lift(town, "0.1.0")
    await town.run()
    assert "reverting" == town.release("0.1.1").code
    status = town.github.statuses(town.github.pulls[3].head_sha)[-1]
    assert ("bridge/gate", "success") == (status.context, status.state)
