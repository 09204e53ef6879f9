"""The real process: it refuses to be open to all, greets with who may, and prints no token."""

import contextlib
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

import httpx
import pytest

from bridge.rehearsal.hosting import free_port
from tests.people_kit import CAROL, OWN_PAGE, ROSA, carrying
from tests.test_settings import TOML

EVERYWHERE = "0.0.0.0"  # noqa: S104
GUESS = "made-up-canary-guess-of-a-token"
SIGN_IN = {"BRIDGE_WEB__OPERATOR_TOKENS__ROSA": ROSA}


def environment(folder: Path, **more: str) -> dict[str, str]:
    (folder / "bridge.toml").write_text(TOML)
    own = {name: value for name, value in os.environ.items() if not name.startswith("BRIDGE_")}
    return {
        **own,
        "BRIDGE_CONFIG": str(folder / "bridge.toml"),
        "BRIDGE_DATABASE_URL": f"sqlite:///{folder / 'bridge.db'}",
        "BRIDGE_LOG_LEVEL": "debug",
        "BRIDGE_SWEEP_EVERY": "1h",
        **more,
    }


@contextlib.contextmanager
def serving(folder: Path, *words: str, **more: str) -> Iterator[tuple[httpx.Client, Path]]:
    """A served bridge, somebody at this machine who asks it, and what it prints."""
    port, log = free_port(), folder / "bridge.log"
    with log.open("wb") as printed:
        process = subprocess.Popen(
            [sys.executable, "-m", "bridge", "serve", "--port", str(port), *words],
            env=environment(folder, **more),
            stdout=printed,
            stderr=printed,
        )
    try:
        with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as client:
            for _ in range(300):
                with contextlib.suppress(httpx.TransportError):
                    client.get("/livez")
                    break
                assert process.poll() is None, log.read_text()
                time.sleep(0.1)
            yield client, log
    finally:
        process.terminate()
        process.wait(20)


def test_open_to_all_is_2_and_says_what_to_set(tmp_path: Path) -> None:
    told = subprocess.run(
        [sys.executable, "-m", "bridge", "serve", "--host", EVERYWHERE],
        env=environment(tmp_path),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert 2 == told.returncode
    assert "BRIDGE_WEB__OPERATOR_TOKENS__NAME" in "".join(told.stderr.split("\n"))
    assert not (tmp_path / "bridge.db").exists()


def test_webhooks_alone_may_be_open_to_all(tmp_path: Path) -> None:
    with serving(tmp_path, "--host", EVERYWHERE, BRIDGE_WEB__PAGES="false") as (client, log):
        for path, status in (("/livez", 200), ("/", 404), ("/api/v1/releases", 404)):
            assert status == client.get(path).status_code
        for path in ("/sign-in", "/everything/pause", "/api/v1/everything/pause"):
            assert 404 == client.post(path, json={"reason": "x"}, headers=OWN_PAGE).status_code
        assert "No pages" in log.read_text()


def test_at_this_machine_one_looks_and_acts_without_signing_in(tmp_path: Path) -> None:
    with serving(tmp_path, BRIDGE_PUBLIC_URL="http://127.0.0.1:8000") as (client, log):
        assert 200 == client.get("/").status_code
        done = client.post("/api/v1/everything/pause", json={"reason": "A test."})
        assert "somebody at this machine" in done.json()["sentence"]
        assert 403 == client.post("/everything/resume", data={"reason": "x"}).status_code
        assert 403 == client.get("/", headers={"x-forwarded-for": "192.0.2.7"}).status_code
        assert 403 == client.get("/", headers={"host": "evil.test"}).status_code
        assert "Nobody signs in, and whoever sits here may act" in " ".join(log.read_text().split())


def test_a_served_bridge_knows_the_real_peer_and_prints_no_token(tmp_path: Path) -> None:
    spoofed = {"x-forwarded-user": "rosa", "x-forwarded-for": "10.1.2.3"}
    with serving(
        tmp_path,
        *("--host", EVERYWHERE),
        **SIGN_IN,
        BRIDGE_WEB__VIEWER_TOKENS__CAROL=CAROL,
        BRIDGE_WEB__PROXY='{"trusted": ["10.0.0.0/8"], "operators": ["rosa"]}',
    ) as (client, log):
        assert 401 == client.get("/", headers=spoofed).status_code
        assert 401 == client.get(f"/?token={ROSA}").status_code
        assert 401 == client.get("/", headers=carrying(GUESS)).status_code
        assert 401 == client.post("/sign-in", data={"token": GUESS}, headers=OWN_PAGE).status_code
        assert 200 == client.get("/", headers=carrying(CAROL)).status_code
        signed_in = client.post("/sign-in", data={"token": ROSA}, headers=OWN_PAGE)
        assert "__Host-bridge=" in signed_in.headers["set-cookie"]
        printed = log.read_text()
    told = " ".join(printed.split())
    assert "carol may look, rosa may act" in told
    assert "10.0.0.0/8 names in X-Forwarded-User may look, rosa may act" in told
    assert "signed in" in told
    assert "wrong token" in told
    cookie = signed_in.headers["set-cookie"].split("=", 1)[1].split(";")[0]
    kept = b"".join(path.read_bytes() for path in tmp_path.glob("bridge.db*")).decode("latin-1")
    for secret in (ROSA, CAROL, GUESS, cookie):
        assert secret not in printed
        assert secret not in kept


@pytest.mark.parametrize("way", ["file", "variable"])
def test_a_token_may_come_from_a_file(tmp_path: Path, way: str) -> None:
    (tmp_path / "token").write_text(f"{ROSA}\n")
    told = (
        SIGN_IN
        if way == "variable"
        else {"BRIDGE_WEB__OPERATOR_TOKENS__ROSA_FILE": str(tmp_path / "token")}
    )
    with serving(tmp_path, **told) as (client, _):
        assert 401 == client.get("/").status_code
        assert 200 == client.get("/", headers=carrying(ROSA)).status_code
