"""Signatures: every published vector, the senders' own libraries as oracles, and every odd form."""

import base64
import contextlib
import hashlib
import hmac
import time
from datetime import UTC, datetime, timedelta

import pytest
from gidgethub import ValidationFailure
from gidgethub.sansio import validate_event
from hypothesis import given
from hypothesis import strategies as st
from standardwebhooks import Webhook, WebhookVerificationError

import bridge.circleci.webhook as circleci
import bridge.github.webhook as github
import bridge.heroku.webhook as heroku
import bridge.publisher.webhook as publisher
from bridge.errors import Forged, Malformed, Misconfigured
from bridge.kit.signature import from_base64, from_hex, header, json_object, own_id
from tests.bridge_kit import NOW

Headers = list[tuple[str, str]]

GITHUB = [
    (
        "It's a Secret to Everybody",
        b"Hello, World!",
        "757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17",
    ),
    ("123456", b"gidget", "091319196718d5bcb1c20ad25fc890597423ecdbad1f947f560afd643b5000de"),
    (
        "mysecret",
        b'{"foo":"bar"}',
        "4864d2759938a15468b5df9ade20bf161da9b4f737ea61794142f3484236bda3",
    ),
    ("secret", b"data", "1b2c16b75bd2a870c114153ccda5bcfca63314bc722fa160d690de133ccbb9db"),
    (
        "development",
        '{"foo":"Foo\\n\\u001B[34mbar: ♥♥♥♥♥♥♥♥\\nthis-is-lost\\u001B[0m\\u001B[2K"}'.encode(),
        "afecc3caa27548bb90d51a50384cb2868b9a3327b4ad6a01c9bd4ed0f8b0b12c",
    ),
    (
        "development",
        b'{"foo":"\\\\u001b"}',
        "6f8326efbacfbd04e870cea25b5652e635be8c9807f2fd5348ef60753c9e96ed",
    ),
]
CIRCLECI = [
    (
        "secret",
        b"hello world",
        "734cc62f32841568f45715aeb9f4d7891324e6d948e4c6c60c0621cdac48623a",
    ),
    (
        "another-secret",
        b"lalala",
        "daa220016c8f29a8b214fbfc3671aeec2145cfb1e6790184ffb38b6d0425fa00",
    ),
    (
        "hunter123",
        b"an-important-request-payload",
        "9be2242094a9a8c00c64306f382a7f9d691de910b4a266f67bd314ef18ac49fa",
    ),
    ("secret", b"foo", "773ba44693c7553d6ee20f61ea5d2757a9a4f4a44d2841ae4e95b52e4cd62db4"),
]
FOOBAR = "4fcc06915b43d8a49aff193441e9e18654e6a27c2c428b02e8fcc41ccc2299f9"
HEROKU = [
    (b"\x0b" * 20, b"Hi There", "sDRMYdjbOFNcqK/OrwvxK4gdwgDJgz2nJuk3bC4yz/c="),
    (b"Jefe", b"what do ya want for nothing?", "W9zBRr9gdU5qBCQmCJV1x1oAPwidJzmDnexYuWTsOEM="),
    (b"\xaa" * 20, b"\xdd" * 50, "dz6pHjaADkaFTbjr0JGBpylZCYs++MEi2WNVFM7VZf4="),
    (
        b"\xaa" * 131,
        b"Test Using Larger Than Block-Size Key - Hash Key First",
        "YOQxWR7gtn8Niiaqy/W3f44LxiE3KMUUBUYEDw7jf1Q=",
    ),
    (b"secret", b"hello world", "c0zGLzKEFWj0VxWuufTXiRMk5tlI5MbGDAYhzaxIYjo="),
]
WHSEC = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw"
MSG, TS, BODY = "msg_p5jXN8AQM9LWM0D4loKWxJek", "1614265330", b'{"test": 2432232314}'
GOOD = "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="
WRONG = "Ceo5qEr07ixe2NLpvHk3FH9bwy/WavXrAFQ/9tdO6mc="
THEN = datetime.fromtimestamp(int(TS), UTC)


def of_github(claim: str, body: bytes, secret: str) -> None:
    github.verify([("X-Hub-Signature-256", claim)], body, [secret.encode()], NOW)


def of_circleci(claim: str, body: bytes, secret: str) -> None:
    circleci.verify([("circleci-signature", claim)], body, [secret.encode()], NOW)


def of_heroku(claim: str, body: bytes, key: bytes) -> None:
    heroku.verify([("Heroku-Webhook-Hmac-SHA256", claim)], body, [key], NOW)


def standard(**changes: str) -> Headers:
    """The headers of the published vector, with changes."""
    told = {"webhook-id": MSG, "webhook-timestamp": TS, "webhook-signature": f"v1,{GOOD}"}
    told.update({f"webhook-{name}": value for name, value in changes.items()})
    return list(told.items())


def of_publisher(headers: Headers, body: bytes = BODY, at: datetime = THEN) -> None:
    publisher.verify(headers, body, [publisher.key_of(WHSEC)], at)


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


def test_base64_has_one_spelling() -> None:
    """The last digit of 43 has two spare bits; four spellings decode to the same 32 bytes."""
    raw = base64.b64decode(HEROKU[1][2])
    twins = [f"{HEROKU[1][2][:42]}{last}=" for last in "MNOP"]
    assert [raw] * 4 == [base64.b64decode(twin) for twin in twins]
    assert [raw] == [from_base64(twin) for twin in twins if twin == HEROKU[1][2]]
    for twin in twins[1:]:
        with pytest.raises(Forged):
            from_base64(twin)


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


def test_a_doubled_header_is_refused() -> None:
    with pytest.raises(Forged, match="2 times"):
        header([("X-One", "a"), ("x-one", "a")], "x-one")
    with pytest.raises(Forged, match="0 times"):
        header([], "x-one")


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
