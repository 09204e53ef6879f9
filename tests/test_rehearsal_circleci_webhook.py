"""The letter that the rehearsal's CircleCI sends, against CircleCI's own description of it."""

import hashlib
import hmac
import json
from datetime import UTC, datetime
from uuid import UUID

import pytest

from bridge.rehearsal.circleci.webhook import Pipeline, Project, WorkflowRun, workflow_completed

SECRET = "made-up-circleci-secret"
MOMENT = datetime(2026, 11, 22, 8, 0, 0, 317_000, tzinfo=UTC)
REVISION = "1dc6aa69429bff4806ad6afe58d3d8f57e25973e"
ADA = {"name": "Ada", "email": "ada@example.com"}
COMMIT = (
    "A subject\0A body\n\0Ada\0ada@example.com\0" + "2026-11-22T07:00:00Z\0"
    "Ada\0ada@example.com\0" + "2026-11-22T07:30:00Z\n"
)


def docs_signature(secret: str, body: bytes) -> str:
    return hmac.new(secret.encode(), body, hashlib.sha256).hexdigest()


def test_the_signature_is_that_of_circlecis_documentation() -> None:
    expected = "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a"

    assert expected == docs_signature("secret", b"hello world")


@pytest.mark.parametrize(
    ("ref", "vcs"),
    [
        ("refs/tags/v0.1.0", {"tag": "v0.1.0"}),
        ("refs/heads/bridge/x", {"branch": "bridge/x"}),
    ],
)
def test_the_letter_has_every_documented_field(ref: str, vcs: dict[str, str]) -> None:
    pipeline = Pipeline(130, ref, REVISION, created_at=MOMENT)
    run = WorkflowRun("api", Project("acme", "model-deployment"), pipeline, [], started=MOMENT)
    run.status = "failed"

    letter = workflow_completed(run, MOMENT, COMMIT, SECRET)

    assert letter.source == "circleci"
    assert letter.headers == {
        "content-type": "application/json",
        "user-agent": "CircleCI-Webhook/1.0",
        "circleci-event-type": "workflow-completed",
        "circleci-signature": f"v1={docs_signature(SECRET, letter.body)}",
    }
    body = json.loads(letter.body)
    ids = [body.pop("id"), *(body[name].pop("id") for name in ("webhook", "project"))]
    ids += [body[name].pop("id") for name in ("organization", "workflow", "pipeline")]
    assert ids == [str(UUID(each)) for each in ids]
    assert len(set(ids)) == len(ids)
    assert body == {
        "type": "workflow-completed",
        "happened_at": "2026-11-22T08:00:00.317Z",
        "webhook": {"name": "bridge"},
        "project": {"name": "model-deployment", "slug": "github/acme/model-deployment"},
        "organization": {"name": "acme"},
        "workflow": {
            "name": "api",
            "created_at": "2026-11-22T08:00:00.317Z",
            "stopped_at": "2026-11-22T08:00:00.317Z",
            "url": "https://app.circleci.com/pipelines/github/acme/model-deployment/130/workflows/"
            + run.id,
            "status": "failed",
        },
        "pipeline": {
            "number": 130,
            "created_at": "2026-11-22T08:00:00.317Z",
            "trigger": {"type": "webhook"},
            "vcs": {
                "provider_name": "github",
                "origin_repository_url": "https://github.com/acme/model-deployment",
                "target_repository_url": "https://github.com/acme/model-deployment",
                "revision": REVISION,
                "commit": {
                    "subject": "A subject",
                    "body": "A body",
                    "author": ADA,
                    "authored_at": "2026-11-22T07:00:00Z",
                    "committer": ADA,
                    "committed_at": "2026-11-22T07:30:00Z",
                },
                **vcs,
            },
        },
    }
