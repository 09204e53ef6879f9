"""Uploading to a real server: what goes there, and what is compared instead of replaced."""

import base64
import logging
from pathlib import Path

import pytest
from neighbours import Neighbours
from publish import dist
from publish.errors import NotPublished
from publishing import DUPLICATE, READ_TOKEN, TOKEN, environment, listing, run


def test_every_file_is_uploaded_with_the_token_in_the_header(
    town: Neighbours, project: Path, built: list[dist.File]
) -> None:
    run(project, built, environment(town))

    uploads = town.asked("/acme/")
    assert len(uploads) == 2
    for upload, file in zip(uploads, built, strict=True):
        assert upload.form() == {"package": (file.path.name, file.path.read_bytes())}
        assert upload.headers["accept"] == "application/json"
        expected = base64.b64encode(f"{TOKEN}:".encode()).decode()
        assert upload.headers["authorization"] == f"Basic {expected}"


@pytest.mark.parametrize("userinfo", ["{token}", "{token}:", "somebody:{token}"])
def test_a_token_in_the_address_goes_into_the_header(
    town: Neighbours, project: Path, built: list[dist.File], userinfo: str
) -> None:
    address = town.url.replace("//", f"//{userinfo.format(token=TOKEN)}@") + "/acme/"

    run(project, built, environment(town, GEMFURY_PUSH_URL=address, GEMFURY_PUSH_TOKEN=""))

    sent = town.asked("/acme/")[0].headers["authorization"].removeprefix("Basic ")
    assert base64.b64decode(sent).decode() == f"{TOKEN}:"


@pytest.mark.parametrize("status", [200, 400, 409])
def test_the_same_file_uploaded_again_is_success(
    town: Neighbours,
    project: Path,
    built: list[dist.File],
    capsys: pytest.CaptureFixture[str],
    status: int,
) -> None:
    town.upload = (status, DUPLICATE)
    town.listing = (200, listing(built))

    run(project, built, environment(town))

    assert capsys.readouterr().out.count("already there") == 2
    read = town.asked("/simple/regression-model/")[0].headers["authorization"]
    assert base64.b64decode(read.removeprefix("Basic ")).decode() == f"{READ_TOKEN}:"
    assert len(town.asked("/webhooks/publisher")) == 1


@pytest.mark.parametrize(
    ("digest", "listing_status", "read_url", "said"),
    [
        ("f" * 64, 200, True, "another content"),
        ("", 200, True, "digest is unknown"),
        (None, 404, True, "digest is unknown"),
        (None, 200, False, "digest is unknown"),
    ],
)
def test_another_or_an_unknown_file_is_never_replaced(
    town: Neighbours,
    project: Path,
    built: list[dist.File],
    digest: str | None,
    listing_status: int,
    read_url: bool,
    said: str,
) -> None:
    town.upload = (409, DUPLICATE)
    page = listing(built, digest) if digest != "" else listing(built).replace("sha256", "md5")
    town.listing = (listing_status, page)
    words = environment(town)
    if not read_url:
        del words["PIP_EXTRA_INDEX_URL"]

    with pytest.raises(NotPublished, match=said):
        run(project, built, words)

    assert town.asked("/webhooks/publisher") == []


@pytest.mark.parametrize("status", [302, 400, 401, 403, 413, 500, 503])
def test_any_other_answer_is_a_failure_which_shows_no_token(
    town: Neighbours, project: Path, built: list[dist.File], status: int
) -> None:
    town.upload = (status, f"no, {TOKEN}, because")

    with pytest.raises(NotPublished, match=f"answered {status}.* no, \\*\\*\\*, because") as failed:
        run(project, built, environment(town))

    assert TOKEN not in str(failed.value)
    assert len(town.requests) == 1


def test_an_index_that_does_not_answer_is_a_failure(
    project: Path, built: list[dist.File], town: Neighbours
) -> None:
    closed = environment(town, GEMFURY_PUSH_URL="http://127.0.0.1:9/acme/")

    with pytest.raises(NotPublished, match="does not answer"):
        run(project, built, closed)


def test_no_log_line_shows_a_token(
    town: Neighbours,
    project: Path,
    built: list[dist.File],
    caplog: pytest.LogCaptureFixture,
) -> None:
    address = town.url.replace("//", f"//{TOKEN}@") + "/acme/"
    caplog.set_level(logging.DEBUG)
    town.upload = (409, DUPLICATE)
    town.listing = (200, listing(built))

    run(project, built, environment(town, GEMFURY_PUSH_URL=address))

    assert "/acme/" in caplog.text  # the library does log addresses
    assert TOKEN not in caplog.text
    assert READ_TOKEN not in caplog.text
