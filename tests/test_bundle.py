"""Sigstore's bundles, verified by its library: of the right job over the right wheel, or not."""

import base64
import contextlib
import copy
import importlib.util
import json
import tempfile
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

pytest.importorskip("sigstore", reason="model-bridge[sigstore] is not installed")
pytest.importorskip("pypi_attestations", reason="model-bridge[sigstore] is not installed")

from bridge.attestation import Attestation
from bridge.bootstrap import must_have_pipelines
from bridge.errors import Forged, Misconfigured
from bridge.provenance.bundle import ISSUER, ORIGIN, REF, RUN, WORKLOAD, verifier, verify
from bridge.provenance.judge import judge
from bridge.provenance.trust import Trust
from tests.bridge_kit import NOW, pipeline, settings
from tests.provenance_kit import CIRCLECI, OTHER, PUBLIC_URL, WHEEL
from tests.sigstore_kit import SIGNED_AT, Sigstore

if TYPE_CHECKING:
    from sigstore.verify import Verifier

Bundle = dict[str, Any]
SIGSTORE = Sigstore()
ELSEWHERE = "https://circleci.com/api/v2/projects/x/pipeline-definitions/y"


def own_root() -> "Verifier":
    with tempfile.TemporaryDirectory() as folder:
        return verifier(SIGSTORE.trusted_root(Path(folder) / "trusted_root.json"))


OWN = own_root()


@pytest.fixture
def root() -> "Verifier":
    return OWN


def pep_740(bundle: Bundle) -> Bundle:
    """The same as the index's attestation object."""
    material, envelope = bundle["verificationMaterial"], bundle["dsseEnvelope"]
    return {
        "version": 1,
        "verification_material": {
            "certificate": material["certificate"]["rawBytes"],
            "transparency_entries": material["tlogEntries"],
        },
        "envelope": {
            "statement": envelope["payload"],
            "signature": envelope["signatures"][0]["sig"],
        },
    }


GOOD: dict[str, Callable[[], Bundle]] = {
    "over the wheel": lambda: SIGSTORE.sign_blob(WHEEL),
    "a statement about it": lambda: SIGSTORE.attest(WHEEL),
    "PEP 740": lambda: pep_740(SIGSTORE.attest(WHEEL)),
    "the organization's issuer": lambda: SIGSTORE.sign_blob(WHEEL, {ISSUER: CIRCLECI.issuer}),
}


@pytest.mark.parametrize("case", GOOD)
def test_a_bundle_of_the_trusted_job_holds(case: str, root: "Verifier") -> None:
    ref, run = verify(json.dumps(GOOD[case]()), WHEEL, CIRCLECI, root)
    assert ("refs/tags/v0.1.1", "https://circleci.test/run/1") == (ref, run)


def said(**changed: str | None) -> Callable[[], Bundle]:
    oids = {"issuer": ISSUER, "workload": WORKLOAD, "origin": ORIGIN, "ref": REF, "run": RUN}
    return lambda: SIGSTORE.sign_blob(WHEEL, {oids[name]: told for name, told in changed.items()})


def entry(bundle: Bundle) -> Bundle:
    found: Bundle = bundle["verificationMaterial"]["tlogEntries"][0]
    return found


def edited(change: Callable[[Bundle], object], made: Bundle | None = None) -> Bundle:
    bundle = copy.deepcopy(made or SIGSTORE.sign_blob(WHEEL))
    change(bundle)
    return bundle


def flipped(text: str) -> str:
    raw = bytearray(base64.b64decode(text))
    raw[-1] ^= 1
    return base64.b64encode(raw).decode()


def with_the_material_of(other: Bundle) -> Bundle:
    return edited(lambda one: one.update(verificationMaterial=other["verificationMaterial"]))


def of_a_stranger(part: str) -> Bundle:
    """Made by an instance of which one key is a stranger's."""
    fake = Sigstore()
    for name in {"ca", "certificates", "log", "root"} - {part}:
        setattr(fake, name, getattr(SIGSTORE, name))
    return fake.sign_blob(WHEEL)


