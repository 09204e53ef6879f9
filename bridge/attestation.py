"""What was said about who built a wheel, and what that proved. Pure."""

import hashlib
from datetime import datetime
from typing import Literal

from pydantic import BaseModel

MOST_ATTESTATIONS = 4
ProvenanceMode = Literal["off", "record", "require"]


class Attestation(BaseModel):
    """A word about who built the wheel, as it was told: `proof` is the base64 of a signature, a
    sigstore bundle or a token of CircleCI, by its `kind`."""

    kind: str
    proof: str
    heard_at: datetime | None = None

    @property
    def digest(self) -> str:
        """By which the proof is known in the record."""
        return f"sha256:{hashlib.sha256(self.proof.encode()).hexdigest()}"


class Provenance(BaseModel):
    """What the attestations proved, and under which policy.

    `absent`: none was told; `unchecked`: nobody is trusted, or the issuer's keys were out of reach.
    `trust` is that policy's digest, so that a key which is trusted no more proves nothing more.
    `checked` holds the digests of the proofs that were looked at, `run` the CI's own numbers.
    """

    mode: ProvenanceMode
    trust: str
    verdict: Literal["proven", "refuted", "absent", "unchecked"]
    code: str
    sentence: str
    kind: str | None = None
    identity: str | None = None
    run: dict[str, str] = {}
    checked: list[str] = []
