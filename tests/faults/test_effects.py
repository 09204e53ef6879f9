"""The process dies at every point around every effect, and replies are lost: the same end, once.

The effects are read from the clients' code, so a new one without a row and a journey fails here.
"""

import ast
import os
from collections.abc import Awaitable, Callable
from datetime import timedelta
from pathlib import Path

import pytest

import bridge
from bridge.rehearsal.gate import Fault
from bridge.release import Stage
from bridge.sentences import SENTENCES
from tests.conftest import Databases
from tests.stories.town import REQUIREMENTS, Moment, Town

ALL = "FAULTS_ALL" in os.environ
CLIENTS = ("github", "heroku", "index", "prediction")
EFFECTS = {
    "GitHub.propose": {"Propose"},
    "GitHub.rewrite": {"Draft", "Swap"},
    "GitHub.merge": {"Merge"},
    "GitHub.merge_later": {"MergeLater"},
    "GitHub.hold": {"Hold"},
    "GitHub.enqueue": {"Enqueue"},
    "GitHub.close_pull": {"Close"},
    "GitHub.delete_branch": {"DeleteBranch"},
    "Rest.set_status": {"POST statuses"},
    "Rest.create_deployment": {"POST deployments"},
    "Rest.set_deployment_status": {"POST deployment statuses"},
    "Rest.ask_for": {"POST labels", "POST requested_reviewers"},
    "Heroku.upload": {"POST sources", "PUT slots"},
    "Heroku.build": {"POST builds"},
    "Heroku.rollback": {"POST releases"},
    "Heroku.cancel": {"DELETE builds"},
}
ONLY_ASK = {"Reviewers.reviews", "GitHub.look", "GitHub.pulls", "PredictionApi.wrong_answer"}


async def verified(town: Town) -> None:
    """The way that a release is meant to go."""
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def answered(town: Town) -> None:
    """CI says which commit it built, and that one gets its answer."""
    town.mail.append(town.workflow("v0.1.0", "success"))
    await verified(town)


async def superseded(town: Town) -> None:
    """A newer version takes the place of one that waits for its checks."""
    town.checks = lambda sha: "pending"
    await town.publish("0.1.0")
    await town.run()
    town.checks = lambda sha: "success"
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.0").stage is Stage.SUPERSEDED
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def rewritten(town: Town) -> None:
    """Somebody moves the pin by hand while a pull request waits for its checks."""
    town.checks = lambda sha: "pending"
    await town.publish("0.1.0")
    await town.run()
    town.checks = lambda sha: "success"
    by_hand = REQUIREMENTS.replace("==0.0.0", "==0.0.9").encode()
    town.github.commit("main", {"api/requirements.txt": by_hand}, "By hand", "rosa")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert [(1, "MERGED")] == [(one.number, one.state) for one in town.github.pulls.values()]


async def merged_later(town: Town) -> None:
    """The branch wants an approval; a failing check comes, goes, and then a person approves."""
    town.github.rules.approvals = 1
    await town.publish("0.1.0")
    await town.run()
    head = town.github.pulls[1].head_sha
    for state in ("failure", "success"):
        town.github.set_status(head, state, "ci", "ci")
        await town.run()
    assert town.release("0.1.0").code == "merges_later"
    town.github.review(1, "rosa", "APPROVED")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def queued(town: Town) -> None:
    """The branch has a merge queue."""
    town.github.rules.queue = True
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "in_merge_queue"
    town.github.work_off_the_queue()
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED


async def rolled_back(town: Town) -> None:
    """The second version never shows itself."""
    await verified(town)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.ROLLED_BACK
    assert [1, 2, 3] == [one.version for one in town.heroku.releases]


async def overtaken(town: Town) -> None:
    """A newer version is merged while the older one is being built, and may take its place."""
    policy = town.pipeline.policy.model_copy(update={"overtake": "building"})
    town.pipelines = [town.pipeline.model_copy(update={"policy": policy})]
    await town.restart()
    town.heroku.builds_wait = True
    for version in ("0.1.0", "0.1.1"):
        await town.publish(version)
        await town.run(patience=timedelta(minutes=5))
    town.heroku.build_now()
    await town.run()
    assert town.release("0.1.0").stage is Stage.SUPERSEDED
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def rolled_back_anew(town: Town) -> None:
    """The same, when Heroku has not kept what the first version ran from."""
    await verified(town)
    town.heroku.expire(1)
    town.runner.stuck_version = "0.1.0"
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.ROLLED_BACK
    assert 3 == len(town.heroku.builds)


