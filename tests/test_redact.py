"""No secret is printed, whatever is around it and whoever prints it."""

import base64
import json
import subprocess
import sys
from pathlib import Path
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.kit.redact import GONE, SHORTEST, Secrets, forms_of
from bridge.settings import Settings
from tests.bridge_kit import SECRETS
from tests.canary_kit import PEM
from tests.test_canary import found

SECRET = "made-up/word+with=signs ä"
HIDE = Secrets([SECRET, PEM])
TALK = """
import logging, sys, threading, warnings
import structlog
from bridge.kit.log import configure
from bridge.kit.redact import Secrets
secret, kind = sys.argv[1], sys.argv[2]
configure(kind == "json", "debug", Secrets([secret]))
def fail(word):
    try:
        raise ValueError(f"no {word}")
    except ValueError as error:
        raise RuntimeError(word.encode()) from error
structlog.get_logger().info("said", what=secret, nested={"a": [secret]})
logging.getLogger("httpx").info("GET https://%s@index.test/?token=%s", secret, secret)
logging.getLogger("anybody").error("%r", secret.encode())
warnings.warn(secret)
print(secret, file=sys.stderr)
sys.stderr.writelines([secret, "\\n"])
try:
    fail(secret)
except RuntimeError:
    structlog.get_logger().exception("bug")
    logging.exception("bug")
thread = threading.Thread(target=fail, args=(secret,))
thread.start()
thread.join()
fail(secret)
"""


@given(st.binary(max_size=20), st.binary(max_size=20), st.sampled_from("bhuqp"))
def test_a_secret_is_found_in_every_encoding_whatever_stands_beside_it(
    before: bytes, after: bytes, how: str
) -> None:
    data = before + SECRET.encode() + after
    said = {
        "b": base64.b64encode(data),
        "u": base64.urlsafe_b64encode(data),
        "h": data.hex().encode(),
        "q": quote(data).encode(),
        "p": quote_plus(data).encode(),
    }[how]
    assert GONE.encode() in HIDE.out_of_bytes(said)


@given(st.text(max_size=200))
def test_ordinary_text_without_addresses_stays_as_it_is(text: str) -> None:
    if not any(sign in text for sign in ("//", "://", "_")):
        assert text == Secrets(["made-up-token"]).out_of(text)


@pytest.mark.parametrize(
    ("said", "shown"),
    [
        ("https://made-up:word@index.test/a", "https://…@index.test/a"),
        ("GET https://a.test/b?sig=made-up&x=1 200", "GET https://a.test/b?… 200"),
        ('"https://a.test/b?sig=made-up"', '"https://a.test/b?…"'),
        ("Authorization: Bearer made-up-token-of-somebody", "Authorization: Bearer …"),
        ("authorization: basic bWFkZS11cC10b2tlbjo=", "authorization: basic …"),
        ("token ghp_madeupmadeupmadeupmadeup.", "token …"),
        ("github_pat_11MADEUP0made_up_made_up", "…"),
        ("ghs_4242_made-up.made_up.made-up-made-up", "…"),
        ("HRKU-made-up-made-up-made-up", "…"),
        ("whsec_bWFkZS11cCBwdWJsaXNoZXIgc2VjcmV0", "…"),
        ("eyJtYWRlIjoidXAifQ.eyJtYWRlIjoidXAifQ.bWFkZXVw", "…"),
        ("key: -----BEGIN RSA PRIVATE KEY-----\nbWFkZS11cA==\n", "key: …"),
    ],
)
def test_what_looks_like_a_credential_is_not_shown(said: str, shown: str) -> None:
    assert shown == Secrets().out_of(said)


@pytest.mark.parametrize(
    "said",
    [
        "regression-model 0.1.1 is served by the basic authentication of bearers.",
        "Pull request #7 was merged by rosa as abababab.",
        "https://github.test/acme/model/pull/7",
        f"sha256:{'ab' * 32}",
        "Is this right? Yes.",
    ],
)
def test_what_people_read_is_shown(said: str) -> None:
    assert said == Secrets(["made-up-token"]).out_of(said)


@pytest.mark.parametrize("secret", ['made"up"word\\', "made-up-wörd", "made'up'\tword"])
def test_a_secret_is_found_as_a_program_spells_it(secret: str) -> None:
    for said in (json.dumps(secret), repr(secret), repr(secret.encode())):
        assert GONE == Secrets([secret]).out_of(said).removeprefix("b")[1:-1], said


def test_a_short_word_is_not_taken_for_a_secret() -> None:
    assert set() == forms_of("a" * (SHORTEST - 1))
    assert forms_of("a" * SHORTEST)


def test_bytes_that_are_no_text_come_out_as_they_were() -> None:
    assert b"\xff\x00\xfe" == HIDE.out_of_bytes(b"\xff\x00\xfe")
    assert "\udcff" == HIDE.out_of("\udcff")


def test_the_settings_know_all_their_secrets() -> None:
    made = Settings.model_validate(
        {
            "database_url": "postgresql://bridge:made%2Fup-database@db.test/b?password=made-up-too",
            "github": {"token": "made-up-github-token", "app_id": "1", "private_key": PEM},
            "heroku": {"token": "made-up-heroku-token"},
            "index": {"token": "made-up-index-token"},
            "webhook_secrets": {
                **SECRETS,
                "github": "made-up-first-of-them-all,made-up-second-one-of-them",
            },
        }
    )
    told = [
        *("made/up-database", "made-up-too", "made-up-github-token", "made-up-heroku-token"),
        *("made-up-index-token", "made-up-first-of-them-all", "made-up-second-one-of-them"),
        *(SECRETS["heroku"], SECRETS["circleci"], SECRETS["publisher"], "made-up publisher secret"),
        PEM.splitlines()[5],
    ]
    hide = made.secrets()
    assert [] == [word for word in told if word in hide.out_of(f"x{word}y")]
    assert "made%2Fup" not in repr(made)


@pytest.mark.parametrize("kind", ["json", "terminal"])
def test_nobody_prints_a_secret_to_standard_error(kind: str, tmp_path: Path) -> None:
    """Logs of all libraries, warnings, tracebacks of the main thread and of another."""
    secret = "made-up/canary+index=token"
    program = [sys.executable, "-W", "always", "-c", TALK, secret, kind]
    root = Path(__file__).parent.parent
    told = subprocess.run(program, capture_output=True, cwd=root, check=False)
    assert 1 == told.returncode
    assert b"Traceback" in told.stderr
    assert told.stderr.count(GONE.encode()) >= 12
    assert [] == found("standard error", told.stderr)


def test_the_log_is_quiet_about_requests_unless_it_is_asked() -> None:
    program = "from bridge.kit.log import configure\nimport logging\nconfigure(True)\n"
    program += "for name in ('httpx', 'httpcore.http11'): logging.getLogger(name).info('GET')"
    root = Path(__file__).parent.parent
    command = [sys.executable, "-c", program]
    told = subprocess.run(command, capture_output=True, cwd=root, check=True)
    assert (b"", b"") == (told.stdout, told.stderr)
