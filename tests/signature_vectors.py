"""Test vectors that the senders publish, or that independent libraries test with.

Sources: GitHub's manual, gidgethub, octokit; CircleCI's manual; RFC 4231 in base64 for Heroku,
which publishes none; the Standard Webhooks suites.
"""

from datetime import UTC, datetime

import bridge.circleci.webhook as circleci
import bridge.github.webhook as github
import bridge.heroku.webhook as heroku
import bridge.publisher.webhook as publisher
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
