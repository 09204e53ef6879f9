"""What the attestations of one wheel prove to a pipeline. Pure, but for reading sigstore's root."""

from collections.abc import Mapping, Sequence
from datetime import datetime
from functools import lru_cache

import jwt

from bridge.attestation import Attestation, Provenance
from bridge.errors import Forged, Reason
from bridge.provenance import bundle, statement, token
from bridge.provenance.statement import Wheel
from bridge.provenance.trust import Trust
from bridge.sentences import say, short

verifier = lru_cache(maxsize=4)(bundle.verifier)


def judge(
    trust: Trust,
    wheel: Wheel,
    told: Sequence[Attestation],
    public_url: str,
    keys: Mapping[str, jwt.PyJWK],
    now: datetime,
) -> Provenance:
    """One proof that holds is enough; else the last one told decides what is said."""
    names = {"package": wheel.package, "version": wheel.version}
    if not told:
        return _verdict(trust, "absent", say("not_attested", **names))
    if not trust.ed25519 and not trust.circleci:
        return _verdict(trust, "unchecked", say("nobody_trusted", **names))
    why, checked = "", [one.digest for one in told]
    for one in told:
        try:
            identity, run = _proven(trust, wheel, one, public_url, keys, one.heard_at or now)
        except Forged as error:
            why = f"{one.kind}: {error}"
            continue
        reason = say("attested", identity=identity, digest=short(wheel.digest))
        found = {"kind": one.kind, "identity": identity, "run": run}
        return _verdict(trust, "proven", reason, checked=checked, **found)
    return _verdict(trust, "refuted", say("bad_attestation", why=why, **names), checked=checked)


def _proven(
    trust: Trust,
    wheel: Wheel,
    one: Attestation,
    public_url: str,
    keys: Mapping[str, jwt.PyJWK],
    at: datetime,
) -> tuple[str, dict[str, str]]:
    """Who vouches for the wheel, and the CI's own numbers of the run; raises Forged."""
    if one.kind == "ed25519":
        return f"Ed25519 key {statement.verify(one.proof, wheel, trust.ed25519)}", {}
    if one.kind == "circleci" and trust.circleci:
        claims = token.verify(one.proof, wheel, trust.circleci, public_url, keys, at)
        run = {"job": claims.job, "workflow": claims.workflow, "pipeline": claims.pipeline}
        return f"CircleCI project {claims.project} at {claims.vcs_ref}", run
    if one.kind == "sigstore" and trust.circleci and trust.sigstore:
        ref, run_url = bundle.verify(one.proof, wheel, trust.circleci, verifier(trust.sigstore))
        return f"CircleCI project {trust.circleci.project} at {ref}", {"url": run_url}
    raise Forged("the pipeline trusts nobody for this kind")


def _verdict(trust: Trust, verdict: str, reason: Reason, **more: object) -> Provenance:
    policy = {"mode": trust.mode, "trust": trust.digest}
    said = {"code": reason.code, "sentence": reason.sentence}
    return Provenance.model_validate({**policy, "verdict": verdict, **said, **more})
