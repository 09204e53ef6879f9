"""Signatures against the senders' own libraries: we agree, but where we mean to be stricter."""

import base64
import contextlib
import hmac
import time
from datetime import UTC, datetime

import pytest
from gidgethub import ValidationFailure
from gidgethub.sansio import validate_event
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

import bridge.publisher.webhook as publisher
from bridge.errors import Forged
from bridge.kit.signature import from_base64, from_hex
from tests.signature_vectors import WRONG, of_circleci, of_github, of_publisher, standard

secrets = st.text(st.characters(codec="utf-8"), min_size=1, max_size=80)


@given(secrets, st.binary(max_size=200), st.data())
def test_we_agree_with_gidgethub(secret: str, body: bytes, data: st.DataObject) -> None:
    made = hmac.digest(secret.encode(), body, "sha256").hex()
    claim = data.draw(
        st.one_of(
            st.just(f"sha256={made}"),
            st.just(made),
            st.just(f"sha256={made[:-1]}"),
            st.just(f"sha256={made.upper()}"),
            st.text("0123456789abcdef", min_size=64, max_size=64).map("sha256=".__add__),
            st.text(st.characters(codec="ascii"), max_size=80).filter(
                lambda text: not text.startswith("sha1=")
            ),
        )
    )
    try:
        validate_event(body, signature=claim, secret=secret)
    except ValidationFailure:
        with pytest.raises(Forged):
            of_github(claim, body, secret)
    else:
        of_github(claim, body, secret)


@given(
    st.binary(min_size=24, max_size=64),
    st.from_regex(r"[A-Za-z0-9_-]{1,128}", fullmatch=True),
    st.text(st.characters(codec="utf-8"), max_size=100),
    st.integers(-400, 400).filter(lambda seconds: not 295 < abs(seconds) < 305),
    st.sampled_from(["good", "other key", "other body", "v2", "late in the list", "garbage"]),
)
def test_we_agree_with_standardwebhooks(
    key: bytes, identifier: str, body: str, age: int, form: str
) -> None:
    moment = datetime.fromtimestamp(int(time.time()) - age, UTC)
    secret = "whsec_" + base64.b64encode(key).decode()
    signing = Webhook(b"z" * 24) if form == "other key" else Webhook(secret)
    made = signing.sign(identifier, moment, body + ("!" if form == "other body" else ""))
    claim = {
        "v2": made.replace("v1,", "v2,"),
        "late in the list": f"v2,{WRONG} v1,{WRONG} {made}",
        "garbage": f"v1,{WRONG}",
    }.get(form, made)
    headers = {
        "webhook-id": identifier,
        "webhook-timestamp": str(int(moment.timestamp())),
        "webhook-signature": claim,
    }
    pairs, now = list(headers.items()), datetime.now(UTC)
    try:
        Webhook(secret).verify(body, headers, json_parse=False)
    except WebhookVerificationError:
        with pytest.raises(Forged):
            publisher.verify(pairs, body.encode(), [publisher.key_of(secret)], now)
    else:
        publisher.verify(pairs, body.encode(), [publisher.key_of(secret)], now)


@given(st.binary(min_size=24, max_size=64), st.binary(max_size=100))
def test_what_we_sign_standardwebhooks_accepts(key: bytes, noise: bytes) -> None:
    body = noise.hex().encode()
    headers = publisher.sign(key, "release-1", datetime.now(UTC), body)
    Webhook(key).verify(body, headers, json_parse=False)


@given(st.text(max_size=90))
def test_any_claim_is_a_signature_or_forged(text: str) -> None:
    for read in (from_hex, from_base64):
        with contextlib.suppress(Forged):
            assert 32 == len(read(text))
    for verify in (of_github, of_circleci):
        with pytest.raises(Forged):
            verify(text, b"body", "secret")
    with pytest.raises(Forged):
        of_publisher(standard(signature=text))