def subject(name: str = WHEEL.file, sha256: str = WHEEL.sha256) -> list[dict[str, object]]:
    return [{"name": name, "digest": {"sha256": sha256}}]


BAD: dict[str, tuple[Callable[[], Bundle], str]] = {
    "another issuer": (said(issuer="https://accounts.example.com"), "another issuer"),
    "another organization": (said(issuer=f"{CIRCLECI.url}/org/x"), "another issuer"),
    "no issuer": (said(issuer=None), "does not say"),
    "another project": (said(workload=ELSEWHERE), "another project"),
    "no project": (said(workload=None), "does not say"),
    "a fork": (said(origin="github.com/mallory/model-deployment"), "another repository"),
    "no repository": (said(origin=None), "does not say"),
    "a branch": (said(ref="refs/heads/main"), "may not publish"),
    "another version's tag": (said(ref="refs/tags/v0.1.10"), "may not publish"),
    "no ref": (said(ref=None), "does not say"),
    "another wheel": (lambda: SIGSTORE.sign_blob(OTHER), "sigstore: "),
    "a statement about another wheel": (lambda: SIGSTORE.attest(OTHER), "other bytes"),
    "a statement about another name": (
        lambda: SIGSTORE.attest(WHEEL, subject=subject("evil-1.0-py3-none-any.whl")),
        "another name",
    ),
    "a statement about two files": (
        lambda: SIGSTORE.attest(WHEEL, subject=[*subject("x"), *subject()]),
        "exactly one",
    ),
    "a statement about nothing": (lambda: SIGSTORE.attest(WHEEL, subject=[]), "exactly one"),
    "a statement of another type": (
        lambda: SIGSTORE.attest(WHEEL, _type="https://example.com/x"),
        "another type",
    ),
    "an envelope with something else": (
        lambda: SIGSTORE.attest(WHEEL, None, "text/plain"),
        "in-toto",
    ),
    "a statement of another project": (
        lambda: SIGSTORE.attest(WHEEL, {WORKLOAD: ELSEWHERE}),
        "another project",
    ),
    "PEP 740 of another project": (
        lambda: pep_740(SIGSTORE.attest(WHEEL, {WORKLOAD: ELSEWHERE})),
        "another project",
    ),
    "PEP 740 about another wheel": (lambda: pep_740(SIGSTORE.attest(OTHER)), "other bytes"),
    "signed when the certificate had expired": (
        lambda: SIGSTORE.sign_blob(WHEEL, logged_at=SIGNED_AT + timedelta(minutes=10)),
        "sigstore: ",
    ),
    "signed before the certificate was good": (
        lambda: SIGSTORE.sign_blob(WHEEL, logged_at=SIGNED_AT - timedelta(minutes=2)),
        "sigstore: ",
    ),
    "a certificate of another authority": (lambda: of_a_stranger("ca"), "sigstore: "),
    "a certificate in no log": (lambda: of_a_stranger("certificates"), "SCT"),
    "an entry of another log": (lambda: of_a_stranger("log"), "log entry"),
    "a whole instance of a stranger's": (lambda: Sigstore().sign_blob(WHEEL), "sigstore: "),
    "another bundle's certificate and entry": (
        lambda: with_the_material_of(SIGSTORE.sign_blob(WHEEL)),
        "sigstore: ",
    ),
    "a signature that was touched": (
        lambda: edited(
            lambda one: one["messageSignature"].update(
                signature=flipped(one["messageSignature"]["signature"])
            )
        ),
        "sigstore: ",
    ),
    "no proof of inclusion": (
        lambda: edited(lambda one: entry(one).pop("inclusionProof")),
        "not a sigstore bundle",
    ),
    "a proof of another tree": (
        lambda: edited(lambda one: entry(one)["inclusionProof"].update(rootHash=flipped("AAAA"))),
        "sigstore: ",
    ),
    "no promise, so no time": (
        lambda: edited(lambda one: entry(one).pop("inclusionPromise")),
        "not a sigstore bundle",
    ),
    "a time that was touched": (
        lambda: edited(
            lambda one: entry(one).update(integratedTime=str(int(SIGNED_AT.timestamp()) + 1))
        ),
        "inclusion promise",
    ),
    "no entry": (
        lambda: edited(lambda one: one["verificationMaterial"].update(tlogEntries=[])),
        "not a sigstore bundle",
    ),
    "no content": (lambda: edited(lambda one: one.pop("messageSignature")), "bundle"),
    "an unknown form": (
        lambda: edited(lambda one: one.update(mediaType="application/x")),
        "not a sigstore bundle",
    ),
}


