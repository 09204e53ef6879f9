"""A small sigstore of our own: an authority, a log of certificates and a log of signatures.

The real library verifies their bundles, against a trusted root that names their keys.
"""

import base64
import hashlib
import json
import struct
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat import asn1
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

from bridge.provenance.bundle import ISSUER, ORIGIN, REF, RUN, WORKLOAD
from bridge.provenance.statement import Wheel
from tests.provenance_kit import CIRCLECI

SCT_LIST = x509.ObjectIdentifier("1.3.6.1.4.1.11129.2.4.2")
SHA256 = ec.ECDSA(hashes.SHA256())
BEGAN = datetime(2026, 1, 1, tzinfo=UTC)
SIGNED_AT = datetime(2026, 11, 23, 8, 59, tzinfo=UTC)
PREDICATE = "https://example.com/publish/v1"
SAID = {
    ISSUER: CIRCLECI.url,
    WORKLOAD: CIRCLECI.workload,
    ORIGIN: CIRCLECI.vcs_origin,
    REF: "refs/tags/v0.1.1",
    RUN: "https://circleci.test/run/1",
}


def b64(raw: bytes) -> str:
    return base64.b64encode(raw).decode()


def der(key: ec.EllipticCurvePrivateKey) -> bytes:
    return key.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)


def dumped(told: object) -> bytes:
    """Canonical enough: sorted, and nothing but ASCII words and whole numbers."""
    return json.dumps(told, sort_keys=True, separators=(",", ":")).encode()


