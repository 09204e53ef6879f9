"""The file that was confirmed stays the one: the index is asked again before each act."""

from collections.abc import Callable

import pytest

from bridge.release import Stage
from tests.stories.town import Town, model_wheel

FILE = "regression_model-0.1.1-py3-none-any.whl"
OTHER = model_wheel("0.1.1", rmse=0.2)[1]
PAGE = "/acme/regression-model/"


def replace(town: Town) -> None:
    town.index.replace(FILE, OTHER)


def yank(town: Town) -> None:
    town.index.yanked[FILE] = "trained on the test set"


def remove(town: Town) -> None:
    town.index.hidden.add(FILE)


WRONGS = [(replace, "replaced"), (yank, "yanked"), (remove, "gone")]
wrongs = pytest.mark.parametrize(("wrong", "code"), WRONGS, ids=[code for _, code in WRONGS])
Wrong = Callable[[Town], None]


def looks(town: Town) -> int:
    """How often the index was listed."""
    return sum(call.path == PAGE for call in town.index.calls)


async def at(town: Town, stage: Stage) -> None:
    """0.1.0 is verified, 0.1.1 was just moved to `stage`."""
    await town.publish("0.1.0")
    await town.run()
    town._next_sweep = town.now.replace(year=2030)
    await town.publish("0.1.1")
    for _ in range(200):
        found = [one for one in town.releases() if one.version == "0.1.1"]
        if found and found[0].stage is stage:
            return
        if not await town.turn() and (due := await town._next_due()):
            town.now = max(town.now, due)
    raise AssertionError(f"0.1.1 never came to {stage}")


@wrongs
async def test_before_the_merge_it_closes_the_pull_request(
    town: Town, wrong: Wrong, code: str
) -> None:
    await at(town, Stage.PROPOSED)
    wrong(town)
    pull = town.github.pulls[max(town.github.pulls)]
    await town.run()
    release = town.release("0.1.1")
    assert (Stage.FAILED, code) == (release.stage, release.code)
    assert ("CLOSED", False) == (pull.state, pull.merged)
    assert release.sentence in str(pull.comments)
    assert "regression-model==0.1.0" in town.pinned()


@wrongs
async def test_what_waits_for_a_person_is_closed_after_a_sweep(
    town_with: Callable[..., Town], wrong: Wrong, code: str
) -> None:
    town = town_with(merge="human")
    await town.publish("0.1.1")
    await town.run()
    assert "waiting_for_reviewer" == town.release("0.1.1").code
    calls = town.github.calls.copy()
    wrong(town)
    await town.run()
    assert (Stage.FAILED, code) == (town.release("0.1.1").stage, town.release("0.1.1").code)
    assert "CLOSED" == town.github.pulls[1].state
    assert "repair" in [line.kind for line in town.lines("0.1.1")]
    assert calls != town.github.calls


@wrongs
async def test_after_the_merge_nothing_is_built(town: Town, wrong: Wrong, code: str) -> None:
    await at(town, Stage.MERGED)
    wrong(town)
    await town.run()
    assert (Stage.FAILED, code) == (town.release("0.1.1").stage, town.release("0.1.1").code)
    assert 1 == len(town.heroku.builds)
    assert "0.1.0" == (await town.health())["model_version"]


@wrongs
async def test_before_it_is_verified_it_is_rolled_back(town: Town, wrong: Wrong, code: str) -> None:
    await at(town, Stage.DEPLOYED)
    wrong(town)
    await town.run()
    assert Stage.ROLLED_BACK is town.release("0.1.1").stage
    assert code in [line.code for line in town.lines("0.1.1")]
    assert "0.1.0" == (await town.health())["model_version"]


async def test_the_index_is_listed_once_for_each_act(town: Town) -> None:
    town._next_sweep = town.now.replace(year=2030)
    await town.publish("0.1.0")
    await town.run()
    assert Stage.VERIFIED is town.release("0.1.0").stage
    assert 4 == looks(town), "confirm, merge, deploy, verify"
    assert 1 == sum(call.operation == "file" for call in town.index.calls)


async def test_an_index_that_tells_no_digest_is_asked_for_the_file(town: Town) -> None:
    read = town.index._page

    async def without_digests(request: object) -> object:
        answer = await read(request)  # type: ignore[arg-type]
        answer.body = bytes(answer.body).replace(b'"sha256"', b'"md5"')
        answer.headers["content-length"] = str(len(answer.body))
        return answer

    town.index.before = lambda name: None
    for route in town.index.app.routes:
        if getattr(route, "name", "") == "page":
            town.index.app.routes.remove(route)
    town.index.app.routes.append(
        town.index.route("GET", "/acme/{name}/", "page", without_digests)  # type: ignore[arg-type]
    )
    await at(town, Stage.MERGED)
    replace(town)
    await town.run()
    assert (Stage.FAILED, "replaced") == (
        town.release("0.1.1").stage,
        town.release("0.1.1").code,
    )
