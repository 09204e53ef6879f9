"""What a publish job signs with its own Ed25519 key: four lines that bind a wheel to its name.

    model-bridge attestation v1
    package: regression-model
    version: 0.1.1
    sha256: <64 lower-case hex digits of the wheel>

ASCII, each line ended by one line feed, the name and the version in their normal form.
"""

import base64
import binascii
from dataclasses import dataclass

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import load_pem_private_key
from packaging.utils import canonicalize_name
from packaging.version import Version

from bridge.errors import Forged, Misconfigured


@dataclass(frozen=True)
class Wheel:
    """The file that is vouched for; `digest` is `sha256:`+hex of what was downloaded."""

    package: str
    version: str
    file: str
    digest: str

    @property
    def sha256(self) -> str:
        """Only the hex digits."""
        return self.digest.removeprefix("sha256:")


def statement(wheel: Wheel) -> bytes:
    """The exact bytes under the signature."""
    lines = (
        "model-bridge attestation v1",
        f"package: {canonicalize_name(wheel.package)}",
        f"version: {Version(wheel.version)}",
        f"sha256: {wheel.sha256}",
    )
    return "".join(f"{line}\n" for line in lines).encode()


def sign(wheel: Wheel, pem: bytes) -> str:
    """The base64 of the signature; raises Misconfigured for what is no Ed25519 key in PEM form."""
    try:
        key = load_pem_private_key(pem, password=None)
    except (ValueError, TypeError):
        raise Misconfigured("the attestation key is not an unencrypted key in PEM form") from None
    if not isinstance(key, Ed25519PrivateKey):
        raise Misconfigured("the attestation key is not an Ed25519 key")
    return base64.b64encode(key.sign(statement(wheel))).decode()


def verify(proof: str, wheel: Wheel, keys: tuple[str, ...]) -> str:
    """Which of `keys` signed; raises Forged when none did."""
    try:
        signature = base64.b64decode(proof, validate=True)
    except (binascii.Error, ValueError) as error:
        raise Forged("the signature is not base64") from error
    for key in keys:
        try:
            public = Ed25519PublicKey.from_public_bytes(base64.b64decode(key))
            public.verify(signature, statement(wheel))
        except InvalidSignature:
            continue
        return key
    raise Forged("no trusted key signed this name, version and digest")
