"""A stranger owns our package's name on the public index: an alarm, and no way in."""

import pytest

from bridge.rehearsal.gemfury import Gemfury
from bridge.release import Stage
from tests.stories.town import Town, model_wheel

BARE = b"fastapi==0.165.0\nregression-model==0.0.0\n"


def offer(index: Gemfury, version: str) -> str:
    """A stranger uploads a version to the public index; its file."""
    file, data = model_wheel(version, rmse=0.9)
    (index.folder / file).write_bytes(data)
    return file


async def carried(town: Town) -> None:
    town.looks_at_public = True
    await town.restart()
    await town.publish("0.1.1")
    await town.run()


def alarms(town: Town) -> list[str]:
    return [line.code for line in town.lines("0.1.1") if line.kind == "alarm"]


@pytest.mark.parametrize("twin", ["99.0", "0.1.1", "0.1.1+evil", "0.1.1.post1"])
async def test_a_version_that_an_installer_would_prefer_is_an_alarm_once(
    town: Town, twin: str
) -> None:
    offer(town.public, twin)
    await carried(town)
    assert (Stage.VERIFIED, twin) == (
        town.release("0.1.1").stage,
        town.release("0.1.1").facts.public_twin,
    )
    assert ["public_twin"] == alarms(town)


@pytest.mark.parametrize("twin", ["0.1.0", "99.0rc1", "yanked"])
async def test_a_version_that_nobody_would_prefer_is_none(town: Town, twin: str) -> None:
    file = offer(town.public, "99.0" if twin == "yanked" else twin)
    if twin == "yanked":
        town.public.yanked[file] = "a mistake"
    await carried(town)
    assert ([], None) == (alarms(town), town.release("0.1.1").facts.public_twin)
    (line,) = [line for line in town.lines("0.1.1") if line.code == "confirmed"]
    assert "The public index has nothing of this name" in line.sentence


async def test_without_hashes_the_stranger_would_win_and_nothing_is_proposed(town: Town) -> None:
    offer(town.public, "99.0")
    town.github.commit("main", {"api/requirements.txt": BARE}, "Simpler", "rosa")
    await carried(town)
    release = town.release("0.1.1")
    assert (Stage.FAILED, "foreign_package") == (release.stage, release.code)
    assert "99.0" in release.sentence
    assert {} == town.github.pulls


async def test_that_nobody_looked_is_on_record(town: Town) -> None:
    offer(town.public, "99.0")
    await town.publish("0.1.1")
    await town.run()
    (line,) = [line for line in town.lines("0.1.1") if line.code == "confirmed"]
    assert "The public index was not looked at" in line.sentence
    assert [] == alarms(town)


async def test_a_public_index_that_does_not_answer_is_no_good_news(town: Town) -> None:
    from bridge.rehearsal.gate import Fault

    town.public.before = lambda name: Fault("refuse", 503)
    await carried(town)
    assert (Stage.ANNOUNCED, "unavailable") == (
        town.release("0.1.1").stage,
        town.release("0.1.1").code,
    )
    assert "the public index answered 503" in town.release("0.1.1").sentence
