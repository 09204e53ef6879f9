"""uv itself, asked about small indexes: what fits, what does not, and who does not answer."""

import asyncio
import os
import re
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from pydantic import SecretStr

from bridge.errors import Unavailable
from bridge.rehearsal.hosting import free_port
from bridge.uv.client import DoesNotResolve, Resolver
from tests.uv_kit import PYTHON, TOKEN, Indexes, environment, indexes, small, source

MODEL = "regression-model"


@pytest.fixture
async def around(tmp_path: Path) -> AsyncIterator[Indexes]:
    """A private index with models, and a public one with what they need and a stranger's model."""
    marker = f"open({str(tmp_path / 'executed')!r}, 'w')"
    private = [
        small("regression_model", "1.0", "numpy>=1"),
        small("regression_model", "1.1", "numpy>=2"),
        small("regression_model", "1.2", "nobody_has_this"),
        small("regression_model", "1.3", "from_tomorrow"),
        small("regression_model", "1.4", "for_windows"),
        small("regression_model", "1.5", "only_source"),
        small("regression_model", "1.6", tag="cp313-cp313-macosx_11_0_arm64"),
    ]
    public = [
        small("numpy", "1.0"),
        small("numpy", "2.0"),
        small("idna", "2.0"),
        small("regression_model", "99.0"),
        small("regression_model", "7.0"),
        small("from_tomorrow", "1.0", python=">=3.20"),
        small("for_windows", "1.0", tag="cp313-cp313-win_amd64"),
        source("only_source", "1.0", marker),
    ]
    async with indexes(tmp_path, private, public) as both:
        yield both


async def test_what_fits_is_told_with_its_digest_and_its_size(around: Indexes) -> None:
    found = await around.resolver().lock("regression-model==1.0\nnumpy==1.0\n", MODEL, PYTHON)
    assert [("numpy", "1.0"), (MODEL, "1.0")] == [(p.name, p.version) for p in found.packages]
    digests = {around.private.digest("regression_model-1.0-py3-none-any.whl")}
    assert digests == found.packages[1].hashes
    assert 1 == found.size_mb({})
    assert len(around.public.files["numpy-1.0-py3-none-any.whl"]) == found.packages[0].size


@pytest.mark.parametrize(
    ("requirements", "why"),
    [
        ("regression-model==1.1\nnumpy==1.0\n", "regression-model==1.1 depends on numpy>=2"),
        ("regression-model==1.2\n", "nobody-has-this was not found"),
        ("regression-model==1.3\n", "from-tomorrow==1.0 requires Python >=3.20"),
        ("regression-model==1.4\n", "for-windows==1.0 has no wheels with a matching platform"),
        ("regression-model==1.5\n", "only-source==1.0 has no usable wheels"),
        ("regression-model==1.6\n", "regression-model==1.6 has no wheels with a matching"),
        ("regression-model==1.0\nnumpy==3.0\n", "there is no version of numpy==3.0"),
    ],
)
async def test_what_does_not_fit_is_explained_by_uv(
    around: Indexes, requirements: str, why: str, tmp_path: Path
) -> None:
    with pytest.raises(DoesNotResolve, match=why) as explained:
        await around.resolver().lock(requirements, MODEL, PYTHON)
    assert "\n" not in str(explained.value)
    assert not re.search("error:|cause:|hint:", str(explained.value))
    assert not (tmp_path / "executed").exists()


async def test_a_strangers_version_on_the_public_index_is_never_looked_at(around: Indexes) -> None:
    found = await around.resolver().lock("regression-model\n", MODEL, PYTHON)
    assert [(MODEL, "1.5")] != [(p.name, p.version) for p in found.packages]
    assert "99.0" not in {p.version for p in found.packages}
    assert MODEL not in around.public.asked


@pytest.mark.parametrize("status", [401, 403, 429, 500, 503])
@pytest.mark.parametrize("which", ["private", "public"])
async def test_an_index_without_an_answer_is_asked_again_later(
    around: Indexes, which: str, status: int
) -> None:
    index = around.private if which == "private" else around.public
    index.status = status
    with pytest.raises(Unavailable):
        await around.resolver().lock("regression-model==1.0\n", MODEL, PYTHON)
    assert index.asked


async def test_a_wrong_token_is_no_conflict_and_is_not_told(around: Indexes) -> None:
    with pytest.raises(Unavailable, match="401") as told:
        await around.resolver(token="made-up-wrong-token").lock(
            "regression-model==1.0\n", MODEL, PYTHON
        )
    assert "made-up-wrong-token" not in str(told.value)


async def test_a_version_that_the_index_does_not_show_yet_is_waited_for(around: Indexes) -> None:
    with pytest.raises(Unavailable, match="does not show"):
        await around.resolver().lock("regression-model==7.0\n", MODEL, PYTHON)


async def test_an_index_that_is_down_is_asked_again_later(around: Indexes) -> None:
    nobody = f"http://127.0.0.1:{free_port()}/"
    with pytest.raises(Unavailable, match="Failed to fetch"):
        await around.resolver(private_url=nobody).lock("regression-model==1.0\n", MODEL, PYTHON)


async def test_an_index_that_hangs_costs_no_more_than_the_deadline(around: Indexes) -> None:
    around.private.goes_on.clear()
    with pytest.raises(Unavailable, match="within 1 s"):
        await around.resolver(within=1).lock("regression-model==1.0\n", MODEL, PYTHON)
    around.private.goes_on.set()


