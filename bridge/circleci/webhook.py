"""CircleCI's webhook: verify and parse, no I/O.

Signed: `circleci-signature: v1=<hex>` over the body; only the newest scheme that we know counts.
Source: https://circleci.com/docs/guides/integration/outbound-webhooks/
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ValidationError

from bridge.errors import Forged, Malformed
from bridge.event import Event, Nothing, WorkflowEnded
from bridge.facts import CiRun
from bridge.kit.clock import ToldMoment
from bridge.kit.signature import (
    Headers,
    from_hex,
    header,
    json_object,
    must_be_signed,
    own_id,
    word,
)


class _Vcs(BaseModel):
    tag: str | None = None
    revision: str | None = None


class _Git(BaseModel):
    tag: str | None = None
    checkout_sha: str | None = None


class _Trigger(BaseModel):
    git: _Git = _Git()


class _Pipeline(BaseModel):
    created_at: ToldMoment | None = None
    vcs: _Vcs | None = None
    trigger_parameters: _Trigger = _Trigger()


class _Project(BaseModel):
    slug: str


class _Workflow(BaseModel):
    name: str
    status: str | None = None
    url: str | None = None


class _Payload(BaseModel):
    id: str
    type: str
    happened_at: ToldMoment
    project: _Project
    workflow: _Workflow
    pipeline: _Pipeline


def verify(headers: Headers, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Raises Forged unless one of `keys` signed this body."""
    claims = [
        value
        for part in header(headers, "circleci-signature").split(",")
        for scheme, _, value in [part.strip().partition("=")]
        if scheme == "v1"
    ]
    if len(claims) != 1:
        raise Forged("no v1 signature, or more than one")
    must_be_signed(keys, body, from_hex(claims[0]))


def identify(headers: Headers, body: bytes) -> str:
    """The body's own `id`, which is under the signature; a test ping may have none."""
    return own_id(body)


def parse(headers: Headers, body: bytes) -> Event:
    """A workflow that ended; job events and pings are Nothing.

    CircleCI makes a pipeline when GitHub tells it of the push, so that one's age is the tag's.
    A project behind a GitHub App has no `pipeline.vcs`; its tag is in the trigger parameters.
    Source: https://circleci.com/docs/reference/outbound-webhooks-reference/
    """
    kind = json_object(body).get("type")
    if kind != "workflow-completed":
        return Nothing(because=f"CircleCI's {word(kind)} says nothing about a release")
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as error:
        raise Malformed(f"not a workflow-completed: {error.errors()[0]['loc']}") from error
    git, workflow = payload.pipeline.trigger_parameters.git, payload.workflow
    vcs = payload.pipeline.vcs or _Vcs(tag=git.tag, revision=git.checkout_sha)
    return WorkflowEnded(
        occurred_at=payload.happened_at,
        project=payload.project.slug,
        workflow=workflow.name,
        succeeded=workflow.status == "success",
        tag=vcs.tag or None,
        tagged_at=payload.pipeline.created_at if vcs.tag else None,
        commit=vcs.revision,
        ci=CiRun(system="circleci", workflow=workflow.name, url=workflow.url),
    )
