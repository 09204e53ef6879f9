"""What the four signature schemes share. Pure; everything that is odd raises Forged.

Grammar first, then cryptography; digests are compared as bytes and in constant time; all active
secrets are tried, so that a secret can be rotated without losing a delivery.
"""

import base64
import binascii
import hashlib
import hmac
import json
import re
from collections.abc import Sequence

from pydantic import JsonValue

from bridge.errors import Forged, Malformed

Headers = Sequence[tuple[str, str]]
HEX = re.compile(r"[0-9a-f]{64}")
ID = re.compile(r"[!-~]{1,128}")
STRING = re.compile(rb'"[^"\\]*(?:\\.[^"\\]*)*"', re.DOTALL)
DEEPEST = 32
NO_BRACKETS = bytes(byte for byte in range(256) if byte not in b"{}[]")


def header(headers: Headers, name: str) -> str:
    """The one value of a header; raises Forged when it is missing or stands twice."""
    values = [value for key, value in headers if key.lower() == name]
    if len(values) != 1:
        raise Forged(f"{name} stands {len(values)} times")
    return values[0]


def optional(headers: Headers, name: str) -> str | None:
    """The value of a header that decides nothing, or None."""
    return next((value for key, value in headers if key.lower() == name), None)


def from_hex(text: str) -> bytes:
    """32 bytes of exactly 64 lower-case hex digits."""
    if not HEX.fullmatch(text):
        raise Forged("the signature is not 64 hex digits")
    return bytes.fromhex(text)


def from_base64(text: str) -> bytes:
    """32 bytes of canonical base64: one spelling only."""
    try:
        raw = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged("the signature is not base64") from error
    if len(raw) != 32 or base64.b64encode(raw).decode() != text:
        raise Forged("the signature is not canonical base64")
    return raw


def signed_by(keys: Sequence[bytes], message: bytes, claimed: bytes) -> bool:
    """Whether one of `keys` made `claimed` of `message` (HMAC-SHA256); tries every key."""
    verdicts = [
        hmac.compare_digest(hmac.digest(key, message, hashlib.sha256), claimed) for key in keys
    ]
    return any(verdicts)


def must_be_signed(keys: Sequence[bytes], message: bytes, claimed: bytes) -> None:
    """Raises Forged unless one of `keys` made `claimed` of `message`."""
    if not signed_by(keys, message, claimed):
        raise Forged("no active secret made this signature")


def json_object(body: bytes) -> dict[str, JsonValue]:
    """The body as a JSON object; raises Malformed for anything else, also for a key that stands
    twice, NaN, or nesting deeper than 32."""

    def unique(pairs: list[tuple[str, JsonValue]]) -> dict[str, JsonValue]:
        found = dict(pairs)
        if len(found) != len(pairs):
            raise Malformed("a key stands twice")
        return found

    def no_constant(name: str) -> JsonValue:
        raise Malformed(f"{name} is not JSON")

    try:
        parsed = json.loads(body, object_pairs_hook=unique, parse_constant=no_constant)
    except (ValueError, RecursionError) as error:
        raise Malformed("the body is not JSON") from error
    if not isinstance(parsed, dict):
        raise Malformed("the body is not a JSON object")
    if _depth(body) > DEEPEST:
        raise Malformed("the body is nested too deep")
    return parsed


def word(value: JsonValue) -> str:
    """What a sender said and we do not know, fit for a sentence: short, and in plain ASCII."""
    return ascii(value)[:40].strip("'")


def own_id(body: bytes) -> str:
    """The `id` that a body carries, or else the body's own sha256."""
    identifier = json_object(body).get("id")
    if isinstance(identifier, str) and ID.fullmatch(identifier):
        return identifier
    return hashlib.sha256(body).hexdigest()


def _depth(body: bytes) -> int:
    deepest = depth = 0
    outside = STRING.sub(b"", body)
    for byte in outside.translate(None, NO_BRACKETS):
        depth += (byte in b"{[") - (byte in b"}]")
        deepest = max(deepest, depth)
    return deepest
