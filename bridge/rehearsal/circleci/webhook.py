"""What CircleCI says of a workflow that ended: the signed `workflow-completed` webhook. Pure.

The body is that of a project connected by GitHub OAuth, which is the kind that has `pipeline.vcs`.
Source: https://circleci.com/docs/reference/outbound-webhooks-reference/
"""

import hashlib
import hmac
import json
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import Literal
from uuid import NAMESPACE_URL, uuid4, uuid5

from bridge.rehearsal.circleci.job import Outcome
from bridge.rehearsal.letters import Letter

COMMIT_FORMAT = "%s%x00%b%x00%an%x00%ae%x00%ad%x00%cn%x00%ce%x00%cd"
COMMIT_DATES = "format-local:%Y-%m-%dT%H:%M:%SZ"


@dataclass(frozen=True)
class Project:
    owner: str
    name: str

    @property
    def slug(self) -> str:
        """As webhooks spell it. In addresses and settings the same project is `gh/…`."""
        return f"github/{self.owner}/{self.name}"


@dataclass(frozen=True)
class Pipeline:
    """What one push started. `ref` is refs/heads/… or refs/tags/…."""

    number: int
    ref: str
    revision: str
    id: str = field(default_factory=lambda: str(uuid4()))
    created_at: datetime = field(default_factory=lambda: datetime.now(UTC))

    @property
    def vcs(self) -> dict[str, str]:
        """`{"tag": …}` or `{"branch": …}`, never both."""
        _, kind, name = self.ref.split("/", 2)
        return {"tag" if kind == "tags" else "branch": name}


@dataclass
class JobRun:
    name: str
    number: int
    log: Path
    status: Outcome | Literal["blocked", "running", "not_run", "canceled"] = "blocked"
    seconds: float = 0.0


@dataclass
class WorkflowRun:
    name: str
    project: Project
    pipeline: Pipeline
    jobs: Sequence[JobRun]
    id: str = field(default_factory=lambda: str(uuid4()))
    status: Literal["running", "success", "failed", "canceled"] = "running"
    started: datetime = field(default_factory=lambda: datetime.now(UTC))
    stopped: datetime | None = None

    @property
    def ref(self) -> str:
        return self.pipeline.ref

    @property
    def revision(self) -> str:
        return self.pipeline.revision

    @property
    def url(self) -> str:
        place = f"{self.project.slug}/{self.pipeline.number}/workflows/{self.id}"
        return f"https://app.circleci.com/pipelines/{place}"


def workflow_completed(run: WorkflowRun, stopped: datetime, commit: str, secret: str) -> Letter:
    """The letter for a run that ended; `commit` is what git prints in COMMIT_FORMAT."""
    project, pipeline = run.project, run.pipeline
    repository = f"https://github.com/{project.owner}/{project.name}"
    body = {
        "id": str(uuid4()),
        "type": "workflow-completed",
        "happened_at": _time(stopped),
        "webhook": {"id": _same_id(f"{repository}#webhook"), "name": "bridge"},
        "project": {"id": _same_id(repository), "name": project.name, "slug": project.slug},
        "organization": {"id": _same_id(project.owner), "name": project.owner},
        "workflow": {
            "id": run.id,
            "name": run.name,
            "created_at": _time(run.started),
            "stopped_at": _time(stopped),
            "url": run.url,
            "status": run.status,
        },
        "pipeline": {
            "id": pipeline.id,
            "number": pipeline.number,
            "created_at": _time(pipeline.created_at),
            "trigger": {"type": "webhook"},
            "vcs": {
                "provider_name": "github",
                "origin_repository_url": repository,
                "target_repository_url": repository,
                "revision": pipeline.revision,
                "commit": _commit(commit),
                **pipeline.vcs,
            },
        },
    }
    raw = json.dumps(body).encode()
    headers = {
        "content-type": "application/json",
        "user-agent": "CircleCI-Webhook/1.0",
        "circleci-event-type": "workflow-completed",
        "circleci-signature": f"v1={hmac.new(secret.encode(), raw, hashlib.sha256).hexdigest()}",
    }
    return Letter("circleci", headers, raw)


def _commit(printed: str) -> dict[str, object]:
    subject, body, *people = printed.removesuffix("\n").split("\0")
    author, author_email, authored_at, committer, committer_email, committed_at = people
    return {
        "subject": subject,
        "body": body.rstrip("\n"),
        "author": {"name": author, "email": author_email},
        "authored_at": authored_at,
        "committer": {"name": committer, "email": committer_email},
        "committed_at": committed_at,
    }


def _time(moment: datetime) -> str:
    return moment.isoformat(timespec="milliseconds").replace("+00:00", "Z")


def _same_id(name: str) -> str:
    return str(uuid5(NAMESPACE_URL, name))
