"""One project's page of a simple index (PEP 503): read, thinned out, said as JSON (PEP 691)."""

import html
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from html.parser import HTMLParser

JSON_TYPE = "application/vnd.pypi.simple.v1+json"
HTML_TYPES = ("application/vnd.pypi.simple.v1+html", "text/html", "text/*", "*/*")


@dataclass(frozen=True)
class Link:
    """One file: where it is, its digest as "sha256=…", and why it was yanked, if it was."""

    filename: str
    url: str
    digest: str
    yanked: bool | str = False


class _Reader(HTMLParser):
    def __init__(self) -> None:
        super().__init__()
        self.links: list[Link] = []
        self._open: dict[str, str | None] | None = None

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        if tag == "a":
            self._open = dict(attrs)

    def handle_data(self, data: str) -> None:
        if self._open is None:
            return
        url, _, digest = (self._open.get("href") or "").partition("#")
        yanked = (self._open["data-yanked"] or True) if "data-yanked" in self._open else False
        self.links.append(Link(data.strip(), url, digest, yanked))
        self._open = None


def links(page: str) -> list[Link]:
    """The files that a PEP 503 page names, in its order."""
    reader = _Reader()
    reader.feed(page)
    return reader.links


def without(page: str, hidden: Collection[str]) -> str:
    """The page less the lines of the hidden files; pypiserver writes one file a line."""
    return "".join(
        line
        for line in page.splitlines(keepends=True)
        if not any(f">{filename}</a>" in line for filename in hidden)
    )


def yanked(page: str, why: Mapping[str, str]) -> str:
    """The page with the reason at each file that was yanked."""
    for filename, reason in why.items():
        told = f' data-yanked="{html.escape(reason)}">{filename}</a>'
        page = page.replace(f">{filename}</a>", told)
    return page


def as_json(name: str, files: Sequence[Link]) -> dict[str, object]:
    """The same page as PEP 691 says it, version 1.0."""
    return {
        "meta": {"api-version": "1.0"},
        "name": name,
        "files": [
            {
                "filename": file.filename,
                "url": file.url,
                "hashes": dict([file.digest.split("=", 1)]) if file.digest else {},
                "yanked": file.yanked,
            }
            for file in files
        ],
    }


def prefers_json(accept: str) -> bool:
    """True if the Accept header ranks the JSON form above every form of HTML that it names."""
    weights = dict(_weighed(part) for part in accept.split(","))
    in_html = max((weights.get(kind, 0.0) for kind in HTML_TYPES), default=0.0)
    return weights.get(JSON_TYPE, 0.0) > in_html


def _weighed(part: str) -> tuple[str, float]:
    kind, *parameters = (word.strip() for word in part.split(";"))
    for parameter in parameters:
        if parameter.startswith("q="):
            return kind, float(parameter[2:])
    return kind, 1.0
