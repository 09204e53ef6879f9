"""Whom a pipeline trusts, what an Ed25519 key signs, and what all attestations prove together."""

import base64
import shutil
import subprocess
from pathlib import Path

import jwt
import pytest
from pydantic import ValidationError

from bridge.attestation import Attestation, Provenance
from bridge.errors import Forged, Misconfigured
from bridge.provenance.judge import judge
from bridge.provenance.statement import Wheel, sign, statement, verify
from bridge.provenance.trust import Trust, ed25519_key
from tests.bridge_kit import NOW, pipeline
from tests.provenance_kit import (
    CIRCLECI,
    DEFINITION,
    JOB_KEY,
    OTHER,
    PUBLIC_URL,
    STRANGERS_KEY,
    WHEEL,
    claims,
    jwk,
    pem,
    public_pem,
    rsa,
    token,
)

TRUSTED = Trust(mode="require", ed25519=(public_pem(JOB_KEY),), circleci=CIRCLECI)
KEYS = {"first": jwt.PyJWK.from_dict(jwk("first"), algorithm="RS256")}
SIGNED = Attestation(kind="ed25519", proof=sign(WHEEL, pem(JOB_KEY)))
VOUCHED = Attestation(kind="circleci", proof=token(claims()))
BAD = Attestation(kind="ed25519", proof=sign(OTHER, pem(JOB_KEY)))


def judged(*told: Attestation, trust: Trust = TRUSTED, wheel: Wheel = WHEEL) -> Provenance:
    return judge(trust, wheel, told, PUBLIC_URL, KEYS, NOW)


def test_the_statement_is_exactly_these_bytes() -> None:
    wheel = Wheel("Regression_Model", "v0.1.1", "x.whl", f"sha256:{'a' * 64}")
    assert (
        b"model-bridge attestation v1\n"
        b"package: regression-model\n"
        b"version: 0.1.1\n"
        b"sha256: " + b"a" * 64 + b"\n"
    ) == statement(wheel)


def test_openssl_makes_keys_and_signatures_that_hold(tmp_path: Path) -> None:
    openssl = shutil.which("openssl")
    if openssl is None:
        pytest.skip("openssl is not installed")

    def run(*words: str) -> bytes:
        told = subprocess.run([openssl, *words], cwd=tmp_path, capture_output=True, check=True)
        return told.stdout

    run("genpkey", "-algorithm", "ed25519", "-out", "key.pem")
    public = run("pkey", "-in", "key.pem", "-pubout").decode()
    (tmp_path / "statement").write_bytes(statement(WHEEL))
    made = run("pkeyutl", "-sign", "-rawin", "-inkey", "key.pem", "-in", "statement")
    proof = base64.b64encode(made).decode()
    assert proof == sign(WHEEL, (tmp_path / "key.pem").read_bytes())
    assert verify(proof, WHEEL, (ed25519_key(public),)) == ed25519_key(public)


@pytest.mark.parametrize(
    "other",
    [
        OTHER,
        Wheel("regression-model", "0.1.2", WHEEL.file, WHEEL.digest),
        Wheel("regression-model", "0.1.1.post1", WHEEL.file, WHEEL.digest),
        Wheel("regression-models", "0.1.1", WHEEL.file, WHEEL.digest),
    ],
)
def test_a_signature_is_about_one_name_version_and_digest(other: Wheel) -> None:
    assert "refuted" == judged(SIGNED, wheel=other).verdict


@pytest.mark.parametrize(
    "proof", ["", "%", "AAAA", SIGNED.proof[:-4], SIGNED.proof + "AAAA", SIGNED.proof.swapcase()]
)
def test_a_signature_that_is_not_whole_does_not_hold(proof: str) -> None:
    with pytest.raises(Forged):
        verify(proof, WHEEL, TRUSTED.ed25519)


def test_a_strangers_key_proves_nothing_and_keys_may_be_rotated() -> None:
    stranger = Attestation(kind="ed25519", proof=sign(WHEEL, pem(STRANGERS_KEY)))
    assert "refuted" == judged(stranger).verdict
    both = Trust(ed25519=(public_pem(JOB_KEY), public_pem(STRANGERS_KEY)))
    assert "proven" == judged(stranger, trust=both).verdict


