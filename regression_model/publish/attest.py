"""Signs, with the publish job's own key, that it built this very wheel.

The statement is the bridge's: see docs/provenance.md. OpenSSL signs, which every CI image has.
"""

import base64
import subprocess
import tempfile
from collections.abc import Mapping
from pathlib import Path

from publish.dist import PACKAGE, File
from publish.errors import NotPublished

KEY = "BRIDGE_ATTESTATION_KEY"


def statement(version: str, wheel: File) -> bytes:
    """The exact bytes under the signature."""
    return (
        "model-bridge attestation v1\n"
        f"package: {PACKAGE}\n"
        f"version: {version}\n"
        f"sha256: {wheel.sha256}\n"
    ).encode()


def attestations(version: str, wheel: File, environment: Mapping[str, str]) -> list[dict[str, str]]:
    """One signature, or none where there is no key. Raises NotPublished; never quotes the key."""
    key = environment.get(KEY)
    if not key:
        return []
    with tempfile.TemporaryDirectory() as folder:
        pem, said = Path(folder, "key.pem"), Path(folder, "statement")
        pem.write_text(key)
        said.write_bytes(statement(version, wheel))
        command = ["openssl", "pkeyutl", "-sign", "-rawin", "-inkey", str(pem), "-in", str(said)]
        try:
            made = subprocess.run(command, capture_output=True, check=True).stdout
        except (OSError, subprocess.CalledProcessError) as error:
            told = type(error).__name__
            raise NotPublished(
                f"OpenSSL 3 could not sign with {KEY} ({told}); is it an Ed25519 key?"
            ) from None
    if len(made) != 64:
        raise NotPublished(f"{KEY} is not an Ed25519 key")
    return [{"kind": "ed25519", "proof": base64.b64encode(made).decode()}]