Journey = Callable[[Town], Awaitable[None]]
JOURNEYS: dict[Journey, set[str]] = {
    verified: {"Propose", "Merge", "DeleteBranch", "POST sources", "PUT slots", "POST builds"}
    | {"POST deployments", "POST deployment statuses"},
    answered: {"POST statuses", "POST labels", "POST requested_reviewers"},
    merged_later: {"MergeLater", "Hold"},
    queued: {"Enqueue"},
    superseded: {"Close"},
    rewritten: {"Draft", "Swap"},
    rolled_back: {"POST releases", "Propose"},
    rolled_back_anew: {"POST builds"},
    overtaken: {"DELETE builds"},
}
"""Each journey with the effects that the process dies around; together they are all of them."""
MOMENTS: tuple[Moment, ...] = ("before", "after", "written")


def speaks(call: ast.Call) -> bool:
    """Whether a call asks a neighbour for anything but a GET."""
    name = call.func.attr if isinstance(call.func, ast.Attribute) else ""
    if name in ("speak", "_post"):
        return True
    if name not in ("ask", "_ask", "request", "post", "put", "patch", "delete"):
        return False
    method = call.args[0] if call.args else None
    return not (isinstance(method, ast.Constant) and method.value == "GET")


def said_in_code() -> set[str]:
    """Every method of a client that asks for more than a GET, as `Class.method`."""
    found = set()
    for client in CLIENTS:
        folder = Path(bridge.__file__).parent / client
        nodes = [node for path in folder.glob("*.py") for node in ast.parse(path.read_text()).body]
        for kind in [node for node in nodes if isinstance(node, ast.ClassDef)]:
            for method in [one for one in kind.body if isinstance(one, ast.AsyncFunctionDef)]:
                calls = [node for node in ast.walk(method) if isinstance(node, ast.Call)]
                if method.name not in ("_ask", "_post", "speak") and any(map(speaks, calls)):
                    found.add(f"{kind.name}.{method.name}")
    return found


def test_every_effect_in_the_code_has_a_row_here() -> None:
    assert said_in_code() == EFFECTS.keys() | ONLY_ASK


async def test_the_journeys_pass_every_effect_and_every_intent(tmp_path: Path) -> None:
    """On one database: what the code says does not depend on it."""
    seen: set[str] = set()
    intents: set[str] = set()
    for journey in JOURNEYS:
        town = Town(tmp_path / journey.__name__)
        await journey(town)
        seen |= set(town.journal)
        rows = [line for release in town.releases() for line in town.lines(release.version)]
        intents |= {line.code for line in rows if line.kind == "intent"}
        await town.close()
    assert seen == set().union(*EFFECTS.values()) == set().union(*JOURNEYS.values())
    assert intents == {code for code in SENTENCES if code.startswith("intent_")}


@pytest.mark.parametrize("moment", MOMENTS)
@pytest.mark.parametrize("journey", JOURNEYS, ids=lambda journey: journey.__name__)
async def test_a_crash_at_every_point_converges(
    tmp_path: Path, databases: Databases, journey: Journey, moment: Moment
) -> None:
    """`before` an effect, `after` it, and after the write that follows: point by point."""
    calm = Town(tmp_path / "calm")
    await journey(calm)
    points = [at for at, name in enumerate(calm.journal, 1) if ALL or name in JOURNEYS[journey]]
    await calm.close()
    assert points
    for point in points:
        with databases() as url:
            town = Town(tmp_path / str(point), url)
            town.crash_at, town.crash_moment = point, moment
            await journey(town)
            assert town.crash_at is None, "it never crashed"
            town.must_be_sound()
            await town.close()


def loses(*operations: str) -> tuple[list[str], Callable[[str], Fault | None]]:
    """What is still to be lost, and a gate at which the reply of each is lost once."""
    waiting = list(operations)

    def once(name: str) -> Fault | None:
        if name not in waiting:
            return None
        waiting.remove(name)
        return Fault("lost_reply")

    return waiting, once


@pytest.mark.parametrize("field", ["addComment", "closePullRequest", "deleteRef", "Close"])
async def test_github_closed_it_and_the_reply_was_lost(town: Town, field: str) -> None:
    waiting, town.github.before = loses(field)
    await superseded(town)
    assert not waiting, "nothing was lost"


@pytest.mark.parametrize("operation", ["create_source", "put_source", "create_build"])
async def test_heroku_did_it_and_the_reply_was_lost(town: Town, operation: str) -> None:
    waiting, town.heroku.before = loses(operation)
    await verified(town)
    assert not waiting, "nothing was lost"
    assert 1 == len(town.heroku.builds)


async def test_heroku_rolled_back_and_the_reply_was_lost(town: Town) -> None:
    waiting, town.heroku.before = loses("create_release")
    await rolled_back(town)
    assert not waiting, "nothing was lost"