async def test_a_new_version_is_seen_although_the_page_was_cached(around: Indexes) -> None:
    resolver = around.resolver()
    await resolver.lock("regression-model==1.0\n", MODEL, PYTHON)
    around.private.add(small("regression_model", "2.0"))
    found = await resolver.lock("regression-model==2.0\n", MODEL, PYTHON)
    assert ["2.0"] == [package.version for package in found.packages]


async def test_a_file_is_compiled_anew_and_only_what_must_move_moves(around: Indexes) -> None:
    around.public.add(small("idna", "3.0"), small("idna", "4.0"))
    text = await around.resolver().compile(
        "regression-model\nidna\n",
        "regression-model==1.1",
        "regression-model==1.1\nnumpy==1.0\nidna==3.0\n",
        PYTHON,
        universal=False,
        annotate=False,
    )
    pins = [line.removesuffix(" \\") for line in text.splitlines() if "==" in line]
    assert ["idna==3.0", "numpy==2.0", "regression-model==1.1"] == pins
    assert 3 == text.count("--hash=sha256:")


@pytest.mark.parametrize("universal", [True, False])
async def test_a_file_for_every_platform_stays_one(around: Indexes, universal: bool) -> None:
    text = await around.resolver().compile(
        "regression-model\nidna; sys_platform == 'win32'\n",
        "regression-model==1.0",
        "",
        PYTHON,
        universal=universal,
        annotate=False,
    )
    assert universal == ("sys_platform == 'win32'" in text)


def probe(folder: Path, does: str) -> Path:
    """A program in uv's place, which writes down how it was called."""
    script = folder / "probe"
    script.write_text(
        f'#!/bin/sh\necho "$@" > {folder}/argv\nls > {folder}/names\n'
        f"cat * > {folder}/files\n{does}\n"
    )
    script.chmod(0o700)
    return script


async def ask(script: Path, within: float = 30) -> str:
    """The bad news of a resolver that runs `script` with the token."""
    environ = environment(script.parent, PATH=os.environ["PATH"], MADE_UP_SECRET="not for uv")
    resolver = Resolver(
        "http://index.test/",
        SecretStr(TOKEN),
        environ=environ,
        within=within,
        find=lambda: str(script),
    )
    with pytest.raises(Unavailable) as told:
        await resolver.lock("regression-model==1.0\n", MODEL, PYTHON)
    return str(told.value)


async def test_the_token_is_in_no_argument_no_file_and_no_message(tmp_path: Path) -> None:
    script = probe(tmp_path, f'env > {tmp_path}/env; echo "error: at {TOKEN}" >&2; exit 2')
    assert "uv could not resolve (error: at …)" == await ask(script)
    assert TOKEN not in (tmp_path / "argv").read_text() + (tmp_path / "files").read_text()
    assert "uv.toml" in (tmp_path / "names").read_text()
    environ = (tmp_path / "env").read_text()
    assert f"UV_INDEX_BRIDGE_USERNAME={TOKEN}\n" in environ
    assert "MADE_UP_SECRET" not in environ


@pytest.mark.parametrize(
    ("setting", "environ", "expected"),
    [
        ("http://a/", {"UV_DEFAULT_INDEX": "http://b/", "PIP_INDEX_URL": "http://c/"}, "http://a/"),
        (None, {"UV_DEFAULT_INDEX": "http://b/", "PIP_INDEX_URL": "http://c/"}, "http://b/"),
        (None, {"UV_INDEX_URL": "http://b/", "PIP_INDEX_URL": "http://c/"}, "http://b/"),
        (None, {"PIP_INDEX_URL": "http://c/"}, "http://c/"),
        (None, {}, ""),
    ],
)
async def test_the_public_index_is_the_one_that_is_set_or_the_machines_own(
    tmp_path: Path, setting: str | None, environ: dict[str, str], expected: str
) -> None:
    script = probe(tmp_path, f'echo "$UV_DEFAULT_INDEX" > {tmp_path}/public; exit 2')
    everything = environment(tmp_path, PATH=os.environ["PATH"], **environ)
    resolver = Resolver("http://x/", None, setting, environ=everything, find=lambda: str(script))
    with pytest.raises(Unavailable):
        await resolver.lock("", MODEL, PYTHON)
    assert expected == (tmp_path / "public").read_text().strip()


async def test_an_address_is_quoted_without_user_and_password(tmp_path: Path) -> None:
    script = probe(tmp_path, "echo 'error: http://made-up:secret@index.test/' >&2; exit 2")
    assert "uv could not resolve (error: http://…@index.test/)" == await ask(script)


async def test_a_flood_of_words_is_cut(tmp_path: Path) -> None:
    script = probe(tmp_path, "head -c 3000000 /dev/zero | tr '\\0' x >&2; exit 2")
    assert len(await ask(script)) < 1000


async def test_a_process_that_does_not_end_is_ended_with_its_children(tmp_path: Path) -> None:
    script = probe(tmp_path, f"sleep 60 & echo $! > {tmp_path}/child; wait")
    async with asyncio.timeout(20):
        assert "within" in await ask(script, within=0.5)
    child = Path("/proc") / (tmp_path / "child").read_text().strip() / "stat"
    assert not child.exists() or ") Z " in child.read_text()


async def test_without_uv_nothing_is_proposed(tmp_path: Path) -> None:
    assert "uv cannot be run (FileNotFoundError)" == await ask(tmp_path / "nothing")


async def test_a_lock_that_cannot_be_read_is_no_answer(tmp_path: Path) -> None:
    script = probe(tmp_path, "echo 'packages = 1' > pylock.toml")
    assert "uv wrote a lock that cannot be read" == await ask(script)
    assert "uv wrote nothing, or too much" == await ask(probe(tmp_path, "true"))
