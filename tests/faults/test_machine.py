"""Anything, in any order: webhooks that come twice or never, crashes, people, and lies.

After every step the ten invariants hold, and when the world is left alone everything comes to an
end or waits for a person.
"""

import asyncio
import os
import random
import tempfile
from datetime import timedelta
from pathlib import Path

from hypothesis import HealthCheck, Phase, seed, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from bridge.rehearsal.github import Pull
from bridge.rehearsal.github.state import Refusal
from bridge.rehearsal.letters import Letter
from tests.conftest import Databases
from tests.stories.town import PACKAGE, Moment, Town

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
EXAMPLES = int(os.environ.get("FAULTS_EXAMPLES", "40"))
STEPS = int(os.environ.get("FAULTS_STEPS", "40"))
WAITS_FOR_A_PERSON = {"somebody_pushed", "checks_failed", "branch_in_use"}
TOLERANCE = 300  # seconds that a publisher's signature is good for
A_LONG_TIME = timedelta(hours=2)


class Anything(RuleBasedStateMachine):
    """One town and everybody who can do something to it."""

    databases: Databases

    def __init__(self) -> None:
        super().__init__()
        self.folder = tempfile.TemporaryDirectory()
        self.database = self.databases()
        self.runner = asyncio.Runner()
        self.town = self.runner.run(self._found())
        self.sent: list[Letter] = []
        self.versions = 0

    async def _found(self) -> Town:
        return Town(Path(self.folder.name), self.database.__enter__())

    def opened(self) -> list[Pull]:
        return [pull for pull in self.town.github.pulls.values() if pull.state == "OPEN"]

    def note(self) -> None:
        self.sent += [letter for letter in self.town.mail if letter not in self.sent]

    @precondition(lambda self: self.versions < 4)
    @rule(announced=st.booleans())
    def publish(self, announced: bool) -> None:
        self.versions += 1
        self.runner.run(self.town.publish(f"0.1.{self.versions}", announced=announced))

    @precondition(lambda self: self.town.mail)
    @rule()
    def deliver(self) -> None:
        self.note()
        letter = self.town.mail.pop(0)
        signed = int(letter.headers.get("webhook-timestamp", self.town.now.timestamp()))
        status = self.runner.run(self.town.deliver(letter))
        is_old = self.town.now.timestamp() - signed > TOLERANCE
        assert status in ((401,) if is_old else (200, 202))

    @precondition(lambda self: self.sent)
    @rule(which=st.integers(0, 999))
    def duplicate(self, which: int) -> None:
        self.town.mail.append(self.sent[which % len(self.sent)])

    @precondition(lambda self: len(self.town.mail) > 1)
    @rule(order=st.integers(0, 999))
    def reorder(self, order: int) -> None:
        random.Random(order).shuffle(self.town.mail)  # noqa: S311 - chaos, not secrets

    @precondition(lambda self: self.town.mail)
    @rule(which=st.integers(0, 99))
    def drop(self, which: int) -> None:
        self.note()
        self.town.mail.pop(which % len(self.town.mail))

    @rule(effects=st.integers(1, 3), moment=st.sampled_from(["before", "after", "written"]))
    def crash_around_an_effect(self, effects: int, moment: Moment) -> None:
        self.town.crash_at, self.town.crash_moment = self.town.effects + effects, moment

    @rule()
    def crash(self) -> None:
        self.runner.run(self.town.restart())

    @rule(turns=st.integers(1, 4))
    def tick(self, turns: int) -> None:
        for _ in range(turns):
            self.note()
            self.runner.run(self.town.turn())

    @rule(seconds=st.sampled_from([1, 2, 5, 60, 600, 7200]))
    def time_passes(self, seconds: int) -> None:
        self.town.now += timedelta(seconds=seconds)

    @precondition(lambda self: self.opened())
    @rule(which=st.integers(0, 9))
    def a_person_merges(self, which: int) -> None:
        pull = self.opened()[which % len(self.opened())]
        try:
            self.town.github.merge(pull.number, "rosa")
        except Refusal:
            assert self.town.github.mergeable(pull) is False

    @precondition(lambda self: self.opened())
    @rule(which=st.integers(0, 9))
    def a_person_closes(self, which: int) -> None:
        pull = self.opened()[which % len(self.opened())]
        self.town.github.close(pull.number, "rosa")

    @precondition(lambda self: self.opened())
    @rule(which=st.integers(0, 9))
    def a_person_pushes_to_our_branch(self, which: int) -> None:
        pull = self.opened()[which % len(self.opened())]
        self.town.github.commit(pull.head, {"api/extra.txt": b"hello"}, "One more", "rosa")

    @precondition(lambda self: self.town.index.files())
    @rule(which=st.integers(0, 9))
    def a_wheel_is_replaced(self, which: int) -> None:
        files = list(self.town.index.files())
        self.town.index.replace(files[which % len(files)], b"PK not the wheel that CI built")

    @precondition(lambda self: self.town.index.files())
    @rule(which=st.integers(0, 9))
    def a_wheel_is_gone_or_back(self, which: int) -> None:
        files = list(self.town.index.files())
        self.town.index.hidden ^= {files[which % len(files)]}

    @rule(version=st.sampled_from([None, "0.1.1", "0.1.2", "9.9.9"]))
    def health_lies(self, version: str | None) -> None:
        self.town.runner.stuck_version = version

    @rule(wrong=st.booleans())
    def predictions_lie(self, wrong: bool) -> None:
        self.town.runner.wrong_answers = wrong

    @rule(state=st.sampled_from(["success", "pending", "failure"]))
    def checks_say(self, state: str) -> None:
        self.town.checks = lambda sha: state

    @invariant()
    def the_nine_hold(self) -> None:
        self.town.must_be_sound()

    def teardown(self) -> None:
        """Left alone, and with nobody lying any more, everything ends or waits for a person."""
        self.town.checks, self.town.crash_at = lambda sha: "success", None
        self.town.runner.stuck_version, self.town.runner.wrong_answers = None, False
        self.town.index.hidden.clear()
        try:
            for pull in self.opened():
                sha = pull.head_sha
                self.town.github.set_status(sha, "success", "ci/circleci: test_app", "circleci")
            self.runner.run(self.town.run(A_LONG_TIME))
            self.town.must_be_sound()
            for release in self.town.releases():
                assert release.stage.is_end or release.code in WAITS_FOR_A_PERSON, release
                assert release.package == PACKAGE
        finally:
            self.runner.run(self.town.close())
            self.runner.close()
            self.database.__exit__(None, None, None)
            self.folder.cleanup()


def test_anything_in_any_order(databases: Databases) -> None:
    wanted = settings(
        max_examples=EXAMPLES,
        stateful_step_count=STEPS,
        deadline=None,
        database=None,
        phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
        print_blob=True,
    )
    here = type("Anything", (Anything,), {"databases": staticmethod(databases)})
    run_state_machine_as_test(seed(SEED)(here), settings=wanted)
