"""Signatures: every published vector, and every odd form of each."""

import base64
import hashlib
import hmac
from datetime import timedelta

import pytest
from gidgethub.sansio import validate_event

import bridge.github.webhook as github
import bridge.publisher.webhook as publisher
from bridge.errors import Forged, Misconfigured
from tests.bridge_kit import NOW
from tests.signature_vectors import (
    BODY,
    CIRCLECI,
    FOOBAR,
    GITHUB,
    GOOD,
    HEROKU,
    MSG,
    THEN,
    TS,
    WHSEC,
    WRONG,
    of_circleci,
    of_github,
    of_heroku,
    of_publisher,
    standard,
)


@pytest.mark.parametrize(("secret", "body", "digest"), GITHUB)
def test_githubs_vectors_hold(secret: str, body: bytes, digest: str) -> None:
    of_github(f"sha256={digest}", body, secret)
    for claim, changed, other in [
        (digest, body, secret),
        (f"sha1={digest}", body, secret),
        (f"SHA256={digest}", body, secret),
        (f"sha256={digest.upper()}", body, secret),
        (f"sha256={digest} ", body, secret),
        (f"sha256={digest}", body + b"!", secret),
        (f"sha256={digest}", body, "wrong"),
        ("foo", body, secret),
        ("", body, secret),
        ("sha256=", body, secret),
    ]:
        with pytest.raises(Forged):
            of_github(claim, changed, other)


def test_githubs_escapes_are_under_the_signature() -> None:
    secret, body, digest = GITHUB[4]
    with pytest.raises(Forged):
        of_github(f"sha256={digest}", body.replace(b"u001B", b"u001b"), secret)


def test_githubs_sha1_header_is_never_looked_at() -> None:
    made = hmac.new(b"secret", b"data", hashlib.sha1).hexdigest()
    with pytest.raises(Forged):
        github.verify([("X-Hub-Signature", f"sha1={made}")], b"data", [b"secret"], NOW)
    validate_event(b"data", signature=f"sha1={made}", secret="secret")


@pytest.mark.parametrize(("secret", "body", "digest"), CIRCLECI)
def test_circlecis_vectors_hold(secret: str, body: bytes, digest: str) -> None:
    of_circleci(f"v1={digest}", body, secret)
    for claim, changed in [
        (digest, body),
        (f"v2={digest}", body),
        (f"v1={digest}", body + b"\n"),
        (f"v1={digest.upper()}", body),
        (f"v1={digest},v1={digest}", body),
        ("v1=", body),
        ("v1", body),
        ("", body),
    ]:
        with pytest.raises(Forged):
            of_circleci(claim, changed, secret)
    with pytest.raises(Forged):
        of_circleci(f"v1={digest}", body, "wrong")


def test_circlecis_list_may_name_newer_schemes() -> None:
    of_circleci(f"v1={FOOBAR},v2=ab,v3=cd", b"foobar", "secret")
    of_circleci(f"v2=ab, v1={FOOBAR}", b"foobar", "secret")


def test_the_misprinted_vector_of_the_japanese_manual_fails() -> None:
    with pytest.raises(Forged):
        of_circleci(f"v1={CIRCLECI[0][2]}", b"hello World", "secret")


@pytest.mark.parametrize(("key", "body", "digest"), HEROKU)
def test_the_hmac_vectors_hold_for_heroku(key: bytes, body: bytes, digest: str) -> None:
    of_heroku(digest, body, key)
    raw = base64.b64decode(digest)
    for claim in [
        digest.rstrip("="),
        f"{digest}\n",
        f" {digest}",
        f"{digest}!!",
        f"{digest}=",
        raw.hex(),
        base64.b64encode(raw[:31]).decode(),
        "",
        "ü" * 44,
    ]:
        with pytest.raises(Forged):
            of_heroku(claim, body, key)
    with pytest.raises(Forged):
        of_heroku(digest, body + b" ", key)
    with pytest.raises(Forged):
        of_heroku(digest, body, key + b"x")


def test_the_standard_vector_holds() -> None:
    of_publisher(standard())
    of_publisher(standard(signature=f"v1,{WRONG} v2,{WRONG} v1,{GOOD} v1,{WRONG}"))
    publisher.verify(standard(), BODY, [publisher.key_of(WHSEC.removeprefix("whsec_"))], THEN)