@pytest.mark.parametrize("case", BAD)
def test_any_other_is_refused(case: str, root: "Verifier") -> None:
    make, why = BAD[case]
    with pytest.raises(Forged, match=why):
        verify(json.dumps(make()), WHEEL, CIRCLECI, root)


@pytest.mark.parametrize(
    "proof", ["", "{}", "[]", "null", "7", '"x"', "{", '{"envelope": 1}', "[" * 9999]
)
def test_what_is_no_bundle_is_refused(proof: str, root: "Verifier") -> None:
    with pytest.raises(Forged, match="not a sigstore bundle"):
        verify(proof, WHEEL, CIRCLECI, root)


BUNDLES = [json.dumps(make()) for make in GOOD.values()]
JUNK: st.SearchStrategy[object] = st.sampled_from(
    [None, 0, -1, 1.5, "", "x", "AAAA", [], {}, True, "9" * 30, ["x"]]
)


@given(st.sampled_from(BUNDLES), st.data())
def test_whatever_is_changed_in_it_it_holds_or_is_refused(bundle: str, data: st.DataObject) -> None:
    """No exception of another kind, on any change of any value."""
    told = json.loads(bundle)
    spots = [spot for spot in walk(told) if spot[1] != "mediaType"]
    holder, key = data.draw(st.sampled_from(spots))
    holder[key] = data.draw(JUNK)
    with contextlib.suppress(Forged):
        verify(json.dumps(told), WHEEL, CIRCLECI, OWN)


def walk(told: Any) -> list[tuple[Any, Any]]:
    keys = told if isinstance(told, dict) else range(len(told)) if isinstance(told, list) else ()
    return [spot for key in keys for spot in [(told, key), *walk(told[key])]]


def test_the_root_that_the_library_carries_knows_the_public_instance(root: "Verifier") -> None:
    public = verifier("public")
    with pytest.raises(Forged, match="sigstore: "):
        verify(json.dumps(SIGSTORE.sign_blob(WHEEL)), WHEEL, CIRCLECI, public)


def test_a_verdict_says_which_project_and_run(tmp_path: Path) -> None:
    path = SIGSTORE.trusted_root(tmp_path / "trusted_root.json")
    told = Attestation(kind="sigstore", proof=json.dumps(SIGSTORE.sign_blob(WHEEL)))
    trust = Trust(mode="require", circleci=CIRCLECI, sigstore=path)
    found = judge(trust, WHEEL, [told], PUBLIC_URL, {}, NOW)
    assert ("proven", {"url": "https://circleci.test/run/1"}) == (found.verdict, found.run)
    without = Trust(mode="require", circleci=CIRCLECI)
    assert "trusts nobody" in judge(without, WHEEL, [told], PUBLIC_URL, {}, NOW).sentence


@pytest.mark.parametrize("content", [None, "", "{}", '{"mediaType": "x"}'])
def test_a_root_that_cannot_be_read_ends_the_start(tmp_path: Path, content: str | None) -> None:
    path = tmp_path / "root.json"
    if content is not None:
        path.write_text(content)
    table = {"circleci": CIRCLECI.model_dump(), "sigstore": str(path)}
    with pytest.raises(Misconfigured, match="no usable root"):
        must_have_pipelines(settings(tmp_path, pipeline=[pipeline(provenance=table)]))


def test_a_policy_that_needs_the_library_says_so_where_it_is_missing(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    table = {"circleci": CIRCLECI.model_dump(), "sigstore": "another-root.json"}
    with pytest.raises(Misconfigured, match=r"pip install 'model-bridge\[sigstore\]'"):
        must_have_pipelines(settings(tmp_path, pipeline=[pipeline(provenance=table)]))
