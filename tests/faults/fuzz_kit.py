"""What the fuzzing shares: how each sender signs, and bodies that no sender should send."""

import base64
import copy
import hmac
import json
import os
from collections.abc import Callable, Iterator

from hypothesis import strategies as st

import bridge.publisher.webhook as publisher
from tests.bridge_kit import NOW, PACKAGE, SECRETS

EXAMPLES = int(os.environ.get("FAULTS_FUZZ", "300"))
Json = dict[str, "Json"] | list["Json"] | str | int | None
Pairs = list[tuple[str, str]]

BODIES: dict[str, dict[str, Json]] = {
    "publisher": {
        "type": "model.published",
        "timestamp": "2026-11-23T09:00:00Z",
        "data": {
            "package": PACKAGE,
            "version": "0.1.0",
            "files": [{"filename": "x-1-py3-none-any.whl", "sha256": "a" * 64, "size": 1}],
            "commit": "c" * 40,
            "tag": "v0.1.0",
            "ci": {"system": "circleci", "job": "1", "workflow": "w", "url": "https://ci.test/1"},
        },
    },
    "circleci": {
        "type": "workflow-completed",
        "happened_at": "2026-11-23T09:00:00Z",
        "project": {"slug": "github/acme/model-deployment"},
        "workflow": {"name": "regression-model", "status": "success", "url": "https://ci.test/w"},
        "pipeline": {"vcs": {"tag": "v0.1.0", "revision": "c" * 40}},
    },
    "github": {
        "action": "closed",
        "pull_request": {"number": 1},
        "repository": {"full_name": "acme/model-deployment"},
    },
    "heroku": {
        "resource": "release",
        "data": {"app": {"name": "house-prices-api"}},
        "published_at": "2026-11-23T09:00:00Z",
    },
}
ODD = [
    "null",
    "true",
    "[]",
    "{}",
    "0",
    "-1",
    "1.5",
    "NaN",
    "-Infinity",
    "1e999",
    "9" * 400,
    "9" * 5000,
    '""',
    '" "',
    '"0"',
    '"1"',
    '"1!0+a.1"',
    f'"{"9" * 5000}"',
    f'"1+{"9" * 5000}"',
    f'"v{"9" * 5000}"',
    f'"{"x" * 3000}"',
    '"\\ud800"',
    '"\\udc00\\ud800"',
    '"\\u0000"',
    '"a\\u0000b"',
    '"\\u202e\\r\\n\\u001b[31m"',
    '"0001-01-01T00:00:00+14:00"',
    '"9999-12-31T23:59:59-14:00"',
    '"0001-01-01T00:00:00"',
    '"2026-11-23T09:00:00"',
    '"<script>alert(1)</script>"',
    "[" * 40 + "]" * 40,
    "[" * 9000 + "]" * 9000,
    '{"a": 1, "a": 2}',
    '{"": {"": {"": null}}}',
]
Encode = Callable[[str], bytes]
ENCODINGS: list[Encode] = [
    *[lambda text: text.encode()] * 6,
    lambda text: b"\xef\xbb\xbf" + text.encode(),
    lambda text: text.encode("utf-16"),
    lambda text: text.encode("utf-32"),
    lambda text: b" \r\n\t" + text.encode(),
]


def signed(source: str, body: bytes, identifier: str = "msg-1") -> Pairs:
    """The headers with which `source` proves `body` at NOW."""
    if source == "publisher":
        key = publisher.key_of(SECRETS[source])
        return list(publisher.sign(key, identifier, NOW, body).items())
    made = hmac.digest(SECRETS[source].encode(), body, "sha256")
    if source == "circleci":
        return [("circleci-signature", f"v1={made.hex()}")]
    if source == "heroku":
        return [("heroku-webhook-hmac-sha256", base64.b64encode(made).decode())]
    return [
        ("x-hub-signature-256", f"sha256={made.hex()}"),
        ("x-github-delivery", identifier),
        ("x-github-event", "pull_request"),
    ]


def places(value: Json, at: tuple[str | int, ...] = ()) -> Iterator[tuple[str | int, ...]]:
    """The way to everything inside a body."""
    if at:
        yield at
    inside = value.items() if isinstance(value, dict) else ()
    for name, part in (*inside, *(enumerate(value) if isinstance(value, list) else ())):
        yield from places(part, (*at, name))


@st.composite
def odd_bodies(draw: st.DrawFn, source: str) -> bytes:
    """A body of `source` in which something is odd, or which is not JSON any more."""
    body: Json = {**copy.deepcopy(BODIES[source]), "id": str(draw(st.uuids()))}
    odd: dict[str, str] = {}
    for number in range(draw(st.integers(0, 3))):
        *way, last = draw(st.sampled_from(sorted(places(body), key=repr)))
        inner = body
        for name in way:
            inner = inner[name]  # type: ignore[index]
        marker = f"odd-{number}"
        inner[last] = marker  # type: ignore[index]
        odd[marker] = draw(st.sampled_from(ODD) | st.text(max_size=30).map(json.dumps))
    text = json.dumps(body)
    for marker, snippet in odd.items():
        text = text.replace(f'"{marker}"', snippet)
    raw = draw(st.sampled_from(ENCODINGS))(text)
    if draw(st.integers(0, 3)) == 0:
        where = draw(st.integers(0, len(raw)))
        raw = raw[:where] + draw(st.binary(max_size=6)) + raw[where + draw(st.integers(0, 6)) :]
    return raw
