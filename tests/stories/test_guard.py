"""A verified version goes on being watched, dynos misbehave, and people act on the app by hand."""

import dataclasses
from collections.abc import Callable
from datetime import timedelta

import pytest

from bridge import meter, recall
from bridge.errors import Reason, Refused
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.heroku.records import new_id
from bridge.release import Stage
from bridge.store import books
from tests.stories.town import Town

ROSA = "rosa@example.com"
A_MINUTE = timedelta(minutes=1)


async def served(town: Town, *versions: str) -> None:
    for version in versions:
        await town.publish(version)
        await town.run()
        assert Stage.VERIFIED is town.release(version).stage


async def test_a_version_that_keeps_serving_is_read_for_a_while_and_then_left_alone(
    town: Town,
) -> None:
    await served(town, "0.1.0")
    release = town.release("0.1.0")
    assert "verified" == release.code
    assert 4 <= len(release.facts.later_readings)
    assert {"matches"} == {one.verdict for one in release.facts.later_readings}
    assert release.due_at is not None
    assert release.due_at - town.now > timedelta(hours=20)
    lines = len(town.lines("0.1.0"))
    await town.run(patience=timedelta(days=2))
    assert lines == len(town.lines("0.1.0")), "watching leaves no line"


async def test_the_old_one_is_not_watched_any_more(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    assert town.release("0.1.0").due_at is None
    assert town.release("0.1.1").due_at is not None


async def test_a_dyno_that_serves_the_old_version_for_a_minute_costs_a_minute(town: Town) -> None:
    await served(town, "0.1.0")
    town.heroku.dynos.lingers = A_MINUTE
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert Stage.VERIFIED is release.stage
    verdicts = [one.verdict for one in release.facts.readings]
    assert "contradicts" == verdicts[0]
    assert ["matches"] * 3 == verdicts[-3:]
    assert release.since - release.facts.readings[0].at >= A_MINUTE


async def test_every_dyno_is_seen_before_it_is_verified(town: Town) -> None:
    town.heroku.dynos.quantity = 5
    await served(town, "0.1.0")
    release = town.release("0.1.0")
    assert 5 == len({one.instance for one in release.facts.readings})
    assert "times in a row by 5 instances" in release.sentence


async def test_where_heroku_does_not_answer_no_dyno_is_left_out(town: Town) -> None:
    town.heroku.dynos.quantity = 5
    asked: list[str] = []

    def is_away(name: str) -> Fault | None:
        asked.append(name)
        return Fault("refuse", 503) if name == "get_formation" and asked.count(name) < 9 else None

    town.heroku.before = is_away
    await served(town, "0.1.0")
    assert 5 == len({one.instance for one in town.release("0.1.0").facts.readings})


async def test_where_nobody_tells_how_many_dynos_there_are_the_matches_do(town: Town) -> None:
    town.heroku.dynos.quantity = 5
    refused = Fault("refuse", 403, {"id": "forbidden", "message": "No"})
    town.heroku.before = lambda name: refused if name == "get_formation" else None
    await served(town, "0.1.0")
    assert 3 == len(town.release("0.1.0").facts.readings)


async def test_one_of_two_dynos_that_flips_back_is_rolled_back(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(verify={"within": "2m", "watch": "1m"})
    town.heroku.dynos.quantity = 2
    await served(town, "0.1.0")
    town.heroku.dynos.flips_after = timedelta(seconds=20)
    await town.publish("0.1.1")
    await town.run()
    assert ["deployed", "verified", "rolling_back", "rolled_back"] == town.path("0.1.1")[-4:]
    (line,) = [line for line in town.lines("0.1.1") if line.code == "contradicts_later"]
    assert "readings since then contradict: it reports 0.1.0" in line.sentence
    assert {"0.1.0"} == {(await town.health())["model_version"] for _ in range(4)}
    assert "regression-model==0.1.0 \\" in town.pinned()


async def test_an_old_dyno_that_drains_after_the_proof_costs_nothing(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(verify={"within": "2m", "watch": "1m"})
    await served(town, "0.1.0")
    town.heroku.dynos.flips_after = timedelta(seconds=20)
    town.heroku.dynos.flips_for = timedelta(seconds=25)
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.VERIFIED, "verified") == (release.stage, release.code)
    verdicts = [one.verdict for one in release.facts.later_readings]
    assert 3 <= verdicts.count("contradicts")


async def test_where_the_policy_asks_a_flip_is_an_alarm(town_with: Callable[..., Town]) -> None:
    town = town_with(rollback="ask", verify={"within": "2m", "watch": "1m"})
    town.heroku.dynos.quantity = 2
    await served(town, "0.1.0")
    town.heroku.dynos.flips_after = timedelta(seconds=20)
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.VERIFIED, "contradicts_later") == (release.stage, release.code)
    alarms = [line.code for line in town.lines("0.1.1") if line.kind == "alarm"]
    assert ["contradicts_later"] == alarms


async def test_new_in_name_and_old_in_its_predictions_is_rolled_back(town: Town) -> None:
    await served(town, "0.1.0")
    town.heroku.dynos.old_predictions = True
    await town.publish("0.1.1")
    await town.run()
    release = town.release("0.1.1")
    assert Stage.ROLLED_BACK is release.stage
    assert "its predictions are not the model's" in (release.facts.refused_because or "")
    assert {"0.1.1"} == {one.version for one in release.facts.readings}


async def test_a_restart_is_no_contradiction(town_with: Callable[..., Town]) -> None:
    town = town_with(verify={"within": "2m", "watch": "1m"})
    await served(town, "0.1.0")
    running, town.heroku.dynos._running = town.heroku.dynos._running, []
    town.heroku.set_config({"WORKERS": "2"}, ROSA)
    await town.run(patience=timedelta())
    town.heroku.dynos._running = town.heroku.dynos._running or running
    await town.run()
    assert (Stage.VERIFIED, "verified") == (
        town.release("0.1.0").stage,
        town.release("0.1.0").code,
    )


async def by_hand(town: Town) -> None:
    """Rosa rolls 0.1.1 back herself, after it was verified."""
    await served(town, "0.1.0", "0.1.1")
    town.now += timedelta(hours=3)
    town.heroku.rollback(1, ROSA)
    await town.run()


async def test_a_rollback_by_hand_is_treated_as_one(town: Town) -> None:
    await by_hand(town)
    release = town.release("0.1.1")
    assert Stage.ROLLED_BACK is release.stage
    (line,) = [line for line in town.lines("0.1.1") if line.code == "undone_by_hand"]
    assert f"{ROSA} put 0.1.0 back in the place of v2, as v3 (Rollback to v1)" in line.sentence
    held, rolled = release.facts.quarantine, release.facts.rollback
    assert held is not None
    assert rolled is not None
    assert (ROSA, "0.1.0", 3) == (held.by, rolled.to, rolled.release)
    assert ["matches"] * 3 == [one.verdict for one in rolled.readings]
    assert "regression-model==0.1.0 \\" in town.pinned()
    assert 3 == len(town.heroku.releases), "nothing was done to the app"
    await town.run()
    assert town.release("0.1.0").due_at is not None, "it is watched again"


async def test_a_rollback_by_hand_is_noticed_though_nobody_tells(town: Town) -> None:
    await served(town, "0.1.0", "0.1.1")
    town.lost = {"heroku"}
    town.now += timedelta(hours=3)
    town.heroku.rollback(1, ROSA)
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert 1 == town.ask(lambda session: books.total(session, *meter.REPAIRS))["unheard_heroku"]


async def test_a_rollback_by_hand_counts_where_the_policy_asks(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(rollback="ask")
    await by_hand(town)
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage


async def test_a_rollback_by_hand_during_the_verification_ends_it_at_once(town: Town) -> None:
    await served(town, "0.1.0")
    town.heroku.dynos.lingers = A_MINUTE
    await town.publish("0.1.1")
    for _ in range(200):
        await town.run(patience=timedelta())
        if len(town.heroku.releases) == 2 and town.release("0.1.1").facts.readings:
            break
        town.now += timedelta(seconds=1)
    began = town.now
    town.heroku.rollback(1, ROSA)
    await town.run()
    release = town.release("0.1.1")
    assert Stage.ROLLED_BACK is release.stage
    assert "undone_by_hand" in [line.code for line in town.lines("0.1.1")]
    assert release.since - began < A_MINUTE
    assert release.facts.quarantine is not None
    assert ROSA == release.facts.quarantine.by


async def test_somebody_elses_deployment_of_another_version_is_shown(town: Town) -> None:
    await served(town, "0.1.0")
    await town.publish("0.1.1")
    await town.run()
    slug = town.heroku.releases[0].slug
    assert slug is not None
    stranger = dataclasses.replace(slug, id=new_id(), commit="f" * 40)
    town.heroku.release("Deploy ffffffff", stranger, ROSA)
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.VERIFIED, "replaced_by_hand") == (release.stage, release.code)
    assert f"{ROSA} put v3 of house-prices-api in the place of 0.1.1" in release.sentence
    assert ["replaced_by_hand"] == [
        line.code for line in town.lines("0.1.1") if line.kind == "alarm"
    ]
    town.heroku.rollback(2, ROSA)
    await town.run()
    assert "serves_again" == town.release("0.1.1").code
    assert Stage.VERIFIED is town.release("0.1.1").stage


async def test_config_vars_change_nothing(town: Town) -> None:
    await served(town, "0.1.0")
    lines = len(town.lines("0.1.0"))
    town.heroku.set_config({"WORKERS": "2"}, ROSA)
    await town.run()
    assert "verified" == town.release("0.1.0").code
    assert lines == len(town.lines("0.1.0"))


async def ask_back(town: Town, version: str) -> Reason:
    told = {"who": "rosa", "why": "cellars cost too much"}
    return await town.bridge.store.write(
        lambda session: recall.roll_back(session, "regression-model", version, now=town.now, **told)
    )


async def test_a_person_has_the_version_rolled_back(town_with: Callable[..., Town]) -> None:
    town = town_with(rollback="ask")
    await served(town, "0.1.0", "0.1.1")
    assert "rosa had regression-model 0.1.1 rolled back" in (await ask_back(town, "0.1.1")).sentence
    await town.run()
    release = town.release("0.1.1")
    assert Stage.ROLLED_BACK is release.stage
    assert release.facts.quarantine is not None
    assert "rosa" == release.facts.quarantine.by
    assert "0.1.0" == (await town.health())["model_version"]
    assert "regression-model==0.1.0 \\" in town.pinned()


async def test_what_the_policy_left_to_a_person_a_person_does(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(rollback="ask")
    await served(town, "0.1.0")
    town.heroku.dynos.old_predictions = True
    await town.publish("0.1.1")
    await town.run()
    assert (Stage.FAILED, "rollback_by_hand") == (
        town.release("0.1.1").stage,
        town.release("0.1.1").code,
    )
    await ask_back(town, "0.1.1")
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage


async def test_what_does_not_serve_is_not_rolled_back(town: Town) -> None:
    await served(town, "0.1.0")
    with pytest.raises(Refused, match="none can be put back"):
        await ask_back(town, "0.1.0")
    await served(town, "0.1.1")
    with pytest.raises(Refused, match="does not serve"):
        await ask_back(town, "0.1.0")


async def left_to_a_person(town: Town) -> None:
    """0.1.1 fails, and the policy leaves it to a person to put 0.1.0 back."""
    await served(town, "0.1.0")
    town.heroku.dynos.old_predictions = True
    await town.publish("0.1.1")
    await town.run()
    town.heroku.dynos.old_predictions = False
    assert "rollback_by_hand" == town.release("0.1.1").code


@pytest.mark.parametrize("lost", [False, True])
async def test_what_the_policy_left_to_a_person_is_seen_when_it_is_done_by_hand(
    town_with: Callable[..., Town], lost: bool
) -> None:
    town = town_with(rollback="ask")
    await left_to_a_person(town)
    assert [] == [line.code for line in town.lines("0.1.0") if line.kind == "alarm"]
    town.lost = {"heroku"} if lost else set()
    town.now += timedelta(hours=3)
    town.heroku.rollback(1, ROSA)
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.ROLLED_BACK, "pin_put_back") == (release.stage, release.code)
    assert ["failed", "rolling_back", "rolled_back"] == town.path("0.1.1")[-3:]
    assert release.facts.quarantine is not None
    assert ROSA == release.facts.quarantine.by
    assert "regression-model==0.1.0 \\" in town.pinned()
    assert Stage.VERIFIED is town.release("0.1.0").stage


async def test_one_that_failed_and_comes_back_by_hand_is_an_alarm(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(rollback="ask")
    await left_to_a_person(town)
    town.heroku.rollback(1, ROSA)
    await town.run()
    town.heroku.rollback(2, ROSA)
    await town.run()
    assert ["replaced_by_hand"] == [
        line.code for line in town.lines("0.1.0") if line.kind == "alarm"
    ]


async def test_one_that_failed_is_looked_after_until_another_is_verified(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(rollback="ask")
    await left_to_a_person(town)
    assert town.release("0.1.1").due_at is not None
    await served(town, "0.1.2")
    assert town.release("0.1.1").due_at is None
