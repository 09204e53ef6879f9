"""Whom a pipeline trusts to say who built a wheel: `[pipeline.provenance]` of `bridge.toml`."""

import base64
import binascii
import hashlib
import re
from typing import Annotated

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, model_validator

from bridge.attestation import ProvenanceMode

DER_OF_ED25519 = bytes.fromhex("302a300506032b6570032100")
ARMOUR = re.compile(r"-----(BEGIN|END) PUBLIC KEY-----|\s")
UUID = r"^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$"


def ed25519_key(said: str) -> str:
    """The base64 of a public key's 32 bytes, said so or in PEM form; raises ValueError."""
    try:
        raw = base64.b64decode(ARMOUR.sub("", said), validate=True)
    except binascii.Error as error:
        raise ValueError("an Ed25519 public key is base64 of 32 bytes, or PEM") from error
    raw = raw.removeprefix(DER_OF_ED25519)
    if len(raw) != 32:
        raise ValueError("an Ed25519 public key is base64 of 32 bytes, or PEM")
    return base64.b64encode(raw).decode()


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class CircleCi(_Table):
    """The pipeline definition at CircleCI whose jobs may publish, and from which ref.

    `vcs_ref` may hold `{version}` and `*`, which stands for anything but a slash.
    """

    organization: str = Field(pattern=UUID)
    project: str = Field(pattern=UUID)
    definition: str = Field(pattern=UUID)
    vcs_origin: str = Field(min_length=1)
    vcs_ref: str = Field(default="refs/tags/v{version}", pattern=r"^refs/[!-~]+$")
    url: str = Field(default="https://oidc.circleci.com", pattern=r"^https?://[^/?#@]+$")

    @property
    def issuer(self) -> str:
        """Who signs the tokens of this organization's jobs."""
        return f"{self.url}/org/{self.organization}"

    @property
    def workload(self) -> str:
        """How sigstore's certificates name the pipeline definition."""
        where = f"projects/{self.project}/pipeline-definitions/{self.definition}"
        return f"https://circleci.com/api/v2/{where}"

    def allows(self, ref: str, version: str) -> bool:
        """Whether this version may be published from this ref."""
        wanted = re.escape(self.vcs_ref.replace("{version}", version)).replace(r"\*", "[^/]*")
        return re.fullmatch(wanted, ref) is not None


class Trust(_Table):
    """Whether attestations are looked at, and whose.

    `sigstore` is "public" for the root that sigstore's library carries, or the path of another one.
    """

    mode: ProvenanceMode = "record"
    ed25519: tuple[Annotated[str, AfterValidator(ed25519_key)], ...] = ()
    circleci: CircleCi | None = None
    sigstore: str | None = None

    @property
    def digest(self) -> str:
        """By which the record knows under whose authority a verdict was reached."""
        return f"sha256:{hashlib.sha256(self.model_dump_json().encode()).hexdigest()}"

    @model_validator(mode="after")
    def somebody(self) -> "Trust":
        """What must be proven must be provable."""
        if self.mode == "require" and not self.ed25519 and not self.circleci:
            raise ValueError("require needs somebody to trust: ed25519 or circleci")
        if self.sigstore and not self.circleci:
            raise ValueError("sigstore needs circleci: who may have signed")
        return self
