"""The publish job vouches for the wheel that it built."""

import base64
import hashlib
import json
import shutil
import subprocess
from pathlib import Path

import pytest
from neighbours import Neighbours
from publish import dist
from publish.attest import KEY, statement
from publish.errors import NotPublished
from publishing import environment, run

from regression_model import __version__

pytestmark = pytest.mark.skipif(not shutil.which("openssl"), reason="OpenSSL is not installed")


def openssl(folder: Path, *words: str) -> str:
    told = subprocess.run(["openssl", *words], cwd=folder, capture_output=True, check=True)
    return told.stdout.decode()


def attested(body: bytes) -> list[dict[str, str]]:
    found: list[dict[str, str]] = json.loads(body)["data"].get("attestations", [])
    return found


def test_the_announcement_carries_a_signature_of_the_wheel(
    town: Neighbours, project: Path, built: list[dist.File], tmp_path: Path
) -> None:
    key = openssl(tmp_path, "genpkey", "-algorithm", "ed25519")
    run(project, built, environment(town))
    run(project, built, environment(town, **{KEY: key}))
    bare, told = town.asked("/webhooks/publisher")
    assert attested(bare.body) == []
    assert bare.headers["webhook-id"] != told.headers["webhook-id"], "else it is a duplicate"

    [one] = attested(told.body)
    assert one["kind"] == "ed25519"
    (tmp_path / "key.pem").write_text(key)
    (tmp_path / "signature").write_bytes(base64.b64decode(one["proof"]))
    sha256 = hashlib.sha256(dist.wheel(built).path.read_bytes()).hexdigest()
    words = f"package: regression-model\nversion: {__version__}\nsha256: {sha256}\n"
    (tmp_path / "statement").write_text(f"model-bridge attestation v1\n{words}")
    assert (tmp_path / "statement").read_bytes() == statement(__version__, dist.wheel(built))
    verify = ("pkeyutl", "-verify", "-rawin", "-inkey", "key.pem", "-in", "statement")
    assert "Verified Successfully" in openssl(tmp_path, *verify, "-sigfile", "signature")


@pytest.mark.parametrize("algorithm", [None, "rsa"])
def test_another_key_is_not_used_and_not_printed(
    town: Neighbours, project: Path, built: list[dist.File], tmp_path: Path, algorithm: str | None
) -> None:
    key = openssl(tmp_path, "genpkey", "-algorithm", algorithm) if algorithm else "made-up-canary"
    with pytest.raises(NotPublished, match=KEY) as told:
        run(project, built, environment(town, **{KEY: key}))
    assert key not in str(told.value)
    assert not town.asked("/webhooks/publisher")
