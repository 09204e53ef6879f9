"""One job of the rehearsal's CircleCI: its Python, its environment, its log, its leftovers."""

import os
import time
from pathlib import Path

import pytest

from bridge.rehearsal.circleci.config import Checkout, Job, Run
from bridge.rehearsal.circleci.job import Container, Outcome, Processes, Source, run_job

SECRETS = {"PUSH_TOKEN": "made-up-push-token", "SHORT": "abc"}
LONG = 60


def run(folder: Path, *steps: Checkout | Run) -> tuple[Outcome, str]:
    """What became of a job with these steps, and its log."""
    job = Job("job", "cimg/python:3.13", {"FROM": "the job", "JOB": "yes"}, [], [], steps)
    container = Container(folder / "job", {"FROM": "circleci"}, SECRETS, Processes())
    outcome = run_job(job, Source(folder, "0" * 40, None), container, lambda line: None)
    return outcome, (folder / "job/log.txt").read_text()


def test_a_job_has_a_python_of_its_own_and_says_so(tmp_path: Path) -> None:
    outcome, log = run(
        tmp_path,
        Run(command="python -c 'import sys; print(sys.prefix)'"),
        Run(command="python -m pip --version"),
    )

    assert outcome == "success"
    assert log.startswith("This job asks for cimg/python:3.13. It gets Python 3.")
    assert f"\n{tmp_path / 'job/python'}\n" in log


def test_a_job_sees_little_of_this_machine(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("BRIDGE_GITHUB__TOKEN", "made-up-token-of-this-machine")
    monkeypatch.setenv("PIP_TIMEOUT", "15")

    _, log = run(tmp_path, Run(command="env", environment={"FROM": "the step"}))

    seen = log.splitlines()
    assert {"PIP_TIMEOUT=15", "FROM=the step", "JOB=yes"} <= set(seen)
    assert "made-up-token-of-this-machine" not in log


def test_the_log_hides_what_contexts_hold(tmp_path: Path) -> None:
    outcome, log = run(tmp_path, Run(command="echo $PUSH_TOKEN and $SHORT; exit 3"))

    assert outcome == "failed"
    assert "\n**** and abc\n<== exit code 3 after" in log


def test_a_step_runs_in_its_folder_which_may_be_new(tmp_path: Path) -> None:
    _, log = run(tmp_path, Run(command="pwd", working_directory="a/b"))

    assert f"\n{tmp_path / 'job/project/a/b'}\n" in log


def test_a_repository_that_is_not_there_fails_the_job(tmp_path: Path) -> None:
    outcome, log = run(tmp_path, Checkout(), Run(command="echo never"))

    assert outcome == "failed"
    assert "==> echo never" not in log


def test_what_a_step_leaves_running_ends_with_it(tmp_path: Path) -> None:
    """The child holds the pipe, which ends for its reader when the child is dead."""
    pipe = tmp_path / "pipe"
    os.mkfifo(pipe)
    reader = os.open(pipe, os.O_RDONLY | os.O_NONBLOCK)
    began = time.monotonic()

    outcome, _ = run(tmp_path, Run(command=f"exec 3> {pipe}; sleep {LONG} & true"))

    os.set_blocking(reader, True)
    rest = os.read(reader, 1)
    os.close(reader)
    assert (outcome, rest) == ("success", b"")
    assert time.monotonic() - began < LONG / 2
