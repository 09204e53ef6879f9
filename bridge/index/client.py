"""The Python index, asked as an installer asks it: the simple API, in JSON or in HTML.

Sources: https://packaging.python.org/en/latest/specifications/simple-repository-api/ ; Gemfury
takes the read token as the user name of basic authentication.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import unquote, urldefrag, urljoin, urlsplit

import httpx
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version
from pydantic import BaseModel

from bridge.errors import Unavailable
from bridge.kit.http import Door

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)
DIGEST = re.compile(r"sha256=([0-9a-f]{64})")


@dataclass(frozen=True)
class IndexFile:
    """One file as the index lists it. `digest` is `sha256:`+hex, if the index says so."""

    name: str
    url: str
    digest: str | None = None
    yanked: str | None = None

    def version(self, package: str) -> Version | None:
        """The version of `package` that this file is a wheel of, or None."""
        try:
            name, version, _, _ = parse_wheel_filename(self.name)
        except ValueError:
            return None
        return version if name == canonicalize_name(package) else None


class _JsonFile(BaseModel):
    filename: str
    url: str
    hashes: dict[str, str] = {}
    yanked: bool | str = False


class _JsonPage(BaseModel):
    files: list[_JsonFile]


class Index:
    """One package index. `door` carries the read token; its address is the simple API's root."""

    def __init__(self, door: Door, url: str) -> None:
        self._door = door
        self._url = url if url.endswith("/") else f"{url}/"

    async def files(self, package: str) -> list[IndexFile]:
        """Every file listed for `package`; an unknown package has none. Raises Unavailable."""
        url = urljoin(self._url, f"{canonicalize_name(package)}/")
        page = await self._door.ask(
            "GET", url, headers={"accept": ACCEPT, "cache-control": "no-cache"}
        )
        if page.status_code == 404:
            return []
        if page.status_code != 200:
            raise Unavailable(f"the index answered {page.status_code}; is its token right?")
        return parse_page(page, url)

    async def download(self, file: IndexFile) -> bytes:
        """The file's bytes. The token is only sent to the index's own host. Raises Unavailable."""
        foreign = urlsplit(file.url)[:2] != urlsplit(self._url)[:2]
        answer = await self._door.fetch(file.url, anonymous=foreign)
        if answer.status_code != 200:
            raise Unavailable(f"the index answered {answer.status_code} for {file.name}")
        return answer.content

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()


def parse_page(page: httpx.Response, url: str) -> list[IndexFile]:
    """The files of a simple page, by the content type of the answer; raises Unavailable."""
    kind = page.headers.get("content-type", "")
    if "json" in kind:
        return _from_json(page.content, url)
    if "html" not in kind:
        raise Unavailable(f"the index sent {kind or 'something'} instead of a list of files")
    parser = _Anchors()
    parser.feed(page.text)
    try:
        return [_from_anchor(attributes, url) for attributes in parser.found]
    except ValueError as error:
        raise Unavailable("the index sent a page with a broken link") from error


def _from_json(content: bytes, url: str) -> list[IndexFile]:
    try:
        return [
            IndexFile(
                name=file.filename,
                url=urljoin(url, file.url),
                digest=f"sha256:{file.hashes['sha256']}" if "sha256" in file.hashes else None,
                yanked=_reason(file.yanked),
            )
            for file in _JsonPage.model_validate_json(content).files
        ]
    except ValueError as error:
        raise Unavailable("the index sent a page that cannot be read") from error


def _reason(yanked: bool | str) -> str | None:
    return "no reason given" if yanked is True else yanked or None


def _from_anchor(attributes: dict[str, str], url: str) -> IndexFile:
    address, fragment = urldefrag(urljoin(url, attributes["href"]))
    digest = DIGEST.search(fragment)
    yanked = attributes.get("data-yanked")
    return IndexFile(
        name=unquote(urlsplit(address).path.rpartition("/")[2]),
        url=address,
        digest=f"sha256:{digest[1]}" if digest else None,
        yanked=_reason(True if yanked == "" else yanked or False),
    )


class _Anchors(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.found: list[dict[str, str]] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and attributes.get("href"):
            self.found.append(attributes)
