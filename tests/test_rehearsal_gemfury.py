"""The rehearsal's package index: what it takes, whom it lets in, and what installers make of it."""

import asyncio
import sys
from pathlib import Path

import httpx
import pytest
import uv

from bridge.rehearsal.gate import Call, Fault
from bridge.rehearsal.gemfury import Gemfury
from bridge.rehearsal.gemfury.page import JSON_TYPE, Link, as_json, links, prefers_json
from tests.rehearsal_kit import served, sha256, wheel

PUSH, READ = "push-made-up", "read-made-up"
NAME, WHEEL = wheel("tiny_pkg", "1.0", {"tiny_pkg.py": b"VALUE = 42\n"})
NEXT_NAME, NEXT_WHEEL = wheel("tiny_pkg", "1.1", {"tiny_pkg.py": b"VALUE = 43\n"})
UPLOAD = {"package": (NAME, WHEEL)}


@pytest.fixture
def gemfury(tmp_path: Path) -> Gemfury:
    return Gemfury(tmp_path / "index", account="acme", push_token=PUSH, read_token=READ)


def caller(gemfury: Gemfury, user: str = READ, password: str = "") -> httpx.AsyncClient:
    transport = httpx.ASGITransport(gemfury.app)
    auth = httpx.BasicAuth(user, password)
    return httpx.AsyncClient(transport=transport, base_url="http://index.test", auth=auth)


async def push(gemfury: Gemfury, name: str, data: bytes, **headers: str) -> httpx.Response:
    async with caller(gemfury, PUSH) as ci:
        return await ci.post("/push/acme/", files={"package": (name, data)}, headers=headers)


async def test_an_upload_is_listed_with_its_digest_and_can_be_fetched(gemfury: Gemfury) -> None:
    assert (await push(gemfury, NAME, WHEEL)).status_code == 200
    async with caller(gemfury) as reader:
        page = await reader.get("/acme/tiny-pkg/")
        [link] = links(page.text)
        fetched = await reader.get(str(page.url.join(link.url)))
    assert (NAME, f"sha256={sha256(WHEEL)}") == (link.filename, link.digest)
    assert fetched.content == WHEEL
    assert gemfury.files() == {NAME: sha256(WHEEL)}
    assert [call.operation for call in gemfury.calls] == ["push", "page", "file"]


async def test_any_field_name_and_a_bearer_token_will_do(gemfury: Gemfury) -> None:
    transport = httpx.ASGITransport(gemfury.app)
    async with httpx.AsyncClient(transport=transport, base_url=gemfury.push_url) as ci:
        bearer = {"Authorization": f"Bearer {PUSH}"}
        answer = await ci.post("", files={"whatever": (NAME, WHEEL)}, headers=bearer)
    assert answer.text == f"~~> Processing package upload\n{NAME} … ok"


async def test_a_version_is_taken_once(gemfury: Gemfury) -> None:
    await push(gemfury, NAME, WHEEL)
    again = await push(gemfury, NAME, b"other bytes", accept="application/json")
    assert again.status_code == 409
    error = {"type": "DupeVersion", "message": "Version already exists"}
    said = {"errors": {"base": "Version already exists"}, "error": error}
    assert again.json() == [{"UploadResult": said}]
    assert gemfury.files() == {NAME: sha256(WHEEL)}
    plain = await push(gemfury, NAME, WHEEL)
    assert plain.status_code == 409
    assert "DupeVersion" in plain.text


@pytest.mark.parametrize("name", ["tiny.txt", "../up-1.0.tar.gz", "tiny-1.0-py3-none-a/b.whl", ""])
async def test_what_is_no_package_is_refused(gemfury: Gemfury, name: str) -> None:
    assert (await push(gemfury, name, b"x")).status_code == 400
    assert gemfury.files() == {}
    assert list(gemfury.folder.parent.iterdir()) == [gemfury.folder]


@pytest.mark.parametrize(
    ("user", "password", "status"),
    [
        (READ, "", 200),
        (READ, "ignored", 200),
        ("acme", READ, 200),
        ("stranger", READ, 401),
        (PUSH, "", 401),
        ("", "", 401),
    ],
)
async def test_only_the_read_token_reads(
    gemfury: Gemfury, user: str, password: str, status: int
) -> None:
    await push(gemfury, NAME, WHEEL)
    async with caller(gemfury, user, password) as reader:
        page = await reader.get("/acme/tiny-pkg/")
        file = await reader.get(f"/acme/packages/{NAME}")
    assert (page.status_code, file.status_code) == (status, status)
    assert ("www-authenticate" in page.headers) is (status == 401)


