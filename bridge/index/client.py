"""The Python index, asked as an installer asks it: the simple API, in JSON or in HTML.

Sources: https://packaging.python.org/en/latest/specifications/simple-repository-api/ ; Gemfury
takes the read token as the user name of basic authentication.
"""

import re
from dataclasses import dataclass
from html.parser import HTMLParser
from urllib.parse import parse_qsl, unquote, urldefrag, urljoin, urlsplit

import httpx
from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename
from packaging.version import Version
from pydantic import BaseModel, Field

from bridge.errors import Unavailable
from bridge.kit.http import Door

ACCEPT = (
    "application/vnd.pypi.simple.v1+json, application/vnd.pypi.simple.v1+html;q=0.2, "
    "text/html;q=0.1"
)
SHA256 = re.compile(r"[0-9a-f]{64}", re.IGNORECASE)


@dataclass(frozen=True)
class IndexFile:
    """One file as the index lists it. `digest` is `sha256:`+hex, `size` in bytes and `uploaded` a
    time as the index writes it, if the index says so."""

    name: str
    url: str
    digest: str | None = None
    yanked: str | None = None
    size: int | None = None
    uploaded: str | None = None

    def version(self, package: str) -> Version | None:
        """The version of `package` that this file is a wheel of, or None."""
        try:
            name, version, _, _ = parse_wheel_filename(self.name)
        except ValueError:
            return None
        return version if name == canonicalize_name(package) else None

    def source_of(self, package: str) -> Version | None:
        """The version of `package` that this file is a source distribution of, or None."""
        try:
            name, version = parse_sdist_filename(self.name)
        except ValueError:
            return None
        return version if name == canonicalize_name(package) else None


@dataclass(frozen=True)
class Listing:
    """A project's page: its files, and what the index says of the project as a whole: `active`,
    `archived`, `deprecated` or `quarantined`, and why (PEP 792)."""

    files: tuple[IndexFile, ...] = ()
    status: str = "active"
    why: str = ""


class _JsonFile(BaseModel):
    filename: str
    url: str
    hashes: dict[str, str] = {}
    yanked: bool | str = False
    size: int | None = None
    uploaded: str | None = Field(default=None, alias="upload-time")


class _JsonStatus(BaseModel):
    status: str = "active"
    reason: str = ""


class _JsonMeta(BaseModel):
    api_version: str = Field(default="1.0", alias="api-version")


class _JsonPage(BaseModel):
    meta: _JsonMeta = _JsonMeta()
    files: list[_JsonFile]
    status: _JsonStatus = Field(default=_JsonStatus(), alias="project-status")


class Index:
    """One package index. `door` carries the read token; its address is the simple API's root."""

    def __init__(self, door: Door, url: str) -> None:
        self._door = door
        self._url = url if url.endswith("/") else f"{url}/"

    async def files(self, package: str) -> list[IndexFile]:
        """Every file listed for `package`; an unknown package has none. Raises Unavailable."""
        return list((await self.listing(package)).files)

    async def listing(self, package: str) -> Listing:
        """The page of `package` as it is now; an unknown package has no files. Raises Unavailable.

        It is asked for afresh each time: an old page shows neither a new file nor a replaced one.
        """
        url = urljoin(self._url, f"{canonicalize_name(package)}/")
        page = await self._door.ask(
            "GET", url, headers={"accept": ACCEPT, "cache-control": "no-cache"}
        )
        if page.status_code == 404:
            return Listing()
        if page.status_code != 200:
            raise Unavailable(f"{self._door.who} answered {page.status_code}; is its token right?")
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


def parse_page(page: httpx.Response, url: str) -> Listing:
    """A simple page, by the content type of the answer; raises Unavailable."""
    kind = page.headers.get("content-type", "")
    try:
        if "json" in kind:
            return _from_json(page.content, url)
        if "html" in kind:
            return _from_html(page.text, url)
    except ValueError as error:
        raise Unavailable("the index sent a page that cannot be read") from error
    raise Unavailable(f"the index sent {kind or 'something'} instead of a list of files")


def _from_json(content: bytes, url: str) -> Listing:
    page = _JsonPage.model_validate_json(content)
    _must_be_known(page.meta.api_version)
    files = (
        IndexFile(
            name=file.filename,
            url=urljoin(url, file.url),
            digest=_digest(file.hashes.get("sha256", "")),
            yanked=_reason(file.yanked),
            size=file.size,
            uploaded=file.uploaded,
        )
        for file in page.files
    )
    return Listing(tuple(files), page.status.status, page.status.reason)


def _from_html(text: str, url: str) -> Listing:
    reader = _Reader()
    reader.feed(text)
    _must_be_known(reader.meta.get("pypi:repository-version", "1.0"))
    base = urljoin(url, reader.base)
    return Listing(
        tuple(_from_anchor(attributes, base) for attributes in reader.anchors),
        reader.meta.get("pypi:project-status", "active"),
        reader.meta.get("pypi:project-status-reason", ""),
    )


def _must_be_known(version: str) -> None:
    """A second major version may mean anything: better no answer than a wrong one."""
    if version.partition(".")[0] != "1":
        raise ValueError(version)


def _digest(told: str) -> str | None:
    return f"sha256:{told.lower()}" if SHA256.fullmatch(told) else None


def _reason(yanked: bool | str) -> str | None:
    return "no reason given" if yanked is True else yanked or None


def _from_anchor(attributes: dict[str, str], base: str) -> IndexFile:
    """A legacy `#md5=…` is no digest: everybody can make two files of one md5."""
    address, fragment = urldefrag(urljoin(base, attributes["href"]))
    yanked = attributes.get("data-yanked")
    return IndexFile(
        name=unquote(urlsplit(address).path.rpartition("/")[2]),
        url=address,
        digest=_digest(dict(parse_qsl(fragment)).get("sha256", "")),
        yanked=_reason(True if yanked == "" else yanked or False),
    )


class _Reader(HTMLParser):
    """Anchors, the first base and the meta elements of a page."""

    def __init__(self) -> None:
        super().__init__()
        self.anchors: list[dict[str, str]] = []
        self.meta: dict[str, str] = {}
        self.base = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        attributes = {name: value or "" for name, value in attrs}
        if tag == "a" and attributes.get("href"):
            self.anchors.append(attributes)
        elif tag == "base":
            self.base = self.base or attributes.get("href", "")
        elif tag == "meta":
            self.meta[attributes.get("name", "")] = attributes.get("content", "")
