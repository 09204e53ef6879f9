"""The index: both shapes of its pages, the token only to its own host, no guess about a digest."""

import base64

import httpx
import pytest
from packaging.version import Version
from pydantic import JsonValue

from bridge.errors import Unavailable
from bridge.index.client import Index, IndexFile
from tests.bridge_kit import Street

ROOT = "https://index.test/acme/"
PAGE = f"{ROOT}regression-model/"
WHEEL = "regression_model-0.1.1-py3-none-any.whl"
SHA = "a" * 64
JSON = "application/vnd.pypi.simple.v1+json"


class Shop(Street):
    """An index behind a read token."""

    def __init__(self, root: str = ROOT) -> None:
        super().__init__(root, ("made-up-token", ""))
        self.index = Index(self.door, root)

    async def lists(self, answer: httpx.Response) -> list[IndexFile]:
        self.router.get(PAGE).mock(return_value=answer)
        return await self.index.files("Regression_Model")


@pytest.fixture
def shop() -> Shop:
    return Shop()


def page(*files: dict[str, JsonValue]) -> httpx.Response:
    body: dict[str, JsonValue] = {
        "meta": {"api-version": "1.1"},
        "name": "regression-model",
        "files": [*files],
    }
    return httpx.Response(200, json=body, headers={"content-type": JSON})


def html(*anchors: str, kind: str = "text/html; charset=utf-8") -> httpx.Response:
    text = "<!doctype html><html><body>" + "<br>\n".join(anchors) + "</body></html>"
    return httpx.Response(200, text=text, headers={"content-type": kind})


async def test_a_json_page_is_read(shop: Shop) -> None:
    address = "../../files/" + WHEEL
    (file,) = await shop.lists(
        page({"filename": WHEEL, "url": address, "hashes": {"sha256": SHA}, "size": 9})
    )
    there = f"https://index.test/files/{WHEEL}"
    assert IndexFile(WHEEL, there, f"sha256:{SHA}", size=9) == file
    assert Version("0.1.1") == file.version("regression-model")
    asked = shop.asked[0]
    assert PAGE == str(asked.url)
    assert "Basic " + base64.b64encode(b"made-up-token:").decode() == asked.headers["authorization"]
    assert asked.headers["accept"].startswith(JSON)
    assert "no-cache" == asked.headers["cache-control"]


@pytest.mark.parametrize("kind", ["text/html", "application/vnd.pypi.simple.v1+html"])
@pytest.mark.parametrize(
    ("href", "url"),
    [
        (WHEEL, f"{PAGE}{WHEEL}"),
        (f"/-/ver_1/{WHEEL}", f"https://index.test/-/ver_1/{WHEEL}"),
        (f"../{WHEEL}", f"{ROOT}{WHEEL}"),
        (f"https://cdn.test/x/{WHEEL}?a=1&amp;b=2", f"https://cdn.test/x/{WHEEL}?a=1&b=2"),
        (f"//cdn.test/{WHEEL}", f"https://cdn.test/{WHEEL}"),
    ],
)
async def test_an_html_page_is_read(shop: Shop, kind: str, href: str, url: str) -> None:
    anchor = f'<a href="{href}#sha256={SHA}" data-requires-python="&gt;=3.11">{WHEEL}</a>'
    assert [IndexFile(WHEEL, url, f"sha256:{SHA}")] == await shop.lists(html(anchor, kind=kind))


@pytest.mark.parametrize(
    "fragment",
    [
        "",
        "#md5=0123456789abcdef0123456789abcdef",
        "#sha256=short",
        f"#sha256={'a' * 65}",
        f"#notsha256={'a' * 64}",
        "#egg=x",
    ],
)
async def test_without_a_sha256_the_digest_is_unknown(shop: Shop, fragment: str) -> None:
    (file,) = await shop.lists(html(f'<a href="{WHEEL}{fragment}">x</a>'))
    assert (f"{PAGE}{WHEEL}", None) == (file.url, file.digest)
    (file,) = await shop.lists(page({"filename": WHEEL, "url": WHEEL, "hashes": {"md5": "0"}}))
    assert file.digest is None


@pytest.mark.parametrize(
    ("attribute", "value", "yanked"),
    [
        ("", False, None),
        (' data-yanked="broken &amp; bad"', "broken & bad", "broken & bad"),
        (' data-yanked=""', True, "no reason given"),
        (" data-yanked", True, "no reason given"),
    ],
)
async def test_a_yanked_file_says_why(
    shop: Shop, attribute: str, value: str | bool, yanked: str | None
) -> None:
    (file,) = await shop.lists(html(f'<a href="{WHEEL}"{attribute}>{WHEEL}</a>'))
    assert yanked == file.yanked
    (file,) = await shop.lists(page({"filename": WHEEL, "url": WHEEL, "yanked": value}))
    assert yanked == file.yanked


async def test_an_escaped_name_is_read(shop: Shop) -> None:
    name = "regression_model-0.1.1+cpu-py3-none-any.whl"
    (file,) = await shop.lists(html(f'<a href="{name.replace("+", "%2B")}">x</a>'))
    assert name == file.name
    assert Version("0.1.1+cpu") == file.version("regression-model")


@pytest.mark.parametrize(
    "name",
    [
        "regression_model-0.1.1.tar.gz",
        "numpy-1-py3-none-any.whl",
        f"regression_model-{'9' * 5000}-py3-none-any.whl",
        "x",
    ],
)
def test_another_file_is_no_wheel_of_the_package(name: str) -> None:
    assert IndexFile(name, "u").version("regression-model") is None


