"""What the tests of the pages share: hostile facts, a reader of HTML, and a way to ask."""

from datetime import timedelta
from html.parser import HTMLParser

import httpx
from sqlmodel import Session

from bridge.attestation import Provenance
from bridge.bootstrap import Bridge
from bridge.facts import CiRun, Facts, HerokuDeployment, PullRequest, Reading
from bridge.release import Stage
from bridge.web.app import create_app
from tests.bridge_kit import NOW, begin

EVIL = "<script>alert(1)</script>\"><img src=x onerror=alert(2)>'{{ 7*7 }}"
CARD = {"name": "m", "version": "1", "metrics": {EVIL: 0.25, "rmse": 1234.5678}}
HOSTILE = Facts(
    commit=EVIL,
    tag=EVIL,
    file=EVIL,
    digest=EVIL,
    model_digest=EVIL,
    previous_version=EVIL,
    merge_sha=EVIL,
    merged_by=EVIL,
    ci=CiRun(system=EVIL, job=EVIL, url="javascript:alert(3)"),
    pull_request=PullRequest(
        id="x", number=7, url=f"https://github.test/{EVIL}", head_sha="c" * 40
    ),
    heroku=HerokuDeployment(build=EVIL, release=42, slug=EVIL),
    readings=[Reading(at=NOW, verdict="unknown", version=EVIL, instance=EVIL, note=EVIL)],
    provenance=Provenance(
        mode="record", trust=EVIL, verdict="refuted", code=EVIL, sentence=EVIL, identity=EVIL
    ),
)


class Page(HTMLParser):
    """What a browser would make of it."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[str] = []
        self.links: list[str] = []
        self.handlers: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append(tag)
        self.links += [value or "" for name, value in attrs if name in ("href", "src", "action")]
        self.handlers += [name for name, _ in attrs if name.startswith("on") or name == "style"]


async def get(bridge: Bridge, path: str, with_pages: bool = True) -> httpx.Response:
    transport = httpx.ASGITransport(create_app(bridge, with_pages=with_pages))
    async with httpx.AsyncClient(transport=transport, base_url="http://localhost") as client:
        return await client.get(path)


async def placed(
    bridge: Bridge, version: str, stage: Stage, sentence: str = "Because.", facts: Facts = HOSTILE
) -> int:
    def work(session: Session) -> int:
        row = begin(session, version)
        row.stage, row.sentence, row.facts = stage, sentence, facts
        row.since = NOW + timedelta(seconds=90)
        session.add(row)
        return row.key

    return await bridge.store.write(work)