class Sigstore:
    """One instance, with keys of its own."""

    def __init__(self) -> None:
        self.ca, self.certificates, self.log = (
            ec.generate_private_key(ec.SECP256R1()) for _ in range(3)
        )
        self.root = self._certificate_of_the_ca()

    def trusted_root(self, path: Path) -> str:
        """Write what a verifier must trust; the path."""
        valid = {"start": "2026-01-01T00:00:00Z"}

        def log(url: str, key: ec.EllipticCurvePrivateKey) -> dict[str, object]:
            public = {"rawBytes": b64(der(key)), "keyDetails": "PKIX_ECDSA_P256_SHA_256"}
            return {
                "baseUrl": url,
                "hashAlgorithm": "SHA2_256",
                "publicKey": {**public, "validFor": valid},
                "logId": {"keyId": b64(hashlib.sha256(der(key)).digest())},
            }

        chain = {"certificates": [{"rawBytes": b64(self.root.public_bytes(Encoding.DER))}]}
        authority = {
            "subject": {"organization": "made-up", "commonName": "made-up"},
            "uri": "https://fulcio.test",
            "certChain": chain,
            "validFor": valid,
        }
        told = {
            "mediaType": "application/vnd.dev.sigstore.trustedroot+json;version=0.1",
            "tlogs": [log("https://rekor.test", self.log)],
            "certificateAuthorities": [authority],
            "ctlogs": [log("https://ct.test", self.certificates)],
        }
        path.write_bytes(dumped(told))
        return str(path)

    def sign_blob(
        self,
        wheel: Wheel,
        said: dict[str, str | None] | None = None,
        at: datetime = SIGNED_AT,
        logged_at: datetime | None = None,
    ) -> dict[str, object]:
        """What `cosign sign-blob --bundle` writes."""
        key, leaf = self.leaf(said, at)
        digest = bytes.fromhex(wheel.sha256)
        signature = key.sign(digest, ec.ECDSA(_prehashed()))
        pem = b64(leaf.public_bytes(Encoding.PEM))
        body: dict[str, object] = {
            "apiVersion": "0.0.1",
            "kind": "hashedrekord",
            "spec": {
                "data": {"hash": {"algorithm": "sha256", "value": wheel.sha256}},
                "signature": {"content": b64(signature), "publicKey": {"content": pem}},
            },
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": self._material(leaf, body, logged_at or at),
            "messageSignature": {
                "messageDigest": {"algorithm": "SHA2_256", "digest": b64(digest)},
                "signature": b64(signature),
            },
        }

    def attest(
        self,
        wheel: Wheel,
        said: dict[str, str | None] | None = None,
        kind: str = "application/vnd.in-toto+json",
        **statement: object,
    ) -> dict[str, object]:
        """A bundle with a signed in-toto statement about the wheel."""
        told = {
            "_type": "https://in-toto.io/Statement/v1",
            "subject": [{"name": wheel.file, "digest": {"sha256": wheel.sha256}}],
            "predicateType": PREDICATE,
            "predicate": None,
            **statement,
        }
        payload = dumped(told)
        key, leaf = self.leaf(said, SIGNED_AT)
        signed = b"DSSEv1 %d %s %d %s" % (len(kind), kind.encode(), len(payload), payload)
        signature = key.sign(signed, SHA256)
        verifier = b64(leaf.public_bytes(Encoding.PEM))
        body: dict[str, object] = {
            "apiVersion": "0.0.1",
            "kind": "dsse",
            "spec": {
                "envelopeHash": {"algorithm": "sha256", "value": "0" * 64},
                "payloadHash": {
                    "algorithm": "sha256",
                    "value": hashlib.sha256(payload).hexdigest(),
                },
                "signatures": [{"signature": b64(signature), "verifier": verifier}],
            },
        }
        return {
            "mediaType": "application/vnd.dev.sigstore.bundle.v0.3+json",
            "verificationMaterial": self._material(leaf, body, SIGNED_AT),
            "dsseEnvelope": {
                "payload": b64(payload),
                "payloadType": kind,
                "signatures": [{"sig": b64(signature)}],
            },
        }

    def leaf(
        self, said: dict[str, str | None] | None, at: datetime
    ) -> tuple[ec.EllipticCurvePrivateKey, x509.Certificate]:
        """A job's key and its certificate, good for ten minutes, as Fulcio issues them."""
        key = ec.generate_private_key(ec.SECP256R1())
        names = {**SAID, **(said or {})}
        uri = x509.UniformResourceIdentifier(CIRCLECI.workload)
        made = (
            x509.CertificateBuilder()
            .subject_name(x509.Name([]))
            .issuer_name(self.root.subject)
            .public_key(key.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(at - timedelta(minutes=1))
            .not_valid_after(at + timedelta(minutes=9))
            .add_extension(_usage(digital_signature=True), critical=True)
            .add_extension(x509.ExtendedKeyUsage([ExtendedKeyUsageOID.CODE_SIGNING]), False)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(key.public_key()), False)
            .add_extension(
                x509.AuthorityKeyIdentifier.from_issuer_public_key(self.ca.public_key()), False
            )
            .add_extension(x509.SubjectAlternativeName([uri]), critical=True)
        )
        for oid, value in names.items():
            if value is not None:
                raw = x509.UnrecognizedExtension(x509.ObjectIdentifier(oid), asn1.encode_der(value))
                made = made.add_extension(raw, critical=False)
        before = made.sign(self.ca, hashes.SHA256())
        stamped = x509.UnrecognizedExtension(SCT_LIST, self._stamp(before, at))
        return key, made.add_extension(stamped, critical=False).sign(self.ca, hashes.SHA256())

    def _stamp(self, before: x509.Certificate, at: datetime) -> bytes:
        """The certificate log's promise about a certificate (RFC 6962, 3.2 and 3.3)."""
        issuer = hashlib.sha256(der(self.ca)).digest()
        tbs, moment = before.tbs_certificate_bytes, int(at.timestamp() * 1000)
        entry = issuer + len(tbs).to_bytes(3, "big") + tbs
        signed = struct.pack("!BBQH", 0, 0, moment, 1) + entry + struct.pack("!H", 0)
        signature = self.certificates.sign(signed, SHA256)
        log = hashlib.sha256(der(self.certificates)).digest()
        sct = struct.pack("!B32sQH", 0, log, moment, 0) + struct.pack("!BBH", 4, 3, len(signature))
        sct += signature
        listed = struct.pack("!HH", len(sct) + 2, len(sct)) + sct
        return asn1.encode_der(listed)

    def _material(
        self, leaf: x509.Certificate, body: dict[str, object], at: datetime
    ) -> dict[str, object]:
        """The certificate, and the signature log's promise and proof of this entry (Rekor v1)."""
        raw, log_id = dumped(body), hashlib.sha256(der(self.log)).digest()
        moment = int(at.timestamp())
        promise = {
            "body": b64(raw),
            "integratedTime": moment,
            "logID": log_id.hex(),
            "logIndex": 7,
        }
        root = hashlib.sha256(b"\0" + raw).digest()
        note = f"rekor.test - 1\n1\n{b64(root)}\n"
        signature = b64(log_id[:4] + self.log.sign(note.encode(), SHA256))
        kind, version = str(body["kind"]), str(body["apiVersion"])
        entry = {
            "logIndex": "7",
            "logId": {"keyId": b64(log_id)},
            "kindVersion": {"kind": kind, "version": version},
            "integratedTime": str(moment),
            "inclusionPromise": {
                "signedEntryTimestamp": b64(self.log.sign(dumped(promise), SHA256))
            },
            "inclusionProof": {
                "logIndex": "0",
                "rootHash": b64(root),
                "treeSize": "1",
                "hashes": [],
                "checkpoint": {"envelope": f"{note}\n\N{EM DASH} rekor.test {signature}\n"},
            },
            "canonicalizedBody": b64(raw),
        }
        certificate = {"rawBytes": b64(leaf.public_bytes(Encoding.DER))}
        return {"certificate": certificate, "tlogEntries": [entry]}

    def _certificate_of_the_ca(self) -> x509.Certificate:
        name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "made-up sigstore")])
        return (
            x509.CertificateBuilder()
            .subject_name(name)
            .issuer_name(name)
            .public_key(self.ca.public_key())
            .serial_number(x509.random_serial_number())
            .not_valid_before(BEGAN)
            .not_valid_after(BEGAN + timedelta(days=3650))
            .add_extension(x509.BasicConstraints(ca=True, path_length=1), critical=True)
            .add_extension(_usage(key_cert_sign=True, crl_sign=True), critical=True)
            .add_extension(x509.SubjectKeyIdentifier.from_public_key(self.ca.public_key()), False)
            .sign(self.ca, hashes.SHA256())
        )


def _usage(**given: bool) -> x509.KeyUsage:
    names = (
        "digital_signature",
        "content_commitment",
        "key_encipherment",
        "data_encipherment",
        "key_agreement",
        "key_cert_sign",
        "crl_sign",
        "encipher_only",
        "decipher_only",
    )
    return x509.KeyUsage(**{name: given.get(name, False) for name in names})


def _prehashed() -> hashes.HashAlgorithm:
    from cryptography.hazmat.primitives.asymmetric.utils import Prehashed

    return Prehashed(hashes.SHA256())  # type: ignore[return-value]
