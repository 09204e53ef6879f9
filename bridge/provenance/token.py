"""CircleCI's OIDC token as a word about one wheel: its audience names the wheel's digest.

A token does not cover the announcement that carries it. So the job asks for one whose audience is
`<public_url>#sha256=<hex>`, and CircleCI's signature binds its identity to the bytes; for another
wheel, or at another bridge, the token is worth nothing.
Source: https://circleci.com/docs/guides/permissions-authentication/oidc-tokens-with-custom-claims/
"""

from collections.abc import Mapping
from datetime import datetime, timedelta

import jwt
from jwt.types import Options
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from bridge.errors import Forged
from bridge.provenance.statement import Wheel
from bridge.provenance.trust import CircleCi

LEEWAY = timedelta(seconds=60)
SIGNATURE_ONLY: Options = {
    "verify_signature": True,
    "verify_exp": False,
    "verify_nbf": False,
    "verify_iat": False,
    "verify_aud": False,
    "verify_iss": False,
    "verify_sub": False,
    "verify_jti": False,
}


class _Header(BaseModel):
    alg: str
    kid: str


class _Claims(BaseModel):
    """The claims that decide. Times are seconds; a number in quotes is none."""

    model_config = ConfigDict(strict=True)
    iss: str
    aud: str | list[str]
    exp: int
    iat: int
    nbf: int = 0
    project: str = Field(alias="oidc.circleci.com/project-id")
    definition: str = Field(alias="oidc.circleci.com/pipeline-definition-id")
    vcs_origin: str = Field(alias="oidc.circleci.com/vcs-origin")
    vcs_ref: str = Field(alias="oidc.circleci.com/vcs-ref")
    ssh_rerun: bool = Field(alias="oidc.circleci.com/ssh-rerun")
    job: str = Field(default="", alias="oidc.circleci.com/job-id")
    workflow: str = Field(default="", alias="oidc.circleci.com/workflow-id")
    pipeline: str = Field(default="", alias="oidc.circleci.com/pipeline-id")


def audience(public_url: str, wheel: Wheel) -> str:
    """For whom, and for which bytes, a token must have been made."""
    return f"{public_url.rstrip('/')}#sha256={wheel.sha256}"


def key_id(token: str) -> str:
    """Which key claims to have signed; raises Forged. Nothing else of the header is believed."""
    try:
        header = _Header.model_validate(jwt.get_unverified_header(token))
    except (jwt.InvalidTokenError, ValidationError, RecursionError) as error:
        raise Forged("it is not a signed token with the id of its key") from error
    if header.alg != "RS256":
        raise Forged("it is not signed with RS256")
    return header.kid


def verify(
    token: str,
    wheel: Wheel,
    trusted: CircleCi,
    public_url: str,
    keys: Mapping[str, jwt.PyJWK],
    at: datetime,
) -> _Claims:
    """What CircleCI says of the job; raises Forged.

    `keys` are the issuer's, by id. `at` is when the token came, so that one which had to wait for
    the keys is not refused for that.
    """
    key = keys.get(key_id(token))
    if key is None:
        raise Forged("the issuer has no key of this id")
    try:
        told = jwt.decode(token, key, algorithms=["RS256"], options=SIGNATURE_ONLY)
        claims = _Claims.model_validate(told)
    except jwt.InvalidTokenError as error:
        raise Forged("the issuer did not sign it") from error
    except ValidationError as error:
        raise Forged(f"its claim {error.errors()[0]['loc'][0]} is missing or odd") from error
    if claims.iss != trusted.issuer:
        raise Forged("another issuer signed it")
    if claims.aud not in (wanted := audience(public_url, wheel), [wanted]):
        raise Forged("its audience is not this bridge with this wheel's digest")
    _must_be_timely(claims, at)
    _must_be_trusted(claims, trusted, wheel.version)
    return claims


def _must_be_timely(claims: _Claims, at: datetime) -> None:
    now, leeway = at.timestamp(), LEEWAY.total_seconds()
    if claims.exp < now - leeway:
        raise Forged("it had expired when it came")
    if max(claims.iat, claims.nbf) > now + leeway:
        raise Forged("it was not valid yet when it came")


def _must_be_trusted(claims: _Claims, trusted: CircleCi, version: str) -> None:
    if claims.project != trusted.project:
        raise Forged("it was made for another project")
    if claims.definition != trusted.definition:
        raise Forged("it was made for another pipeline definition")
    if claims.vcs_origin != trusted.vcs_origin:
        raise Forged("the job ran another repository")
    if not trusted.allows(claims.vcs_ref, version):
        raise Forged(f"the job ran on {claims.vcs_ref[:80]!a}, which may not publish {version}")
    if claims.ssh_rerun:
        raise Forged("the job was a re-run that a person could enter by SSH")