@pytest.mark.parametrize("key", [b"", b"not a key", pem(rsa("first"))])
def test_only_an_ed25519_key_attests(key: bytes) -> None:
    with pytest.raises(Misconfigured, match="attestation key"):
        sign(WHEEL, key)


def test_one_proof_that_holds_is_enough() -> None:
    for told in ([SIGNED], [VOUCHED], [BAD, SIGNED], [SIGNED, BAD], [BAD, VOUCHED]):
        found = judged(*told)
        assert ("proven", "attested") == (found.verdict, found.code)
        assert [one.digest for one in told] == found.checked
    assert {"job": "job-1", "workflow": "workflow-1", "pipeline": "pipeline-1"} == found.run


def test_what_does_not_hold_is_said_with_its_reason() -> None:
    found = judged(BAD)
    assert ("refuted", "bad_attestation") == (found.verdict, found.code)
    assert "no trusted key signed this name, version and digest" in found.sentence
    late = VOUCHED.model_copy(update={"proof": token(claims(OTHER))})
    assert "digest" in judged(late).sentence


@pytest.mark.parametrize("kind", ["sigstore", "gpg", "circleci"])
def test_a_kind_that_nobody_is_trusted_for_proves_nothing(kind: str) -> None:
    only_keys = Trust(ed25519=(public_pem(JOB_KEY),))
    told = VOUCHED.model_copy(update={"kind": kind})
    assert "trusts nobody for this kind" in judged(told, trust=only_keys).sentence


def test_nothing_told_and_nobody_trusted_are_not_refutations() -> None:
    assert "absent" == judged().verdict
    assert "unchecked" == judged(SIGNED, trust=Trust()).verdict


@pytest.mark.parametrize("said", ["", "x", "AAAA", "A" * 44, public_pem(JOB_KEY)[:60]])
def test_what_is_no_public_key_is_no_configuration(said: str) -> None:
    with pytest.raises(ValidationError):
        Trust(ed25519=(said,))


def test_a_key_may_be_said_in_three_ways() -> None:
    raw = JOB_KEY.public_key().public_bytes_raw()
    der = "".join(public_pem(JOB_KEY).splitlines()[1:-1])
    said = {ed25519_key(one) for one in (base64.b64encode(raw).decode(), der, public_pem(JOB_KEY))}
    assert {base64.b64encode(raw).decode()} == said


@pytest.mark.parametrize(
    "table",
    [
        {"mode": "require"},
        {"mode": "always"},
        {"sigstore": "public"},
        {"keys": []},
        {"circleci": {"organization": "acme"}},
        {"circleci": {**CIRCLECI.model_dump(), "project": DEFINITION[:-1]}},
        {"circleci": {**CIRCLECI.model_dump(), "vcs_ref": "main"}},
        {"circleci": {**CIRCLECI.model_dump(), "url": "https://oidc.test/org"}},
    ],
)
def test_what_cannot_work_is_refused_at_the_start(table: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        pipeline(provenance=table)


@pytest.mark.parametrize(
    ("pattern", "ref", "allowed"),
    [
        ("refs/tags/v{version}", "refs/tags/v0.1.1", True),
        ("refs/tags/v{version}", "refs/tags/v0.1.11", False),
        ("refs/tags/v{version}", "refs/tags/v0x1.1", False),
        ("refs/tags/v{version}", "refs/tags/v0.1.1\n", False),
        ("refs/heads/main", "refs/heads/main", True),
        ("refs/heads/main", "refs/heads/main2", False),
        ("refs/tags/*", "refs/tags/model-3", True),
        ("refs/tags/*", "refs/tags/a/b", False),
        ("refs/tags/*", "refs/heads/v1", False),
        ("refs/heads/release-*", "refs/heads/release-1.x", True),
    ],
)
def test_a_pattern_of_refs_means_what_it_says(pattern: str, ref: str, allowed: bool) -> None:
    assert allowed is CIRCLECI.model_copy(update={"vcs_ref": pattern}).allows(ref, "0.1.1")
