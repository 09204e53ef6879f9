"""Nothing is proposed that cannot be installed: the step, GitHub, and uv with real indexes."""

import dataclasses
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path

import pytest

from bridge.errors import Reason, Refused, Unavailable
from bridge.facts import Facts, Moved
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.steps.propose import propose
from bridge.steps.world import Outcome, Wait
from tests.stories.town import PACKAGE, Town
from tests.uv_kit import Indexes, indexes, small

Propose = Callable[[str], Awaitable[Outcome]]


@pytest.fixture
async def shops(tmp_path: Path) -> AsyncIterator[Indexes]:
    """A private index with models that need more and more, and a public one."""
    private = [
        small("regression_model", "0.1.0", "numpy>=1"),
        small("regression_model", "0.1.1", "numpy>=2"),
        small("regression_model", "0.1.2", "numpy>=1", "idna"),
        small("regression_model", "0.1.3", "numpy>=9"),
    ]
    public = [small("numpy", "1.0"), small("numpy", "2.0"), small("idna", "3.0")]
    async with indexes(tmp_path, private, public) as both:
        yield both


def proposer(town: Town, shops: Indexes) -> Propose:
    """The step, for a confirmed version, with a resolver that asks the shops."""

    async def intend(reason: Reason) -> None:
        town.journal.append(reason.code)

    async def run(version: str) -> Outcome:
        file = f"regression_model-{version}-py3-none-any.whl"
        facts = Facts(digest=shops.private.digest(file), size=len(shops.private.files[file]))
        now, why = town.now, say("announced", package=PACKAGE, version=version, by="CI")
        release = Release(
            id=1,
            pipeline=town.pipeline.name,
            package=PACKAGE,
            version=version,
            canonical=version,
            app=town.pipeline.app,
            stage=Stage.CONFIRMED,
            code=why.code,
            sentence=why.sentence,
            since=now,
            created_at=now,
            facts=facts,
        )
        world = town.bridge.neighbours.world(town.pipeline, now=now, intend=intend)
        return await propose(release, dataclasses.replace(world, resolver=shops.resolver()))

    return run


def consumer(town: Town, shops: Indexes, files: dict[str, str] | None = None) -> None:
    """The consumer pins 0.1.0 and numpy 1.0, and runs on Python 3.13."""
    tree = {
        "api/requirements.txt": "# pinned\n--extra-index-url ${PIP_EXTRA_INDEX_URL}\n"
        + shops.hashed(f"{PACKAGE}==0.1.0", "numpy==1.0"),
        "api/.python-version": "3.13\n",
        **(files or {}),
    }
    town.github.commit("main", {p: t.encode() for p, t in tree.items()}, "Begin", "dana")


@pytest.fixture
async def resolving(tmp_path: Path, shops: Indexes) -> AsyncIterator[Town]:
    """A town that resolves before it proposes."""
    town = Town(tmp_path / "town", policy={"resolve": True})
    consumer(town, shops)
    yield town
    await town.close()


def with_strategy(town: Town, strategy: str) -> Town:
    town.pipeline = town.pipeline.model_copy(update={"strategy": strategy})
    return town


def the_pull(town: Town) -> tuple[str, str]:
    """The only pull request's text, and the file on its branch."""
    (pull,) = town.github.pulls.values()
    blob = town.github.git.read(f"{pull.head_ref}:api/requirements.txt")
    assert blob is not None
    return pull.body or "", blob[2].decode()


async def test_a_version_that_fits_is_proposed_and_the_reviewer_is_told_so(
    resolving: Town, shops: Indexes
) -> None:
    shops.private.add(small("regression_model", "0.1.4", "numpy>=1"))
    done = await proposer(resolving, shops)("0.1.4")
    assert "3.13" == done.learned["resolved_for"]
    assert 1 == done.learned["forecast_mb"]
    text, file = the_pull(resolving)
    assert "resolved beforehand for Python `3.13`, 1 MB of wheels" in text
    assert f"{PACKAGE}==0.1.4" in file
    assert ["Look", "Propose"] == [call.name for call in resolving.github.calls][:2]


async def test_a_conflict_is_found_before_anything_is_proposed(
    resolving: Town, shops: Indexes
) -> None:
    with pytest.raises(Refused) as refused:
        await proposer(resolving, shops)("0.1.1")
    assert "does_not_resolve" == refused.value.reason.code
    assert "regression-model==0.1.1 depends on numpy>=2" in refused.value.reason.sentence
    assert {} == resolving.github.pulls
    assert [] == resolving.journal


async def test_a_dependency_that_a_hashed_file_does_not_pin_is_a_conflict(
    resolving: Town, shops: Indexes
) -> None:
    with pytest.raises(Refused, match=r"it needs idna 3\.0, which the file does not pin"):
        await proposer(resolving, shops)("0.1.2")
    assert {} == resolving.github.pulls


async def test_an_index_that_is_down_delays_the_proposal_and_nothing_more(
    resolving: Town, shops: Indexes
) -> None:
    shops.public.status = 503
    shops.private.add(small("regression_model", "0.1.4", "numpy>=1"))
    with pytest.raises(Unavailable):
        await proposer(resolving, shops)("0.1.4")
    assert {} == resolving.github.pulls
    shops.public.status = 200
    await proposer(resolving, shops)("0.1.4")
    assert 1 == len(resolving.github.pulls)


