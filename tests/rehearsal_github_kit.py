"""What the tests of the rehearsal's GitHub share: one repository, its mail, and a way to ask."""

import asyncio
import base64
import json
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import httpx

from bridge.github.documents import CLOSE, LOOK, MERGE, PROPOSE
from bridge.rehearsal.github import GitHub
from bridge.rehearsal.letters import Letter

TOKEN, SECRET = "token-made-up", "secret-made-up"
BEARER = {"authorization": f"Bearer {TOKEN}"}
URL = "http://github.test"
NAME, FILE = "acme/model-deployment", "api/requirements.txt"
BRANCH = "bridge/regression-model-0.1.1"
OLD, NEW = b"regression-model==0.1.0\n", b"regression-model==0.1.1\n"


class Said:
    """One answer of GraphQL: its data, and its errors as (type, path, message)."""

    def __init__(self, body: dict[str, Any]) -> None:
        self.data: dict[str, Any] = body["data"]
        self.errors = [
            (one.get("type"), one["path"], one["message"]) for one in body.get("errors", [])
        ]


class Town:
    """A repository with one commit on main, a clock that stands still, and every letter sent."""

    def __init__(self, folder: Path) -> None:
        self.now = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
        self.letters: list[Letter] = []
        self.github = GitHub(
            folder,
            repository=NAME,
            token=TOKEN,
            webhook_secret=SECRET,
            post=self.letters.append,
            clock=lambda: self.now,
        )
        self.root = self.github.seed({FILE: OLD, "README.md": b"# Houses\n"}, "Start")

    def ask(
        self, method: str, path: str, body: object = None, headers: dict[str, str] = BEARER
    ) -> httpx.Response:
        async def go() -> httpx.Response:
            transport = httpx.ASGITransport(app=self.github.app)
            async with httpx.AsyncClient(transport=transport, base_url=URL) as client:
                return await client.request(method, path, headers=headers, json=body)

        return asyncio.run(go())

    def speak(self, document: str, **variables: object) -> Said:
        body = {"query": document, "variables": variables}
        response = self.ask("POST", "/graphql", body=body)
        assert response.status_code == 200, response.text
        return Said(response.json())

    def look(self, branch: str = BRANCH, path: str = FILE) -> dict[str, Any]:
        owner, name = NAME.split("/")
        said = self.speak(
            LOOK,
            owner=owner,
            name=name,
            base="main",
            baseRef="refs/heads/main",
            head=branch,
            headRef=f"refs/heads/{branch}",
            path0=path,
            gate="bridge/gate",
            built="main",
            wantsHistory=True,
        )
        assert said.errors == []
        seen: dict[str, Any] = said.data["repository"]
        return seen

    def propose(self, branch: str = BRANCH, text: bytes = NEW, **changes: object) -> Said:
        """The one document that makes branch, commit and pull request, from main's first commit."""
        return self.speak(PROPOSE, **(proposal(self.github, self.root, branch, text) | changes))

    def proposed(self) -> str:
        """Our branch and pull request are there; its head."""
        said = self.propose()
        assert said.errors == []
        return str(said.data["commit"]["commit"]["oid"])

    def merge(self, number: int, head: str) -> Said:
        wish = {"pullRequestId": self.github.pulls[number].node_id, "expectedHeadOid": head}
        return self.speak(MERGE, input=wish)

    def close(self, number: int, comment: str, ref: str | None) -> Said:
        pull = self.github.pulls[number].node_id
        return self.speak(
            CLOSE,
            comment={"subjectId": pull, "body": comment},
            pull={"pullRequestId": pull},
            ref={"refId": ref or ""},
            hasRef=ref is not None,
        )

    def told(self, event: str) -> list[dict[str, Any]]:
        """The bodies of the letters about one event, oldest first."""
        mine = [one for one in self.letters if one.headers["X-GitHub-Event"] == event]
        return [json.loads(one.body) for one in mine]


def proposal(github: GitHub, base: str, branch: str, text: bytes) -> dict[str, Any]:
    contents = base64.b64encode(text).decode()
    return {
        "ref": {
            "repositoryId": github.shapes.node_id,
            "name": f"refs/heads/{branch}",
            "oid": base,
        },
        "commit": {
            "branch": {"repositoryNameWithOwner": NAME, "branchName": branch},
            "expectedHeadOid": base,
            "message": {"headline": "Bump regression-model", "body": "to 0.1.1"},
            "fileChanges": {"additions": [{"path": FILE, "contents": contents}]},
        },
        "pull": {
            "repositoryId": github.shapes.node_id,
            "baseRefName": "main",
            "headRefName": branch,
            "title": "Bump <regression-model>",
            "body": "From 0.1.0 & on",
        },
        "needsBranch": True,
        "needsCommit": True,
    }