@pytest.mark.parametrize(
    "changes",
    [
        {"signature": "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OA="},
        {"signature": f"v2,{GOOD}"},
        {"signature": "v1,"},
        {"signature": "v1,dawfeoifkpqwoekfpqoekf"},
        {"signature": f"v1,{GOOD}!!"},
        {"signature": f"v1 {GOOD}"},
        {"signature": GOOD},
        {"signature": ""},
        {"id": f"{MSG}x"},
        {"id": ""},
        {"id": "a.b"},
        {"id": "x" * 129},
        {"timestamp": "hello"},
        {"timestamp": "161426533.0"},
        {"timestamp": "-161426533"},
        {"timestamp": f"+{TS}"},
        {"timestamp": f"{TS}.7"},
        {"timestamp": "1_614265330"},
        {"timestamp": f" {TS}"},
        {"timestamp": f"0{TS}"},
        {"timestamp": "١٦١٤٢٦٥٣٣٠"},
        {"timestamp": "9" * 400},
        {"timestamp": "1614265331"},
    ],
)
def test_the_changed_standard_vector_fails(changes: dict[str, str]) -> None:
    with pytest.raises(Forged):
        of_publisher(standard(**changes))


def test_the_border_between_timestamp_and_body_cannot_be_moved() -> None:
    """`id.1614265330.7{}` reads as the timestamp 1614265330.7 and the body `{}` as well."""
    key = publisher.key_of(WHSEC)
    made = base64.b64encode(hmac.digest(key, f"{MSG}.{TS}.7.{{}}".encode(), "sha256")).decode()
    of_publisher(standard(signature=f"v1,{made}"), b"7.{}")
    with pytest.raises(Forged):
        of_publisher(standard(signature=f"v1,{made}", timestamp=f"{TS}.7"), b"{}")
    with pytest.raises(Forged):
        of_publisher(standard(signature=f"v1,{made}", id=f"{MSG}.{TS}", timestamp="7"), b"{}")


@pytest.mark.parametrize("missing", ["webhook-id", "webhook-timestamp", "webhook-signature"])
def test_every_header_counts_once(missing: str) -> None:
    with pytest.raises(Forged):
        of_publisher([pair for pair in standard() if pair[0] != missing])
    with pytest.raises(Forged):
        of_publisher(standard() + [pair for pair in standard() if pair[0] == missing])


@pytest.mark.parametrize(("seconds", "holds"), [(300, True), (-300, True), (301, False), (-301, 0)])
def test_a_timestamp_is_good_for_five_minutes(seconds: int, holds: bool) -> None:
    at = THEN + timedelta(seconds=seconds)
    if holds:
        return of_publisher(standard(), at=at)
    with pytest.raises(Forged):
        of_publisher(standard(), at=at)
    return None


@pytest.mark.parametrize(
    "secret",
    [
        "",
        "whsec_",
        "whsec_%",
        "w",
        "hwsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "whpk_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw",
        "bm90LXZhbGlkCg==",
        base64.b64encode(b"x" * 65).decode(),
        "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaS",
        "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw MfKQ",
    ],
)
def test_a_weak_or_odd_publisher_secret_is_a_configuration_error(secret: str) -> None:
    with pytest.raises(Misconfigured) as told:
        publisher.key_of(secret)
    assert "MfKQ" not in str(told.value)


@pytest.mark.parametrize(
    ("secret", "length"),
    [
        ("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD", 24),
        ("MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSwBr", 25),
        (base64.b64encode(b"x" * 64).decode(), 64),
    ],
)
def test_a_publisher_secret_may_lack_prefix_and_padding(secret: str, length: int) -> None:
    assert length == len(publisher.key_of(secret))


def test_two_secrets_are_active_while_one_is_rotated() -> None:
    secret, body, digest = GITHUB[2]
    keys = [b"newer-made-up-secret", secret.encode()]
    github.verify([("x-hub-signature-256", f"sha256={digest}")], body, keys, NOW)
    old = [publisher.key_of("whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"), publisher.key_of(WHSEC)]
    publisher.verify(standard(), BODY, old, THEN)
    publisher.verify(standard(), BODY, old[::-1], THEN)


def test_without_a_key_nothing_is_signed() -> None:
    _, body, digest = GITHUB[2]
    with pytest.raises(Forged):
        github.verify([("x-hub-signature-256", f"sha256={digest}")], body, [], NOW)
    with pytest.raises(Forged):
        publisher.verify(standard(), BODY, [], THEN)
