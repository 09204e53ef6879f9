"""The drift board: four versions, and whether the gaps between them are meant."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta

from bridge.drift import Board
from bridge.rehearsal.gate import Fault
from bridge.rehearsal.heroku.records import new_id
from bridge.release import Stage
from bridge.store import boards
from tests.stories.town import REQUIREMENTS, Town

QUIET = timedelta(minutes=12)


async def later(town: Town) -> Board:
    """The board after a while in which nobody did anything."""
    for _ in range(3):
        town.now += timedelta(minutes=6)
        await town.run(patience=QUIET)
    (board,) = town.ask(boards.all_of_them)
    return board


def verdicts(board: Board) -> list[tuple[str, str]]:
    return [(gap.verdict, gap.code) for gap in board.found.gaps]


def alarms(town: Town, version: str) -> list[str]:
    return [line.code for line in town.lines(version) if line.kind == "alarm"]


async def test_where_all_agree_nothing_is_said(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    board = await later(town)
    assert [("same", "")] * 3 == verdicts(board)
    assert {"newest": "0.1.0", "pinned": "0.1.0", "deployed": "0.1.0", "serving": "0.1.0"} == (
        board.found.seen.model_dump()
    )
    assert [] == alarms(town, "0.1.0")


async def test_an_open_pull_request_explains_the_gap(town_with: Callable[..., Town]) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.0")
    await town.run()
    board = await later(town)
    assert ("intended", "waiting_for_reviewer") == verdicts(board)[0]
    assert "0.1.0 is proposed" in board.found.gaps[0].sentence


def deploys_by_hand(town: Town, number: int) -> None:
    """Somebody deploys another commit, with what this Heroku release of ours serves."""
    slug = town.heroku.releases[number].slug
    assert slug is not None
    stranger = replace(slug, id=new_id(), commit="f" * 40)
    town.heroku.release("Deploy ffffffff", stranger, "rosa")


async def test_a_deployment_by_hand_of_another_version_is_a_surprise_that_is_told_once(
    town: Town,
) -> None:
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run()
    deploys_by_hand(town, 0)
    board = await later(town)
    assert ("surprise", "drift_not_deployed") == verdicts(board)[1]
    assert "The branch pins 0.1.1, but Heroku runs v3" in board.found.gaps[1].sentence
    await later(town)
    assert 1 == alarms(town, "0.1.1").count("drift_not_deployed")


async def test_a_deployment_by_hand_of_the_same_version_is_none(town: Town) -> None:
    """A merge of anything else, where CI deploys."""
    await town.publish("0.1.0")
    await town.run()
    deploys_by_hand(town, 0)
    board = await later(town)
    assert ["same", "unknown", "unknown"] == [verdict for verdict, _ in verdicts(board)]
    assert [] == alarms(town, "0.1.0")


async def test_a_rollback_by_hand_is_no_surprise_once_the_pin_follows(town: Town) -> None:
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run()
    town.heroku.rollback(min(one.version for one in town.heroku.releases), "rosa")
    board = await later(town)
    assert ["intended", "same", "same"] == [verdict for verdict, _ in verdicts(board)]
    assert "0.1.1 is rolled_back: 0.1.1 was rolled back" in board.found.gaps[0].sentence


async def test_a_pin_by_hand_that_nobody_announced_is_a_surprise(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    text = REQUIREMENTS.replace("0.0.0", "0.9.0")
    town.github.commit("main", {"api/requirements.txt": text.encode()}, "By hand", "rosa")
    board = await later(town)
    assert ("surprise", "drift_not_on_index") == verdicts(board)[0]
    assert ("surprise", "drift_not_deployed") == verdicts(board)[1]
    assert ["drift_not_on_index", "drift_not_deployed"] == alarms(town, "0.1.0")


async def test_what_does_not_answer_is_unknown_and_no_surprise(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    town.heroku.before = lambda operation: Fault("refuse", 503, {"id": "maintenance"})
    board = await later(town)
    assert ["same", "unknown", "unknown"] == [verdict for verdict, _ in verdicts(board)]
    assert [] == alarms(town, "0.1.0")


async def test_a_silence_in_between_does_not_tell_it_twice(town: Town) -> None:
    await town.publish("0.1.0")
    await town.run()
    text = town.pinned().replace("0.1.0", "0.9.0")
    town.github.commit("main", {"api/requirements.txt": text.encode()}, "By hand", "rosa")
    await later(town)
    town.github.before = lambda name: Fault("refuse", 503, {"message": "away"})
    town.heroku.before = lambda operation: Fault("refuse", 503, {"id": "maintenance"})
    assert [] == (await later(town)).found.surprises
    town.github.before = lambda name: None
    town.heroku.before = lambda operation: None
    assert 2 == len((await later(town)).found.surprises)
    assert ["drift_not_on_index", "drift_not_deployed"] == alarms(town, "0.1.0")


async def test_a_surprise_that_is_gone_and_comes_again_is_told_again(
    town: Town,
) -> None:
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    good = town.pinned()
    for _ in range(2):
        text = good.replace("0.1.0", "0.9.0")
        town.github.commit("main", {"api/requirements.txt": text.encode()}, "By hand", "rosa")
        await later(town)
        town.github.commit("main", {"api/requirements.txt": good.encode()}, "Back", "rosa")
        board = await later(town)
        assert [] == board.found.surprises
    assert ["drift_not_on_index", "drift_not_deployed"] * 2 == alarms(town, "0.1.0")
