"""GitHub's webhook: verify and parse, no I/O.

Signed: `X-Hub-Signature-256: sha256=<hex>` over the body; the SHA-1 header is never looked at.
Neither the delivery id nor the event header is under the signature, so they decide nothing: a
delivery is also unique by its body, and an event is recognised by the body's shape.
Source: https://docs.github.com/en/webhooks/using-webhooks/validating-webhook-deliveries
"""

import re
from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ValidationError

from bridge.errors import Forged, Malformed
from bridge.event import Event, Nothing, RepositoryChanged
from bridge.kit.signature import Headers, from_hex, header, json_object, must_be_signed

GUID = re.compile(r"[A-Za-z0-9-]{1,64}")
SPEAKS_OF_THE_REPOSITORY = ("pull_request", "check_suite", "check_run", "commits", "sha")


class _Repository(BaseModel):
    full_name: str


class _Payload(BaseModel):
    repository: _Repository


def verify(headers: Headers, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Raises Forged unless one of `keys` signed this body."""
    claim = header(headers, "x-hub-signature-256")
    if not claim.startswith("sha256="):
        raise Forged("not a sha256 signature")
    must_be_signed(keys, body, from_hex(claim.removeprefix("sha256=")))


def identify(headers: Headers, body: bytes) -> str:
    """GitHub's delivery id, the same on a redelivery. Raises Forged when it looks odd."""
    if not body.lstrip().startswith(b"{"):
        raise Malformed("not JSON: set the webhook's content type to application/json")
    identifier = header(headers, "x-github-delivery")
    if not GUID.fullmatch(identifier):
        raise Forged("an odd delivery id")
    return identifier


def parse(headers: Headers, body: bytes) -> Event:
    """A repository where a pull request changed, or a check, a status or a push came."""
    fields = json_object(body)
    if "repository" not in fields or "hook" in fields:
        return Nothing(because="it does not speak of a repository")
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as error:
        raise Malformed(f"an odd GitHub payload: {error.errors()[0]['loc']}") from error
    name = payload.repository.full_name
    if any(field in fields for field in SPEAKS_OF_THE_REPOSITORY):
        return RepositoryChanged(repository=name)
    return Nothing(because="an event of GitHub that no release waits for")