async def test_only_the_push_token_pushes(gemfury: Gemfury) -> None:
    async with caller(gemfury, READ) as reader:
        assert (await reader.post("/push/acme/", files=UPLOAD)).status_code == 401
    async with httpx.AsyncClient(transport=httpx.ASGITransport(gemfury.app)) as nobody:
        assert (await nobody.post(gemfury.push_url, files=UPLOAD)).status_code == 401
    assert gemfury.files() == {}


async def test_an_unknown_package_is_not_looked_for_elsewhere(gemfury: Gemfury) -> None:
    async with caller(gemfury) as reader:
        answer = await reader.get("/acme/other/")
    assert answer.status_code == 404
    assert "location" not in answer.headers


async def test_the_page_says_the_same_in_json(gemfury: Gemfury) -> None:
    await push(gemfury, NAME, WHEEL)
    async with caller(gemfury) as reader:
        answer = await reader.get("/acme/Tiny.Pkg/", headers={"accept": JSON_TYPE})
        [file] = answer.json()["files"]
        fetched = await reader.get(str(answer.url.join(file["url"])))
    assert answer.headers["content-type"] == JSON_TYPE
    assert (answer.json()["name"], answer.json()["meta"]) == ("tiny-pkg", {"api-version": "1.0"})
    assert file["filename"] == NAME
    assert file["hashes"] == {"sha256": sha256(WHEEL)}
    assert file["yanked"] is False
    assert fetched.content == WHEEL


def test_a_yanked_file_stays_yanked_in_json() -> None:
    page = '<a href="/f/a-1.whl#sha256=00" data-yanked="broken">a-1.whl</a><br>'
    assert links(page) == [Link("a-1.whl", "/f/a-1.whl", "sha256=00", "broken")]
    [file] = [as_json("a", links(page))["files"]]
    assert file == [
        {"filename": "a-1.whl", "url": "/f/a-1.whl", "hashes": {"sha256": "00"}, "yanked": "broken"}
    ]


@pytest.mark.parametrize(
    ("accept", "json"),
    [
        (f"{JSON_TYPE}, text/html; q=0.01", True),
        (JSON_TYPE, True),
        (f"{JSON_TYPE};q=0.1, text/html", False),
        (f"{JSON_TYPE}, */*", False),
        ("text/html", False),
        ("*/*", False),
        ("", False),
    ],
)
def test_json_is_for_those_who_prefer_it(accept: str, json: bool) -> None:
    assert prefers_json(accept) is json


async def test_a_hidden_file_comes_to_light_later(gemfury: Gemfury) -> None:
    gemfury.hidden.add(NEXT_NAME)
    await push(gemfury, NAME, WHEEL)
    await push(gemfury, NEXT_NAME, NEXT_WHEEL)
    async with caller(gemfury) as reader:
        early = await reader.get("/acme/tiny-pkg/")
        early_file = await reader.get(f"/acme/packages/{NEXT_NAME}")
        gemfury.hidden.clear()
        late = await reader.get("/acme/tiny-pkg/")
    assert [link.filename for link in links(early.text)] == [NAME]
    assert early_file.status_code == 404
    assert [link.filename for link in links(late.text)] == [NAME, NEXT_NAME]


async def test_a_file_can_be_replaced_behind_our_back(gemfury: Gemfury) -> None:
    await push(gemfury, NAME, WHEEL)
    gemfury.replace(NAME, b"other bytes")
    async with caller(gemfury) as reader:
        [link] = links((await reader.get("/acme/tiny-pkg/")).text)
    assert link.digest == f"sha256={sha256(b'other bytes')}"
    with pytest.raises(FileNotFoundError):
        gemfury.replace("never-1.0.tar.gz", b"")


async def test_the_index_may_be_down(gemfury: Gemfury) -> None:
    down = Fault("refuse", 503, {"error": "later"}, {"Retry-After": "7"})
    gemfury.before = lambda operation: down if operation == "page" else None
    async with caller(gemfury) as reader:
        answer = await reader.get("/acme/tiny-pkg/")
    assert (answer.status_code, answer.headers["retry-after"]) == (503, "7")
    assert gemfury.calls == [Call("page", "/acme/tiny-pkg/", 503)]


