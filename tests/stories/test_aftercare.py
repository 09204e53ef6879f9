"""What is left to do after an end fails: it is tried ever later, and a person hears of it once."""

from datetime import timedelta

from sqlmodel import Session

from bridge.rehearsal.gate import Fault
from bridge.release import Release, Stage
from tests.stories.test_guard import ask_back, served
from tests.stories.town import Town

FORBIDDEN = Fault("refuse", 403, {"message": "Resource not accessible by personal access token"})


def alarms(town: Town) -> list[str]:
    return [line.sentence for line in town.lines("0.1.1") if line.kind == "alarm"]


async def rolled_back(town: Town) -> Release:
    """0.1.1 is rolled back, and GitHub does not let the bridge put the pin back."""
    await served(town, "0.1.0", "0.1.1")
    town.github.before = lambda name: FORBIDDEN
    await ask_back(town, "0.1.1")
    await town.run(patience=timedelta(seconds=30))
    release = town.release("0.1.1")
    assert (Stage.ROLLED_BACK, "rolled_back") == (release.stage, release.code)
    return release


async def test_a_revert_that_fails_is_asked_for_ever_later_and_told_once(town: Town) -> None:
    await rolled_back(town)
    began = town.now
    await town.run(patience=timedelta(hours=2))
    release = town.release("0.1.1")
    assert (Stage.ROLLED_BACK, "rolled_back") == (release.stage, release.code)
    (told,) = alarms(town)
    assert "403" in told
    assert "put the pin on the branch back by hand" in told
    assert release.failures * timedelta(minutes=4) < town.now - began
    town.github.before = lambda name: None
    await town.run()
    assert "pin_put_back" == town.release("0.1.1").code
    assert 0 == town.release("0.1.1").failures


async def test_a_bug_in_it_is_parked_and_told_once(town: Town) -> None:
    await rolled_back(town)

    def broken(name: str) -> None:
        if name == "createRef":
            raise KeyError(name)

    town.github.before = broken
    await town.run(patience=timedelta(hours=5))
    release = town.release("0.1.1")
    assert (Stage.ROLLED_BACK, "rolled_back") == (release.stage, release.code)
    (told,) = alarms(town)
    assert "KeyError" in told
    town.github.before = lambda name: None
    await town.run(patience=timedelta(hours=2))
    assert "pin_put_back" == town.release("0.1.1").code


async def test_one_that_kills_the_process_is_told_and_tried_again_later(town: Town) -> None:
    release = await rolled_back(town)

    def died(session: Session) -> None:
        row = session.get_one(Release, release.id)
        row.attempts = 20

    await town.bridge.store.write(died)
    town.github.before = lambda name: None
    town.now += timedelta(minutes=10)
    await town.turn()
    (told,) = alarms(town)
    assert "the process died" in told
    assert "rolled_back" == town.release("0.1.1").code
    await town.run(patience=timedelta(hours=2))
    assert "pin_put_back" == town.release("0.1.1").code
