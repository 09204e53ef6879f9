"""What the signature schemes share: one spelling, one header, one plain JSON object."""

import base64
import hashlib

import pytest

from bridge.errors import Forged, Malformed
from bridge.kit.signature import from_base64, header, json_object, own_id
from tests.signature_vectors import HEROKU


def test_base64_has_one_spelling() -> None:
    """The last digit of 43 has two spare bits; four spellings decode to the same 32 bytes."""
    raw = base64.b64decode(HEROKU[1][2])
    twins = [f"{HEROKU[1][2][:42]}{last}=" for last in "MNOP"]
    assert [raw] * 4 == [base64.b64decode(twin) for twin in twins]
    assert [raw] == [from_base64(twin) for twin in twins if twin == HEROKU[1][2]]
    for twin in twins[1:]:
        with pytest.raises(Forged):
            from_base64(twin)


def test_a_doubled_header_is_refused() -> None:
    with pytest.raises(Forged, match="2 times"):
        header([("X-One", "a"), ("x-one", "a")], "x-one")
    with pytest.raises(Forged, match="0 times"):
        header([], "x-one")


@pytest.mark.parametrize(
    "body",
    [
        b"",
        b"[]",
        b"1",
        b"null",
        b'{"a": 1, "a": 2}',
        b'{"a": {"b": 1, "b": 1}}',
        b'{"a": NaN}',
        b'{"a": -Infinity}',
        b'{"a": ' + b"[" * 40 + b"]" * 40 + b"}",
        b"[" * 200_000,
        b'{"a": ' + b"1" * 5000 + b"}",
        b'{"a": "\xff"}',
        b'{"a": 1} x',
    ],
)
def test_only_a_plain_json_object_is_read(body: bytes) -> None:
    with pytest.raises(Malformed):
        json_object(body)


def test_brackets_in_strings_are_not_depth() -> None:
    assert {"a": '\\"' + "[" * 50} == json_object(b'{"a": "\\\\\\"' + b"[" * 50 + b'"}')


def test_a_body_without_a_fit_id_is_known_by_its_hash() -> None:
    assert "evt-1" == own_id(b'{"id": "evt-1"}')
    for body in (b"{}", b'{"id": 7}', b'{"id": ""}', b'{"id": "' + b"x" * 129 + b'"}'):
        assert hashlib.sha256(body).hexdigest() == own_id(body)


def test_an_id_that_cannot_be_written_down_is_not_used() -> None:
    body = b'{"id": "\\ud800"}'
    assert hashlib.sha256(body).hexdigest() == own_id(body)
