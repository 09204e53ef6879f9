"""The publish step's own announcement: verify, parse, and sign. No I/O.

Signed as Standard Webhooks: `webhook-signature: v1,<base64>` over `id.timestamp.body`.
Source: https://github.com/standard-webhooks/standard-webhooks/blob/main/spec/standard-webhooks.md
"""

import base64
import binascii
import hashlib
import hmac
import re
from collections.abc import Sequence
from datetime import datetime
from typing import Annotated

from packaging.version import Version
from pydantic import BaseModel, Field, StringConstraints, ValidationError

from bridge.attestation import MOST_ATTESTATIONS, Attestation
from bridge.errors import Forged, Malformed, Misconfigured
from bridge.event import Event, Nothing, Published
from bridge.facts import CiRun
from bridge.kit.clock import ToldMoment
from bridge.kit.signature import (
    Headers,
    from_base64,
    header,
    json_object,
    must_be_signed,
    word,
)

ID = re.compile(r"[A-Za-z0-9_-]{1,128}")
TIMESTAMP = re.compile(r"[0-9]{1,12}")
TOLERANCE = 300
PUBLISHED = "model.published"
VERIFIED = "release.verified"
"""What another bridge says of a version that it has proven, in the same words."""
LONGEST_PROOF = 32 << 10


class _File(BaseModel):
    filename: str
    sha256: Annotated[str, StringConstraints(to_lower=True, pattern=r"^[0-9a-fA-F]{64}$")]
    size: int | None = None


class _Attestation(BaseModel):
    kind: Annotated[str, StringConstraints(pattern=r"^[a-z0-9]{1,20}$")]
    proof: Annotated[str, StringConstraints(max_length=LONGEST_PROOF, pattern=r"^[\n\r\t -~]+$")]


class _Data(BaseModel):
    package: str
    version: str
    files: list[_File]
    commit: str | None = None
    tag: str | None = None
    ci: CiRun | None = None
    attestations: list[_Attestation] = Field(default=[], max_length=MOST_ATTESTATIONS)


class _Payload(BaseModel):
    type: str
    timestamp: ToldMoment | None = None
    data: _Data


def key_of(secret: str) -> bytes:
    """The 24 to 64 bytes behind `whsec_`+base64; raises Misconfigured."""
    prefix, text = ("whsec_", secret[6:]) if secret.startswith("whsec_") else ("", secret)
    padded = text + "=" * (-len(text) % 4)
    try:
        key = base64.b64decode(padded, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Misconfigured("a publisher secret is not base64") from error
    if not 24 <= len(key) <= 64:
        raise Misconfigured(f"a publisher secret ({prefix}…) must hold 24 to 64 bytes")
    return key


def sign(key: bytes, identifier: str, at: datetime, body: bytes) -> dict[str, str]:
    """The three headers that prove `body` to the bridge."""
    timestamp = str(int(at.timestamp()))
    made = hmac.digest(key, _message(identifier, timestamp, body), hashlib.sha256)
    return {
        "content-type": "application/json",
        "webhook-id": identifier,
        "webhook-timestamp": timestamp,
        "webhook-signature": f"v1,{base64.b64encode(made).decode()}",
    }


def verify(headers: Headers, body: bytes, keys: Sequence[bytes], now: datetime) -> None:
    """Raises Forged unless one of `keys` signed this body, within five minutes of `now`.

    The strict grammar of id and timestamp keeps the border between them and the body where the
    signer put it.
    """
    identifier = header(headers, "webhook-id")
    timestamp = header(headers, "webhook-timestamp")
    if not ID.fullmatch(identifier) or not TIMESTAMP.fullmatch(timestamp):
        raise Forged("odd id or timestamp")
    if abs(now.timestamp() - int(timestamp)) > TOLERANCE:
        raise Forged("signed more than five minutes away from now")
    claims = header(headers, "webhook-signature").split(" ")
    for claim in claims:
        scheme, _, value = claim.partition(",")
        if scheme != "v1":
            continue
        try:
            must_be_signed(keys, _message(identifier, timestamp, body), from_base64(value))
        except Forged:
            continue
        return
    raise Forged("no active secret made this signature")


def identify(headers: Headers, body: bytes) -> str:
    """The `webhook-id`, which is under the signature; a JSON object must follow it."""
    json_object(body)
    return header(headers, "webhook-id")


def parse(headers: Headers, body: bytes) -> Event:
    """A published version. Of several files the one wheel counts."""
    kind = json_object(body).get("type")
    if kind not in (PUBLISHED, VERIFIED):
        return Nothing(because=f"{word(kind)} is not {PUBLISHED}")
    try:
        payload = _Payload.model_validate_json(body)
    except ValidationError as error:
        raise Malformed(f"not a {kind}: {error.errors()[0]['loc']}") from error
    data = payload.data
    try:
        Version(data.version)
    except ValueError as error:
        raise Malformed(f"{data.version[:40]!r} is not a version") from error
    wheels = [file for file in data.files if file.filename.endswith(".whl")]
    if len(wheels) > 1:
        raise Malformed("more than one wheel was announced")
    wheel = wheels[0] if wheels else None
    return Published(
        occurred_at=payload.timestamp,
        package=data.package,
        version=data.version,
        file=wheel.filename if wheel else None,
        digest=f"sha256:{wheel.sha256}" if wheel else None,
        commit=data.commit,
        tag=data.tag,
        ci=data.ci,
        attestations=tuple(
            Attestation(kind=one.kind, proof=one.proof) for one in data.attestations
        ),
    )


def _message(identifier: str, timestamp: str, body: bytes) -> bytes:
    return f"{identifier}.{timestamp}.".encode() + body
