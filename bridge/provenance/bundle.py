"""Sigstore's bundles: a certificate that names the CI job, its signature, and the public log.

The library does the cryptography, without the network. Two kinds of content are known: a signature
over the wheel itself (`cosign sign-blob`), and a signed in-toto statement with the wheel as its
only subject (`pypi-attestations sign`, in its own form or in a bundle's).
"""

import importlib.util
import json
from importlib.resources import files
from typing import TYPE_CHECKING

from pydantic import BaseModel, Field, ValidationError

from bridge.errors import Forged, Misconfigured
from bridge.provenance.statement import Wheel
from bridge.provenance.trust import CircleCi

if TYPE_CHECKING:
    from cryptography.x509 import Certificate
    from sigstore.models import Bundle
    from sigstore.verify import Verifier

PUBLIC = "public"
CARRIED = "https%3A%2F%2Ftuf-repo-cdn.sigstore.dev/trusted_root.json"
OIDS = "1.3.6.1.4.1.57264.1"
ISSUER, WORKLOAD, ORIGIN, REF, RUN = (f"{OIDS}.{last}" for last in (8, 9, 12, 14, 21))
"""Source: https://github.com/sigstore/fulcio/blob/main/docs/oid-info.md"""
STATEMENT_TYPES = ("https://in-toto.io/Statement/v1", "https://in-toto.io/Statement/v0.1")
IN_TOTO = "application/vnd.in-toto+json"


class _Subject(BaseModel):
    name: str
    digest: dict[str, str]


class _Statement(BaseModel):
    type: str = Field(alias="_type")
    subject: list[_Subject] = Field(min_length=1, max_length=1)


class _Publisher:
    """Sigstore's idea of a policy: it looks at the certificate, and remembers the run."""

    def __init__(self, trusted: CircleCi, version: str) -> None:
        self._trusted = trusted
        self._version = version
        self.ref = ""
        self.run = ""

    def verify(self, cert: "Certificate") -> None:
        """Raises Forged unless the trusted pipeline definition signed, from a ref that may."""
        trusted = self._trusted
        if _extension(cert, ISSUER) not in (trusted.url, trusted.issuer):
            raise Forged("another issuer vouched for the signer")
        if _extension(cert, WORKLOAD) != trusted.workload:
            raise Forged("another project or pipeline definition signed it")
        if _extension(cert, ORIGIN) != trusted.vcs_origin:
            raise Forged("the job ran another repository")
        self.ref = _extension(cert, REF)
        if not trusted.allows(self.ref, self._version):
            raise Forged(f"the job ran on {self.ref[:80]!a}, which may not publish {self._version}")
        self.run = _extension(cert, RUN)


def must_be_installed() -> None:
    """Raises Misconfigured where sigstore's library is missing."""
    if not all(importlib.util.find_spec(name) for name in ("sigstore", "pypi_attestations")):
        raise Misconfigured(
            "pipeline.provenance.sigstore needs the library: pip install 'model-bridge[sigstore]'"
        )


def verifier(root: str) -> "Verifier":
    """Made of the root that the library carries ("public"), or of a file; raises Misconfigured.

    Not `Verifier.production(offline=True)`: that one takes whatever root lies in the home folder.
    """
    must_be_installed()
    from sigstore.errors import Error
    from sigstore.models import TrustedRoot
    from sigstore.verify import Verifier

    try:
        path = files("sigstore") / "_store" / CARRIED if root == PUBLIC else root
        return Verifier(trusted_root=TrustedRoot.from_file(str(path)))
    except (OSError, ValueError, Error) as error:
        told = type(error).__name__
        raise Misconfigured(f"pipeline.provenance.sigstore: no usable root ({told})") from error


def verify(proof: str, wheel: Wheel, trusted: CircleCi, root: "Verifier") -> tuple[str, str]:
    """The ref and the address of the run that signed; raises Forged."""
    from sigstore.errors import Error
    from sigstore.hashes import Hashed
    from sigstore_models.common.v1 import HashAlgorithm

    publisher = _Publisher(trusted, wheel.version)
    bundle, is_statement = _read(proof)
    try:
        if is_statement:
            kind, payload = root.verify_dsse(bundle, publisher)
            _must_be_about(wheel, kind, payload)
        else:
            digest = Hashed(digest=bytes.fromhex(wheel.sha256), algorithm=HashAlgorithm.SHA2_256)
            root.verify_artifact(digest, bundle, publisher)
    except Error as error:
        raise Forged(f"sigstore: {str(error)[:200]!a}") from error
    except ValueError as error:
        raise Forged("sigstore cannot read what is in it") from error
    return publisher.ref, publisher.run


def _read(proof: str) -> tuple["Bundle", bool]:
    """A bundle, and whether it holds a statement; raises Forged."""
    from pypi_attestations import Attestation, ConversionError
    from sigstore.errors import Error
    from sigstore.models import Bundle

    try:
        told = json.loads(proof)
        if isinstance(told, dict) and "envelope" in told and "mediaType" not in told:
            return Attestation.model_validate_json(proof).to_bundle(), True
        return Bundle.from_json(proof), isinstance(told, dict) and "dsseEnvelope" in told
    except (ValueError, KeyError, TypeError, RecursionError, Error, ConversionError) as error:
        raise Forged("it is not a sigstore bundle") from error


def _must_be_about(wheel: Wheel, kind: str, payload: bytes) -> None:
    if kind != IN_TOTO:
        raise Forged("it signs something else than an in-toto statement")
    try:
        said = _Statement.model_validate_json(payload)
    except ValidationError as error:
        raise Forged("its statement is not about exactly one file") from error
    if said.type not in STATEMENT_TYPES:
        raise Forged("its statement is of another type")
    if said.subject[0].name != wheel.file:
        raise Forged("its statement is about a file of another name")
    if said.subject[0].digest.get("sha256") != wheel.sha256:
        raise Forged("its statement is about other bytes")


def _extension(cert: "Certificate", oid: str) -> str:
    """One of Fulcio's extensions, a UTF8String; raises Forged when it is not there."""
    from cryptography.hazmat import asn1
    from cryptography.x509 import ExtensionNotFound, ObjectIdentifier, UnrecognizedExtension

    try:
        found = cert.extensions.get_extension_for_oid(ObjectIdentifier(oid)).value
        if isinstance(found, UnrecognizedExtension):
            return asn1.decode_der(str, found.value)
    except (ExtensionNotFound, ValueError) as error:
        raise Forged(f"the certificate does not say {oid}") from error
    raise Forged(f"the certificate does not say {oid}")