async def test_what_newer_indexes_tell_is_read(shop: Shop) -> None:
    file: dict[str, JsonValue] = {
        "filename": WHEEL,
        "url": WHEEL,
        "hashes": {"sha256": SHA.upper(), "blake2b": "0"},
        "size": 9,
        "upload-time": "2026-11-23T09:00:00.123456Z",
        "provenance": None,
        "core-metadata": {"sha256": SHA},
    }
    body: dict[str, JsonValue] = {
        "meta": {"api-version": "1.4", "tracks": []},
        "files": [file],
        "versions": ["0.1.1"],
        "project-status": {"status": "quarantined", "reason": "malware"},
    }
    answer = httpx.Response(200, json=body, headers={"content-type": JSON})
    shop.router.get(PAGE).mock(return_value=answer)
    listing = await shop.index.listing("regression-model")
    assert ("quarantined", "malware") == (listing.status, listing.why)
    (told,) = listing.files
    assert (9, "2026-11-23T09:00:00.123456Z") == (told.size, told.uploaded)
    assert f"sha256:{SHA}" == told.digest


async def test_a_page_of_html_may_have_a_base_and_a_status(shop: Shop) -> None:
    head = (
        '<base href="https://cdn.test/all/"><base href="/other/">'
        '<meta name="pypi:repository-version" content="1.4">'
        '<meta name="pypi:project-status" content="archived">'
        '<meta name="pypi:project-status-reason" content="no longer &amp; never">'
    )
    shop.router.get(PAGE).mock(return_value=html(head, f'<a href="x/{WHEEL}#sha256={SHA}">x</a>'))
    listing = await shop.index.listing("regression-model")
    assert (IndexFile(WHEEL, f"https://cdn.test/all/x/{WHEEL}", f"sha256:{SHA}"),) == listing.files
    assert ("archived", "no longer & never") == (listing.status, listing.why)


@pytest.mark.parametrize("kind", ["json", "html"])
async def test_an_index_of_another_major_version_is_not_guessed_at(shop: Shop, kind: str) -> None:
    told = {"meta": {"api-version": "2.0"}, "files": []}
    answer = httpx.Response(200, json=told, headers={"content-type": JSON})
    if kind == "html":
        answer = html('<meta name="pypi:repository-version" content="2.0">')
    with pytest.raises(Unavailable):
        await shop.lists(answer)


def test_a_source_distribution_is_known_by_its_name() -> None:
    assert Version("1.0") == IndexFile("regression_model-1.0.tar.gz", "u").source_of(
        "Regression.Model"
    )
    for name in ("numpy-1.0.tar.gz", WHEEL, "regression_model-x.tar.gz", "x"):
        assert IndexFile(name, "u").source_of("regression-model") is None


async def test_an_unknown_package_has_no_files(shop: Shop) -> None:
    assert [] == await shop.lists(httpx.Response(404))
    assert [] == await shop.lists(html())


@pytest.mark.parametrize(
    "answer",
    [
        httpx.Response(401, text="Unauthorized"),
        httpx.Response(403, json={"error": "forbidden"}),
        httpx.Response(503),
        httpx.Response(302, headers={"location": "https://evil.test/"}),
        httpx.Response(200, text="{", headers={"content-type": JSON}),
        httpx.Response(200, json=[], headers={"content-type": JSON}),
        httpx.Response(200, json={"files": [{"url": "x"}]}, headers={"content-type": JSON}),
        httpx.Response(200, content=b"\0\1", headers={"content-type": "application/octet-stream"}),
        httpx.Response(200, text="maintenance", headers={"content-type": "text/plain"}),
        html('<a href="https://[broken/x.whl">x</a>'),
    ],
)
async def test_a_page_that_cannot_be_read_is_unavailable(
    shop: Shop, answer: httpx.Response
) -> None:
    """It is not an empty page: after half an hour that would end a release."""
    with pytest.raises(Unavailable) as told:
        await shop.lists(answer)
    assert "made-up-token" not in str(told.value)


@pytest.mark.parametrize(
    ("url", "told"),
    [
        (f"https://index.test/-/{WHEEL}", True),
        (f"https://cdn.test/{WHEEL}", False),
        (f"https://evil.test/index.test/{WHEEL}", False),
        (f"https://index.test.evil.test/{WHEEL}", False),
        (f"https://index.test:8443/{WHEEL}", False),
    ],
)
async def test_the_token_goes_only_to_the_index_itself(shop: Shop, url: str, told: bool) -> None:
    shop.router.route().respond(200, content=b"whl")
    assert b"whl" == await shop.index.download(IndexFile(WHEEL, url))
    sent = shop.asked[0].headers.get("authorization", "")
    secret = base64.b64encode(b"made-up-token:").decode()
    assert told == (secret in sent)


@pytest.mark.parametrize(
    "url",
    [
        f"https://index.test@evil.test/{WHEEL}",
        f"http://index.test/-/{WHEEL}",
        f"https://10.0.0.1/{WHEEL}",
        f"ftp://index.test/{WHEEL}",
    ],
)
async def test_a_link_to_where_nobody_should_go_is_not_followed(shop: Shop, url: str) -> None:
    shop.router.route().respond(200, content=b"whl")
    with pytest.raises(Unavailable):
        await shop.index.download(IndexFile(WHEEL, url))
    assert [] == shop.asked


@pytest.mark.parametrize("status", [302, 401, 404, 500])
async def test_a_file_that_does_not_come_is_unavailable(shop: Shop, status: int) -> None:
    shop.router.get(f"{ROOT}{WHEEL}").respond(status)
    with pytest.raises(Unavailable):
        await shop.index.download(IndexFile(WHEEL, f"{ROOT}{WHEEL}"))


async def test_a_root_without_its_last_slash_is_the_same() -> None:
    shop = Shop(ROOT.rstrip("/"))
    assert [] == await shop.lists(page())