async def test_a_lost_reply_leaves_the_upload_done(gemfury: Gemfury) -> None:
    gemfury.before = lambda operation: Fault("lost_reply")
    with pytest.raises(httpx.TransportError):
        await push(gemfury, NAME, WHEEL)
    async with served(gemfury.app) as port, httpx.AsyncClient(auth=(PUSH, "")) as ci:
        with pytest.raises(httpx.TransportError):
            await ci.post(
                f"http://127.0.0.1:{port}/push/acme/", files={"f": (NEXT_NAME, NEXT_WHEEL)}
            )
    assert list(gemfury.files()) == [NAME, NEXT_NAME]


async def test_uv_and_pip_install_from_it(gemfury: Gemfury, tmp_path: Path) -> None:
    requirements = tmp_path / "requirements.txt"
    requirements.write_text(f"tiny-pkg==1.0 --hash=sha256:{sha256(WHEEL)}\n")
    await push(gemfury, NAME, WHEEL)
    async with served(gemfury.app) as port:
        index = f"http://{READ}@127.0.0.1:{port}/acme/"
        places = ("--index-url", index, "--extra-index-url", index, "-r", str(requirements))
        with_uv = ("--no-config", "--cache-dir", str(tmp_path / "cache"), "--require-hashes")
        await run(uv.find_uv_bin(), "pip", "install", *with_uv, *places, "--target", str(tmp_path))
        download = ("-m", "pip", "--isolated", "download", "--no-cache-dir", "--no-deps")
        await run(sys.executable, *download, *places, "--dest", str(tmp_path / "pip"))
    assert (tmp_path / "tiny_pkg.py").read_text() == "VALUE = 42\n"
    assert (tmp_path / "pip" / NAME).read_bytes() == WHEEL


async def test_a_stranger_takes_over_only_an_install_without_hashes(
    gemfury: Gemfury, tmp_path: Path
) -> None:
    """What the alarm `public_twin` warns of, with the installer that Heroku has."""
    public = Gemfury(tmp_path / "public", account="simple", push_token=PUSH, read_token=None)
    stranger, data = wheel("tiny_pkg", "99.0", {"tiny_pkg.py": b"VALUE = 666\n"})
    (public.folder / stranger).write_bytes(data)
    (public.folder / NAME).write_bytes(wheel("tiny_pkg", "1.0", {"tiny_pkg.py": b"evil = 1\n"})[1])
    await push(gemfury, NAME, WHEEL)
    hashed, bare = tmp_path / "hashed.txt", tmp_path / "bare.txt"
    hashed.write_text(f"tiny-pkg==1.0 --hash=sha256:{sha256(WHEEL)}\n")
    bare.write_text("tiny-pkg\n")
    async with served(gemfury.app) as port, served(public.app) as other:
        ours, theirs = f"http://{READ}@127.0.0.1:{port}/acme/", f"http://127.0.0.1:{other}/simple/"
        for file in (hashed, bare):
            download = ("-m", "pip", "--isolated", "download", "--no-cache-dir", "--no-deps")
            places = ("--index-url", theirs, "--extra-index-url", ours, "-r", str(file))
            await run(sys.executable, *download, *places, "--dest", str(tmp_path / file.stem))
    assert [WHEEL] == [path.read_bytes() for path in (tmp_path / "hashed").iterdir()]
    assert [stranger] == [path.name for path in (tmp_path / "bare").iterdir()]


async def test_a_yanked_file_says_why_in_both_forms(gemfury: Gemfury) -> None:
    await push(gemfury, NAME, WHEEL)
    gemfury.yanked[NAME] = 'it was "wrong"'
    async with caller(gemfury) as reader:
        page = await reader.get("/acme/tiny-pkg/")
        told = await reader.get("/acme/tiny-pkg/", headers={"accept": JSON_TYPE})
    assert ['it was "wrong"'] == [link.yanked for link in links(page.text)]
    assert ['it was "wrong"'] == [file["yanked"] for file in told.json()["files"]]


async def run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(
        *command, stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.STDOUT
    )
    output, _ = await process.communicate()
    assert process.returncode == 0, output.decode()
