"""Uploads files to the private index; a file that is there already is compared, never replaced."""

import re
from html.parser import HTMLParser
from urllib.parse import unquote, urlsplit

import httpx

from publish.dist import PACKAGE, File
from publish.errors import NotPublished
from publish.settings import Address, Settings


def upload(client: httpx.Client, settings: Settings, file: File) -> str:
    """Upload one file; the answer is what to print. Raises NotPublished when it did not work."""
    name = file.path.name
    with file.path.open("rb") as content:
        try:
            answer = client.post(
                settings.push_url,
                # The index takes its token as the user name.
                auth=(settings.push_token, ""),
                headers={"Accept": "application/json"},
                files={"package": (name, content, "application/octet-stream")},
            )
        except httpx.HTTPError as error:
            # The message of the library is not repeated: it may hold an address with a token.
            raise NotPublished(
                f"{name}: the index does not answer ({type(error).__name__}); try again"
            ) from None
    # https://github.com/gemfury/gemfury/issues/41: 409, and DupeVersion in the body.
    if answer.status_code == httpx.codes.CONFLICT or "DupeVersion" in answer.text:
        return _compare(client, settings, file)
    if not answer.is_success:
        hint = {401: "; is the token right?", 403: "; may this token push?"}
        raise NotPublished(
            f"{name}: the index answered {answer.status_code}"
            f"{hint.get(answer.status_code, '')} {_quoted(answer.text, settings.secrets)}"
        )
    return f"uploaded {name} ({file.size:,} bytes, sha256 {file.sha256})"


def digests(page: str) -> dict[str, str]:
    """The sha256 of each file on a page of a simple index, where it says one (PEP 503)."""
    found = _Links()
    found.feed(page)
    return found.digests


class _Links(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.digests: dict[str, str] = {}

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        link = urlsplit(dict(attrs).get("href") or "")
        digest = re.fullmatch(r"sha256=([0-9a-fA-F]{64})", link.fragment)
        if tag == "a" and digest:
            self.digests[unquote(link.path.rsplit("/", 1)[-1])] = digest[1].lower()


def _compare(client: httpx.Client, settings: Settings, file: File) -> str:
    name = file.path.name
    there = [
        page[name]
        for index in settings.indexes
        if name in (page := digests(_listing(client, index, name)))
    ]
    if not there:
        raise NotPublished(
            f"{name} is on the index already, and its digest is unknown: "
            "set PIP_EXTRA_INDEX_URL to compare, or publish a new version"
        )
    if set(there) != {file.sha256}:
        raise NotPublished(
            f"{name} is on the index already with another content (sha256 {there[0]}, ours is "
            f"{file.sha256}): a version is never replaced, publish a new one"
        )
    return f"already there: {name}, with the same sha256 {file.sha256}"


def _listing(client: httpx.Client, index: Address, name: str) -> str:
    try:
        answer = client.get(
            f"{index.url.rstrip('/')}/{PACKAGE}/", auth=index.auth, headers={"Accept": "text/html"}
        )
    except httpx.HTTPError as error:
        raise NotPublished(
            f"{name} is on the index already, which does not answer ({type(error).__name__})"
        ) from None
    return answer.text if answer.is_success else ""


def _quoted(text: str, secrets: list[str]) -> str:
    for secret in secrets:
        text = text.replace(secret, "***")
    return " ".join(text.split())[:300]