@pytest.mark.parametrize(("size", "fits"), [(600_000_000, True), (1_100_000_000, False)])
async def test_only_what_is_certainly_too_big_is_refused(
    resolving: Town, shops: Indexes, size: int, fits: bool
) -> None:
    shops.private.add(small("regression_model", "0.1.4", "numpy>=1"))
    shops.public.sizes["numpy-1.0-py3-none-any.whl"] = size
    if fits:
        assert 601 == (await proposer(resolving, shops)("0.1.4")).learned["forecast_mb"]
    else:
        with pytest.raises(Refused) as refused:
            await proposer(resolving, shops)("0.1.4")
        assert "too_big" == refused.value.reason.code
        assert {} == resolving.github.pulls


async def test_a_consumer_that_uv_cannot_read_says_so_and_the_reviewer_is_told(
    resolving: Town, shops: Indexes
) -> None:
    town = resolving
    text = shops.hashed(f"{PACKAGE}==0.1.0") + "-r more.txt\n"
    consumer(town, shops, {"api/requirements.txt": text})
    with pytest.raises(Refused) as refused:
        await proposer(town, shops)("0.1.1")
    assert "not_resolvable" == refused.value.reason.code
    policy = town.pipeline.policy.model_copy(update={"resolve": False})
    town.pipeline = town.pipeline.model_copy(update={"policy": policy})
    await proposer(town, shops)("0.1.1")
    assert "not resolved beforehand" in the_pull(town)[0]


@pytest.mark.parametrize(("numpy", "fits"), [("1.0", True), ("2.0", False)])
async def test_files_that_the_consumer_takes_are_resolved_with_it(
    resolving: Town, shops: Indexes, numpy: str, fits: bool
) -> None:
    also = ["api/more.txt", "api/limits.txt"]
    resolving.pipeline = resolving.pipeline.model_copy(update={"also": also})
    text = shops.hashed(f"{PACKAGE}==0.1.0") + "-r more.txt\n-c limits.txt\n"
    more = {"api/more.txt": shops.hashed(f"numpy=={numpy}"), "api/limits.txt": "numpy<2\n"}
    consumer(resolving, shops, {"api/requirements.txt": text, **more})
    shops.private.add(small("regression_model", "0.1.4", "numpy>=1"))
    if fits:
        assert "3.13" == (await proposer(resolving, shops)("0.1.4")).learned["resolved_for"]
        return
    with pytest.raises(Refused, match=r"numpy<2") as refused:
        await proposer(resolving, shops)("0.1.4")
    assert "does_not_resolve" == refused.value.reason.code


async def test_compile_moves_what_must_move_and_lists_it(resolving: Town, shops: Indexes) -> None:
    consumer(with_strategy(resolving, "compile"), shops, {"api/requirements.in": f"{PACKAGE}\n"})
    shops.public.add(small("idna", "4.0"))
    done = await proposer(resolving, shops)("0.1.1")
    assert [Moved(name="numpy", old="1.0", new="2.0")] == done.learned["moved"]
    text, file = the_pull(resolving)
    assert "**Also moved in the file**: `numpy` `1.0` → `2.0`" in text
    assert file.startswith("# pinned\n--extra-index-url ${PIP_EXTRA_INDEX_URL}\nnumpy==2.0 ")
    assert f"{PACKAGE}==0.1.1" in file
    assert 2 == file.count("--hash=sha256:")


async def test_compile_leaves_a_file_alone_that_fits_as_it_is(
    resolving: Town, shops: Indexes
) -> None:
    consumer(with_strategy(resolving, "compile"), shops, {"api/requirements.in": f"{PACKAGE}\n"})
    shops.private.add(small("regression_model", "0.1.4", "numpy>=1"))
    done = await proposer(resolving, shops)("0.1.4")
    assert [] == done.learned["moved"]
    assert "numpy==1.0" in the_pull(resolving)[1]


async def test_compile_finds_its_own_proposal_again_although_the_world_went_on(
    resolving: Town, shops: Indexes
) -> None:
    consumer(
        with_strategy(resolving, "compile"), shops, {"api/requirements.in": f"{PACKAGE}\nidna\n"}
    )
    first = await proposer(resolving, shops)("0.1.1")
    shops.public.add(small("idna", "4.0"), small("numpy", "3.0"))
    again = await proposer(resolving, shops)("0.1.1")
    assert not isinstance(again, Wait)
    assert "adopted" == again.because.code
    assert first.learned["moved"] == again.learned["moved"]
    assert 1 == len(resolving.github.pulls)


@pytest.mark.parametrize(
    ("version", "files", "code", "words"),
    [
        ("0.1.1", {}, "no_source", "no api/requirements.in on main"),
        ("0.1.3", {"api/requirements.in": f"{PACKAGE}\n"}, "does_not_resolve", "numpy>=9"),
        (
            "0.1.1",
            {"api/requirements.in": f"{PACKAGE}\nnumpy<2\n"},
            "does_not_resolve",
            "numpy<2",
        ),
    ],
)
async def test_what_cannot_be_compiled_is_refused(
    resolving: Town, shops: Indexes, version: str, files: dict[str, str], code: str, words: str
) -> None:
    consumer(with_strategy(resolving, "compile"), shops, files)
    with pytest.raises(Refused) as refused:
        await proposer(resolving, shops)(version)
    assert code == refused.value.reason.code
    assert words in refused.value.reason.sentence
    assert {} == resolving.github.pulls
