"""Settings: two sources, no half ways in; and no secret ever comes out again."""

import base64
import dataclasses
import logging
import os
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
import structlog

from bridge.errors import Misconfigured
from bridge.kit.log import configure
from bridge.rehearsal.gate import Fault
from bridge.release import Stage
from bridge.settings import Settings, load
from tests.bridge_kit import SECRETS, settings
from tests.stories import town as made_up
from tests.stories.town import Town

TOML = """\
public_url = "https://bridge.example.com"

[[pipeline]]
name         = "house-prices"
package      = "regression-model"
index        = "https://index.test/acme/"
repository   = "acme/model-deployment"
requirements = "api/requirements.txt"
app          = "house-prices-api"
app_root     = "api"
api_url      = "https://api.test"
circleci     = { project = "gh/acme/model-deployment", workflow = "regression-model" }

[pipeline.policy]
merge     = "auto"
verify    = { matches = 5, every = "500ms", within = "3m" }
"""


@pytest.fixture(autouse=True)
def environment(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No setting of this machine; what is set is taken back."""
    monkeypatch.chdir(tmp_path)
    kept = dict(os.environ)
    for name in [name for name in os.environ if name.startswith("BRIDGE_")]:
        del os.environ[name]
    yield
    os.environ.clear()
    os.environ.update(kept)


def test_the_file_tells_the_pipelines(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(TOML)
    found = load()
    (one,) = found.pipeline
    assert ("auto", 5, timedelta(minutes=3)) == (
        one.policy.merge,
        one.policy.verify.matches,
        one.policy.verify.within,
    )
    assert "github/acme/model-deployment" == (one.circleci.slug if one.circleci else None)
    assert "sqlite:///bridge.db" == found.database_url
    assert "https://bridge.example.com" == found.public_url


def test_the_file_may_lie_elsewhere_but_must_be_there(tmp_path: Path) -> None:
    other = tmp_path / "other.toml"
    os.environ["BRIDGE_CONFIG"] = str(other)
    with pytest.raises(Misconfigured, match="BRIDGE_CONFIG"):
        load()
    other.write_text(TOML)
    assert 1 == len(load().pipeline)


def test_the_environment_wins_over_the_file(tmp_path: Path) -> None:
    (tmp_path / "bridge.toml").write_text(TOML + '\n[github]\nurl = "https://github.test"\n')
    os.environ["BRIDGE_PUBLIC_URL"] = "https://other.example.com"
    os.environ["BRIDGE_GITHUB__TOKEN"] = "made-up-token"
    found = load()
    assert ("https://other.example.com", "https://github.test") == (
        found.public_url,
        found.github.url,
    )
    assert found.github.token is not None
    assert "made-up-token" == found.github.token.get_secret_value()


def test_several_secrets_are_active_at_once() -> None:
    one, two = SECRETS["github"], "made-up-github-secret-1111"
    os.environ["BRIDGE_WEBHOOK_SECRETS__GITHUB"] = f"{one}, {two},"
    assert [one.encode(), two.encode()] == load().webhook_secrets.keys("github")
    assert [] == load().webhook_secrets.keys("heroku")


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("made-up-token\n")
    os.environ["BRIDGE_HEROKU__TOKEN_FILE"] = str(tmp_path / "token")
    token = load().heroku.token
    assert "made-up-token" == (token.get_secret_value() if token else None)


def test_the_variable_itself_wins_over_its_file(tmp_path: Path) -> None:
    (tmp_path / "token").write_text("from-the-file")
    os.environ["BRIDGE_HEROKU__TOKEN_FILE"] = str(tmp_path / "token")
    os.environ["BRIDGE_HEROKU__TOKEN"] = "from-the-variable"
    token = load().heroku.token
    assert "from-the-variable" == (token.get_secret_value() if token else None)


@pytest.mark.parametrize("content", [None, b"\xff\xfe\x00made-up"])
def test_a_secrets_file_that_cannot_be_read_is_a_configuration_error(
    tmp_path: Path, content: bytes | None
) -> None:
    if content is not None:
        (tmp_path / "token").write_bytes(content)
    os.environ["BRIDGE_HEROKU__TOKEN_FILE"] = str(tmp_path / "token")
    with pytest.raises(Misconfigured, match="BRIDGE_HEROKU__TOKEN_FILE"):
        load()


@pytest.mark.parametrize(
    "toml",
    [
        "public_url = ",
        '[[pipeline]]\nname = "only"\n',
        TOML + TOML.partition("\n\n")[2],
        TOML.replace('merge     = "auto"', 'merge = "made-up-word"'),
        TOML.replace('"500ms"', '"99999999999999d"'),
    ],
)
def test_a_file_that_makes_no_sense_is_a_configuration_error(tmp_path: Path, toml: str) -> None:
    (tmp_path / "bridge.toml").write_text(toml)
    with pytest.raises(Misconfigured) as told:
        load()
    assert "made-up-word" not in str(told.value)


@pytest.mark.parametrize("missing", ["APP_ID", "PRIVATE_KEY"])
def test_half_an_app_is_no_way_in(missing: str) -> None:
    both = {"APP_ID": "4711", "PRIVATE_KEY": "made-up-key"}
    for name in both.keys() - {missing}:
        os.environ[f"BRIDGE_GITHUB__{name}"] = both[name]
    with pytest.raises(Misconfigured, match="belong together") as told:
        load()
    assert "made-up-key" not in str(told.value)


def test_a_key_in_one_line_is_put_into_lines() -> None:
    os.environ["BRIDGE_GITHUB__APP_ID"] = "4711"
    os.environ["BRIDGE_GITHUB__PRIVATE_KEY"] = r"-----BEGIN-----\nmade-up\n-----END-----"
    key = load().github.private_key
    assert key is not None
    assert ["-----BEGIN-----", "made-up", "-----END-----"] == key.get_secret_value().splitlines()


@pytest.mark.parametrize(
    ("token", "classic"),
    [("ghp_made_up", True), ("github_pat_made_up", False), ("ghs_made_up", False)],
)
def test_a_classic_token_is_known(token: str, classic: bool) -> None:
    os.environ["BRIDGE_GITHUB__TOKEN"] = token
    assert classic == load().github.is_classic


@pytest.mark.parametrize("name", ["GITHUB", "HEROKU"])
def test_an_address_with_a_token_in_it_is_refused_unshown(name: str) -> None:
    os.environ[f"BRIDGE_{name}__URL"] = "https://made-up-token@api.example.com"
    with pytest.raises(Misconfigured, match=f"{name.lower()}.url") as told:
        load()
    assert "made-up-token" not in str(told.value)


def test_settings_do_not_show_their_secrets(tmp_path: Path) -> None:
    made = settings(
        tmp_path,
        github={"app_id": "4711", "private_key": "made-up-key"},
        heroku={"token": "made-up-token"},
        index={"token": "made-up-token"},
    )
    shown = f"{made!r} {made} {made.model_dump()} {made.model_dump_json()}"
    for secret in (*SECRETS.values(), "made-up-key", "made-up-token"):
        assert secret not in shown


def test_nothing_needs_to_be_set() -> None:
    assert Settings().webhook_secrets.keys("github") == []


CANARIES = [
    "made-up-github-token",
    "made-up-heroku-token",
    "made-up-read-token",
    made_up.GITHUB_SECRET,
    made_up.HEROKU_SECRET,
    made_up.CIRCLECI_SECRET,
    made_up.PUBLISHER_SECRET.removeprefix("whsec_"),
    "made-up publisher secret",
    base64.b64encode(b"made-up-read-token:").decode(),
]


@pytest.fixture
def quiet_again() -> Iterator[None]:
    """The log is set up for this test only."""
    yield
    structlog.reset_defaults()


def on_disk(folder: Path) -> bytes:
    """The database with whatever lies beside it."""
    return b"".join(path.read_bytes() for path in folder.glob("bridge.db*"))


@pytest.mark.usefixtures("quiet_again")
@pytest.mark.parametrize("trouble", [None, "unauthorized", "rolled back"])
async def test_no_secret_leaves(
    tmp_path: Path,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
    trouble: str | None,
) -> None:
    """Not to a log at its most talkative, not to the terminal, not to the database or a page."""
    configure(json=True)
    caplog.set_level(logging.DEBUG)
    for name in ("httpx", "httpcore", "sqlalchemy", "asyncio", "alembic"):
        caplog.set_level(logging.DEBUG, name)
    place = Town(tmp_path)
    told = {"message": "Bad credentials"}
    if trouble == "unauthorized":
        place.github.before = lambda name: Fault("refuse", 401, told)
    place.runner.wrong_answers = trouble == "rolled back"
    letter = await place.publish("0.1.0")
    await place.run(timedelta(minutes=3))
    assert await place.deliver(dataclasses.replace(letter, body=b"{}")) == 401
    stage = place.release("0.1.0").stage
    assert (stage is Stage.VERIFIED) == (trouble is None)
    await place.close()
    printed, kept = capfd.readouterr(), on_disk(tmp_path)
    said = printed.out + printed.err + caplog.text
    assert "moved" in said, "the log was listened to"
    assert b"regression-model" in kept
    for canary in CANARIES:
        assert canary not in said
        assert canary.encode() not in kept
