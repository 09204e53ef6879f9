"""A pin that stands in several files, or in another one than the first: one pull request, exact."""

import hashlib
from collections.abc import Callable

import pytest

from bridge import pins
from bridge.release import Stage
from tests.stories.town import PACKAGE, Town, model_wheel

MAIN, SOURCE = "api/requirements.txt", "api/requirements.in"
BRANCH = f"bridge/house-prices/{PACKAGE}-0.1.0"
DIGEST = "sha256:" + hashlib.sha256(model_wheel("0.1.0")[1]).hexdigest()


def allow(town: Town, *also: str) -> None:
    """The pipeline names these files as well."""
    town.bridge.settings.pipeline[:] = [town.pipeline.model_copy(update={"also": also})]


def commit(town: Town, files: dict[str, str]) -> None:
    town.github.commit("main", {path: text.encode() for path, text in files.items()}, "R", "rosa")


def read(town: Town, path: str, ref: str = "refs/heads/main") -> str:
    found = town.github.git.read(f"{ref}:{path}")
    assert found is not None
    return found[2].decode()


async def test_source_and_compiled_file_are_moved_in_one_commit(town: Town) -> None:
    source = f"# ours\r\nfastapi>=0.165\r\n{PACKAGE}==0.0.0  # the model\r\n"
    commit(town, {SOURCE: source})
    allow(town, SOURCE)
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").stage is Stage.VERIFIED
    assert source.replace("==0.0.0", "==0.1.0") == read(town, SOURCE)
    assert (DIGEST,) == pins.find(read(town, MAIN), PACKAGE).hashes
    assert town.mutations("createCommitOnBranch") == 1
    pull = town.github.pulls[1]
    assert (1, 2) == town.github.git.size(pull.base_sha, pull.head_sha)[:2]
    await town.publish("0.1.1")
    await town.run()
    assert town.release("0.1.1").stage is Stage.VERIFIED


async def test_the_pin_is_moved_in_the_nested_file_where_it_stands(
    town_with: Callable[..., Town],
) -> None:
    town = town_with(merge="human")
    commit(town, {MAIN: "-r base.txt\n", "api/base.txt": town.pinned()})
    allow(town, "api/base.txt")
    await town.publish("0.1.0")
    await town.run()
    assert town.release("0.1.0").code == "waiting_for_reviewer"
    head = f"refs/heads/{BRANCH}"
    assert "-r base.txt\n" == read(town, MAIN, head)
    assert (DIGEST,) == pins.find(read(town, "api/base.txt", head), PACKAGE).hashes


@pytest.mark.parametrize(
    ("also", "code", "said"),
    [
        ((), "pin_elsewhere", f"line 2 of {MAIN} takes base.txt"),
        (("api/gone.in",), "no_requirements_file", "api/gone.in is not on main"),
    ],
)
async def test_a_file_that_is_not_allowed_or_not_there_is_named(
    town: Town, also: tuple[str, ...], code: str, said: str
) -> None:
    commit(town, {MAIN: "# all\n-r base.txt\n", "api/base.txt": town.pinned()})
    allow(town, *also)
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.FAILED, code)
    assert said in release.sentence
    assert town.github.pulls == {}


async def test_two_commits_are_not_merged_though_together_they_are_our_change(town: Town) -> None:
    """The count of files is right, and so is the last text; what lies between is not ours."""
    ours = pins.bump(town.pinned(), PACKAGE, "0.1.0", [DIGEST])
    town.github.commit(BRANCH, {MAIN: b"evil==1\n"}, "Nothing", "mallory")
    town.github.commit(BRANCH, {MAIN: ours.encode()}, "Bump", "mallory")
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.PROPOSED, "somebody_pushed")
    assert town.mutations("mergePullRequest") == 0


async def test_half_of_our_change_is_neither_adopted_nor_merged(town: Town) -> None:
    commit(town, {SOURCE: f"{PACKAGE}==0.0.0\n"})
    allow(town, SOURCE)
    ours = pins.bump(town.pinned(), PACKAGE, "0.1.0", [DIGEST])
    files = {MAIN: ours.encode(), "api/evil.txt": b"x"}
    town.github.commit(BRANCH, files, "Bump", "mallory")
    await town.publish("0.1.0")
    await town.run()
    release = town.release("0.1.0")
    assert (release.stage, release.code) == (Stage.CONFIRMED, "branch_in_use")
