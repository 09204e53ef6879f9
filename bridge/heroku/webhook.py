"""Heroku's webhook: verify and parse, no I/O.

Signed: `Heroku-Webhook-Hmac-SHA256: <base64>` over the body.
Source: https://devcenter.heroku.com/articles/app-webhooks
"""

from collections.abc import Sequence
from datetime import datetime

from pydantic import BaseModel, ValidationError

from bridge.errors import Malformed
from bridge.event import AppChanged, Event, Nothing
from bridge.kit.clock import ToldMoment
from bridge.kit.signature import (
    Headers,
    from_base64,
    header,
    json_object,
    must_be_signed,
    own_id,
    word,
)


class _App(BaseModel):
    name: str


class _Object(BaseModel):
    app: _App


class _Payload(BaseModel):
    resource: str
    data: _Object
    published_at: ToldMoment | None = None


def verify(headers: Headers, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Raises Forged unless one of `keys` signed this body."""
    must_be_signed(keys, body, from_base64(header(headers, "heroku-webhook-hmac-sha256")))


def identify(headers: Headers, body: bytes) -> str:
    """The event's id, which is in the body and so under the signature."""
    return own_id(body)


def parse(headers: Headers, body: bytes) -> Event:
    """A build or a Heroku release that changed."""
    resource = json_object(body).get("resource")
    if resource not in ("build", "release"):
        return Nothing(because=f"Heroku's {word(resource)} says nothing about a release")
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as error:
        raise Malformed(f"an odd Heroku payload: {error.errors()[0]['loc']}") from error
    return AppChanged(app=payload.data.app.name, occurred_at=payload.published_at)
