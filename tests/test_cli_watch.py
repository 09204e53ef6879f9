"""`bridge watch`: it looks on until what it watches has ended, whatever happens to the bridge."""

import json
import signal
import threading
import time
from collections.abc import Callable

import pytest

from bridge.release import Stage
from bridge.web.shapes import Page, ReleaseRow
from tests import cli_kit
from tests.bridge_kit import PACKAGE
from tests.cli_kit import Told, a_process, a_terminal, problem
from tests.test_cli import Run, bridge, home
from tests.test_cli_http import SAYS, told, with_a_release

__all__ = ["bridge", "home", "told"]
WATCH = ("watch", PACKAGE, "0.1.1")
NEVER = 60.0


def when(happened: Callable[[], object], then: Callable[[], None]) -> threading.Thread:
    """Do something as soon as something else has happened."""

    def wait() -> None:
        end = time.monotonic() + NEVER
        while not happened() and time.monotonic() < end:
            time.sleep(0.02)
        then()

    thread = threading.Thread(target=wait)
    thread.start()
    return thread


def looks(told: Told, count: int) -> Callable[[], bool]:
    """Whether it was looked at so often by now."""
    return lambda: sum(path == "/releases/7" for _, path, _ in told.asked) >= count


def ends(told: Told, stage: Stage, says: str) -> Callable[[], None]:
    def work() -> None:
        told.answers["/releases/7"] = cli_kit.page("0.1.1", stage, says)
        told.lines += 1

    return work


@pytest.mark.parametrize(("stage", "wanted"), [(Stage.VERIFIED, 0), (Stage.FAILED, 1)])
def test_it_ends_as_the_version_does(bridge: Run, told: Told, stage: Stage, wanted: int) -> None:
    with_a_release(told)
    later = when(looks(told, 1), ends(told, stage, "It is over."))
    code, out, err = bridge(*WATCH)
    later.join()
    assert (wanted, "") == (code, err)
    first, last = out.splitlines()
    assert f"… proposed: {SAYS}" in first
    assert f"{stage.value}: It is over." in last


def test_it_looks_when_the_bridge_tells_of_something(bridge: Run, told: Told) -> None:
    with_a_release(told)

    def ring() -> None:
        told.lines += 1

    heard = when(looks(told, 1), ring)
    begun = time.monotonic()
    # Once it has heard of a line it looks by itself every 15 seconds only.
    later = when(looks(told, 3), ends(told, Stage.VERIFIED, "It is over."))
    more = when(looks(told, 2), ring)
    code, _, _ = bridge(*WATCH, "--timeout", "14s")
    for thread in (heard, later, more):
        thread.join()
    assert 0 == code
    assert time.monotonic() - begun < 14


def test_a_version_that_nobody_announced_yet_is_waited_for(bridge: Run, told: Told) -> None:
    told.answers["/releases"] = Page[ReleaseRow](items=[])

    def announced() -> None:
        with_a_release(told, Stage.VERIFIED)

    later = when(lambda: told.asked, announced)
    assert 0 == bridge(*WATCH)[0]
    later.join()


def test_the_time_is_over(bridge: Run, told: Told) -> None:
    with_a_release(told)
    code, _, err = bridge(*WATCH, "--timeout", "100ms")
    assert (1, f"After 100ms {PACKAGE} 0.1.1 is not verified.\n") == (code, err)
    told.answers["/releases"] = Page[ReleaseRow](items=[])
    code, _, err = bridge(*WATCH, "--timeout", "100ms")
    assert (1, True) == (code, "is not known yet" in err)


def test_every_change_is_a_line_of_json(bridge: Run, told: Told) -> None:
    with_a_release(told)
    later = when(looks(told, 1), ends(told, Stage.VERIFIED, "It is over."))
    code, out, _ = bridge(*WATCH, "--json")
    later.join()
    assert 0 == code
    stages = [json.loads(line)["stage"] for line in out.splitlines()]
    assert ["proposed", "verified"] == stages


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (("watch", PACKAGE), "Name a package and its version"),
        (("watch", PACKAGE, "latest"), "is not a version"),
        (("watch", "--timeout", "soon"), "no span of time"),
    ],
)
def test_wrong_words_are_2(bridge: Run, told: Told, words: tuple[str, ...], says: str) -> None:
    code, _, err = bridge(*words)
    assert (2, True) == (code, says in err)


def test_nobody_there_at_first_is_3(bridge: Run) -> None:
    assert 3 == bridge(*WATCH, "--url", "http://127.0.0.1:9")[0]


def test_a_bridge_that_is_away_for_a_while_is_looked_for(bridge: Run, told: Told) -> None:
    with_a_release(told)

    def away() -> None:
        told.answers["/releases/7"] = problem(503, "It starts.")

    first = when(looks(told, 1), away)
    later = when(looks(told, 3), ends(told, Stage.VERIFIED, "It is over."))
    code, _, err = bridge(*WATCH)
    first.join()
    later.join()
    assert (0, 1) == (code, err.count("The bridge does not answer; looking again."))


def test_ctrl_c_is_clean(told: Told) -> None:
    told.answers["/now"] = cli_kit.now(SAYS)
    with a_process(told, "watch") as process:
        assert process.stdout
        assert "proposed" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        out, err = process.communicate(timeout=NEVER)
    assert (130, "") == (process.returncode, err.strip())
    assert "Traceback" not in out


def test_a_terminal_is_drawn_anew_and_left_in_order(told: Told) -> None:
    with_a_release(told)
    later = when(looks(told, 1), ends(told, Stage.VERIFIED, "It is over."))
    code, shown = a_terminal(told, 80, *WATCH)
    later.join()
    assert 0 == code
    assert "● proposed" in shown
    assert "It is over." in shown
    assert shown.rindex("\x1b[?25h") > shown.rindex("\x1b[?25l"), "the cursor is back"


def test_a_reader_that_goes_away_is_no_fault(told: Told) -> None:
    told.answers["/now"] = cli_kit.now(SAYS)
    with a_process(told, "now") as process:
        assert process.stdout
        assert process.stderr
        process.stdout.close()
        assert "Traceback" not in process.stderr.read()
