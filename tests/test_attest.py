"""`bridge announce` with an attestation: what the publish step sends, the bridge believes."""

import json
import os
import re
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

from bridge import cli
from bridge.attestation import Attestation
from bridge.errors import Malformed
from bridge.event import Published
from bridge.provenance.statement import verify
from bridge.provenance.trust import ed25519_key
from bridge.publisher.attest import by_bundle, wheel_of
from bridge.publisher.client import announcement
from bridge.publisher.webhook import parse
from tests.bridge_kit import NOW
from tests.provenance_kit import JOB_KEY, pem, public_pem
from tests.stories.town import model_wheel

Run = Callable[..., tuple[int, str, str]]
KEY = ed25519_key(public_pem(JOB_KEY))


@pytest.fixture
def dist(tmp_path: Path) -> Path:
    """A built wheel and the key of a publish job beside it."""
    file, data = model_wheel("0.1.1")
    path = tmp_path / file
    path.write_bytes(data)
    (tmp_path / "key.pem").write_bytes(pem(JOB_KEY))
    return path


@pytest.fixture
def announce(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """`bridge announce --dry-run`: its exit code and what it printed."""
    for name in [name for name in os.environ if name.startswith(("BRIDGE_", "CIRCLE"))]:
        monkeypatch.delenv(name)

    def run(*words: object) -> tuple[int, str, str]:
        line = ["bridge", "announce", "--dry-run", *map(str, words)]
        monkeypatch.setattr(sys, "argv", line)
        with pytest.raises(SystemExit) as end:
            cli.main()
        printed = capsys.readouterr()
        return int(end.value.code or 0), *printed

    return run


def told(printed: str) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(printed)["data"]["attestations"]
    return found


def test_a_key_signs_the_wheel(announce: Run, dist: Path) -> None:
    code, out, _ = announce(dist, "--attest", dist.parent / "key.pem")
    assert 0 == code
    (one,) = told(out)
    assert "ed25519" == one["kind"]
    assert KEY == verify(one["proof"], wheel_of([dist]), (KEY,))
    event = parse((), json.dumps(json.loads(out)).encode())
    assert isinstance(event, Published)
    assert [one["proof"]] == [each.proof for each in event.attestations]


def test_a_key_may_come_from_the_environment(
    announce: Run, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = told(announce(dist, "--attest", dist.parent / "key.pem")[1])
    monkeypatch.setenv("BRIDGE_ATTESTATION_KEY", pem(JOB_KEY).decode())
    assert signed == told(announce(dist)[1])
    monkeypatch.delenv("BRIDGE_ATTESTATION_KEY")
    monkeypatch.setenv("BRIDGE_ATTESTATION_KEY_FILE", str(dist.parent / "key.pem"))
    assert signed == told(announce(dist)[1])
    monkeypatch.setenv("BRIDGE_ATTESTATION_KEY_FILE", str(dist.parent / "missing.pem"))
    code, _, err = announce(dist)
    assert (2, True) == (code, "BRIDGE_ATTESTATION_KEY_FILE" in err)


def test_a_bad_key_is_wrong_words_and_is_not_printed(announce: Run, dist: Path) -> None:
    path = dist.parent / "bad.pem"
    path.write_text("made-up-canary")
    code, out, err = announce(dist, "--attest", path)
    assert (2, False) == (code, "canary" in out + err)


def test_circleci_vouches_for_the_job(
    announce: Run, dist: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A small program stands for CircleCI's; it gives back what it was asked."""
    program = dist.parent / "circleci"
    program.write_text('#!/bin/sh\necho "$*" | base64 | tr -d "\\n"\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{dist.parent}:{os.environ['PATH']}")
    code, out, _ = announce(dist, "--circleci", "--url", "https://bridge.example.com/")
    assert 0 == code
    (one,) = told(out)
    assert "circleci" == one["kind"]
    import base64

    asked = base64.b64decode(one["proof"]).decode()
    match = re.fullmatch(r"run oidc get --claims (.*)\n", asked)
    assert match
    sha256 = wheel_of([dist]).sha256
    assert {"aud": f"https://bridge.example.com#sha256={sha256}"} == json.loads(match[1])


@pytest.mark.parametrize("script", [None, "exit 3", "true"])
def test_without_a_token_nothing_is_announced(
    announce: Run, dist: Path, monkeypatch: pytest.MonkeyPatch, script: str | None
) -> None:
    if script:
        (dist.parent / "circleci").write_text(f"#!/bin/sh\n{script}\n")
        (dist.parent / "circleci").chmod(0o755)
    monkeypatch.setenv("PATH", str(dist.parent))
    code, out, err = announce(dist, "--circleci")
    assert (3, "", True) == (code, out, "no token from CircleCI" in err)


def test_a_bundle_is_carried_as_one_line_of_ascii(tmp_path: Path) -> None:
    path = tmp_path / "x.sigstore.json"
    path.write_text('{\n  "mediaType": "x",\n  "é": [1, 2]\n}\n')
    assert '{"mediaType":"x","\\u00e9":[1,2]}' == by_bundle(path).proof
    path.write_text("{")
    with pytest.raises(Malformed, match="not a sigstore bundle"):
        by_bundle(path)


def test_an_attestation_is_about_exactly_one_wheel(tmp_path: Path) -> None:
    for files in ([], [tmp_path / "m-1.tar.gz"], [tmp_path / "m-1.whl"]):
        with pytest.raises(Malformed):
            wheel_of(files)


def test_an_announcement_with_another_proof_is_another_delivery(dist: Path) -> None:
    """Else one that comes after one without would be a duplicate, and never be read."""
    bare = announcement([dist], NOW, None, None)
    one = announcement([dist], NOW, None, None, None, [Attestation(kind="a", proof="1")])
    two = announcement([dist], NOW, None, None, None, [Attestation(kind="a", proof="2")])
    assert 3 == len({bare.identifier, one.identifier, two.identifier})
    assert "attestations" not in json.loads(bare.body)["data"]
