"""Attest the wheel that is announced: with an Ed25519 key, a sigstore bundle, CircleCI's token."""

import hashlib
import json
import subprocess
from collections.abc import Sequence
from pathlib import Path

from packaging.utils import InvalidWheelFilename, parse_wheel_filename

from bridge.attestation import Attestation
from bridge.errors import Malformed, Unavailable
from bridge.provenance.statement import Wheel, sign
from bridge.provenance.token import audience

TOKEN_WITHIN = 60


def wheel_of(files: Sequence[Path]) -> Wheel:
    """The one wheel among the built files; raises Malformed."""
    wheels = [path for path in files if path.suffix == ".whl"]
    if len(wheels) != 1:
        raise Malformed(f"{len(wheels)} wheels; an attestation is about exactly one")
    try:
        name, version, _, _ = parse_wheel_filename(wheels[0].name)
    except InvalidWheelFilename as error:
        raise Malformed(f"{wheels[0].name} is not a wheel") from error
    digest = hashlib.sha256(wheels[0].read_bytes()).hexdigest()
    return Wheel(name, str(version), wheels[0].name, f"sha256:{digest}")


def by_key(wheel: Wheel, pem: bytes) -> Attestation:
    """Signed with the publish job's own key; raises Misconfigured."""
    return Attestation(kind="ed25519", proof=sign(wheel, pem))


def by_bundle(path: Path) -> Attestation:
    """What cosign or pypi-attestations wrote, in one line; raises Malformed."""
    try:
        told = json.loads(path.read_bytes())
    except (OSError, ValueError) as error:
        raise Malformed(f"{path} is not a sigstore bundle ({type(error).__name__})") from error
    return Attestation(kind="sigstore", proof=json.dumps(told, separators=(",", ":")))


def by_token(wheel: Wheel, public_url: str) -> Attestation:
    """Asks CircleCI, inside of a job, for a token over this wheel; raises Unavailable."""
    claims = json.dumps({"aud": audience(public_url, wheel)})
    command = ["circleci", "run", "oidc", "get", "--claims", claims]
    try:
        asked = subprocess.run(command, capture_output=True, timeout=TOKEN_WITHIN, check=False)
    except (OSError, subprocess.TimeoutExpired) as error:
        raise Unavailable(f"no token from CircleCI ({type(error).__name__})") from None
    if asked.returncode or not asked.stdout.strip():
        raise Unavailable(f"no token from CircleCI (it ended with {asked.returncode})")
    return Attestation(kind="circleci", proof=asked.stdout.decode(errors="replace").strip())
