"""CircleCI's token: the right one is believed, and nothing else that looks like it."""

import base64
import json
from collections.abc import Callable
from datetime import timedelta

import jwt
import pytest

from bridge.errors import Forged
from bridge.provenance.token import audience, key_id, verify
from tests.bridge_kit import NOW
from tests.provenance_kit import (
    CIRCLECI,
    ORGANIZATION,
    OTHER,
    PUBLIC_URL,
    WHEEL,
    claims,
    jwk,
    public_pem,
    rsa,
    token,
)

KEYS = {kid: jwt.PyJWK.from_dict(jwk(kid), algorithm="RS256") for kid in ("first", "second")}
ELSEWHERE = "44444444-4444-4444-8444-444444444444"


def b64(told: object) -> str:
    return base64.urlsafe_b64encode(json.dumps(told).encode()).rstrip(b"=").decode()


def unsigned(alg: str = "none", signature: str = "") -> str:
    return f"{b64({'alg': alg, 'kid': 'first', 'typ': 'JWT'})}.{b64(claims())}.{signature}"


def hmac_with_the_public_key() -> str:
    """The key that everybody knows, taken for a shared secret."""
    import hashlib
    import hmac

    head = f"{b64({'alg': 'HS256', 'kid': 'first', 'typ': 'JWT'})}.{b64(claims())}"
    made = hmac.digest(public_pem(rsa("first")).encode(), head.encode(), hashlib.sha256)
    return f"{head}.{base64.urlsafe_b64encode(made).rstrip(b'=').decode()}"


def relabelled(alg: str) -> str:
    _, body, signature = token(claims()).split(".")
    return f"{b64({'alg': alg, 'kid': 'first', 'typ': 'JWT'})}.{body}.{signature}"


def edited() -> str:
    head, _, signature = token(claims(vcs_ref="refs/heads/main")).split(".")
    return f"{head}.{b64(claims())}.{signature}"


def told(**changed: object) -> Callable[[], str]:
    return lambda: token(claims(**changed))  # type: ignore[arg-type]


def at(**changed: float) -> dict[str, int]:
    return {name: int(NOW.timestamp() + seconds) for name, seconds in changed.items()}


BAD: dict[str, tuple[Callable[[], str], str]] = {
    "no algorithm": (unsigned, "RS256"),
    "algorithm None": (lambda: unsigned("None"), "RS256"),
    "HS256 with the public key": (hmac_with_the_public_key, "RS256"),
    "relabelled RS512": (lambda: relabelled("RS512"), "RS256"),
    "relabelled PS256": (lambda: relabelled("PS256"), "RS256"),
    "no signature": (lambda: unsigned("RS256"), "did not sign"),
    "another key's id": (
        lambda: jwt.encode(claims(), rsa("first"), "RS256", {"kid": "second"}),
        "did not sign",
    ),
    "an unknown key's id": (
        lambda: jwt.encode(claims(), rsa("third"), "RS256", {"kid": "third"}),
        "no key of this id",
    ),
    "a stranger's key under a known id": (
        lambda: jwt.encode(claims(), rsa("third"), "RS256", {"kid": "first"}),
        "did not sign",
    ),
    "a key of its own in the header": (
        lambda: jwt.encode(
            claims(),
            rsa("third"),
            "RS256",
            {"kid": "first", "jwk": jwk("third"), "jku": "http://evil.test"},
        ),
        "did not sign",
    ),
    "no key id": (lambda: jwt.encode(claims(), rsa("first"), "RS256"), "id of its key"),
    "a key id that is a number": (
        lambda: f"{b64({'alg': 'RS256', 'kid': 1})}.{b64(claims())}.c2ln",
        "id of its key",
    ),
    "claims edited": (edited, "did not sign"),
    "expired": (lambda: token(claims(**at(iat=-7200, exp=-61))), "expired"),  # type: ignore[arg-type]
    "not issued yet": (lambda: token(claims(**at(iat=120, exp=3600))), "not valid yet"),  # type: ignore[arg-type]
    "not valid yet": (lambda: token({**claims(), **at(nbf=120)}), "not valid yet"),
    "no expiry": (told(exp=None), "exp is missing"),
    "an expiry in quotes": (told(exp="99999999999"), "exp is missing or odd"),
    "no date of issue": (told(iat=None), "iat is missing"),
    "the organization's audience": (told(aud=ORGANIZATION), "audience"),
    "the bridge's audience without a digest": (told(aud=PUBLIC_URL), "audience"),
    "another bridge's audience": (told(aud=audience("http://other.test", WHEEL)), "audience"),
    "another wheel's audience": (told(aud=audience(PUBLIC_URL, OTHER)), "audience"),
    "two audiences": (told(aud=[audience(PUBLIC_URL, WHEEL), "sigstore"]), "audience"),
    "no audience": (told(aud=None), "aud is missing"),
    "another organization": (
        told(iss=CIRCLECI.issuer.replace(ORGANIZATION, ELSEWHERE)),
        "another issuer",
    ),
    "another issuer": (told(iss="http://evil.test"), "another issuer"),
    "an issuer with a slash": (told(iss=f"{CIRCLECI.issuer}/"), "another issuer"),
    "another project": (told(project_id=ELSEWHERE), "another project"),
    "no project": (told(project_id=None), "project-id is missing"),
    "another pipeline definition": (told(pipeline_definition_id=ELSEWHERE), "definition"),
    "a fork's repository": (told(vcs_origin="github.com/mallory/model-deployment"), "repository"),
    "no repository": (told(vcs_origin=None), "vcs-origin is missing"),
    "a branch": (told(vcs_ref="refs/heads/main"), "may not publish"),
    "another version's tag": (told(vcs_ref="refs/tags/v0.1.10"), "may not publish"),
    "a tag under the tag": (told(vcs_ref="refs/tags/v0.1.1/x"), "may not publish"),
    "no ref": (told(vcs_ref=None), "vcs-ref is missing"),
    "re-run by SSH": (told(ssh_rerun=True), "SSH"),
    "re-run by SSH, in quotes": (told(ssh_rerun="false"), "ssh-rerun is missing or odd"),
    "re-run by SSH, not said": (told(ssh_rerun=None), "ssh-rerun is missing"),
    "nothing": (lambda: "", "not a signed token"),
    "words": (lambda: "not a token", "not a signed token"),
    "a list for claims": (
        lambda: f"{b64({'alg': 'RS256', 'kid': 'first'})}.{b64([])}.c2ln",
        "did not sign",
    ),
    "a header without end": (
        lambda: base64.urlsafe_b64encode(b"[" * 20000).decode() + ".e30.c2ln",
        "not a signed token",
    ),
    "an encrypted token's five parts": (lambda: "a.b.c.d.e", "not a signed token"),
}


def test_the_jobs_token_is_believed() -> None:
    found = verify(token(claims()), WHEEL, CIRCLECI, PUBLIC_URL, KEYS, NOW)
    assert ("job-1", "workflow-1", "pipeline-1") == (found.job, found.workflow, found.pipeline)
    one = token(claims(aud=[audience(PUBLIC_URL, WHEEL)]))
    assert verify(one, WHEEL, CIRCLECI, f"{PUBLIC_URL}/", KEYS, NOW)
    assert verify(token(claims(), "second"), WHEEL, CIRCLECI, PUBLIC_URL, KEYS, NOW)


@pytest.mark.parametrize("case", BAD)
def test_nothing_else_is(case: str) -> None:
    make, why = BAD[case]
    with pytest.raises(Forged, match=why):
        verify(make(), WHEEL, CIRCLECI, PUBLIC_URL, KEYS, NOW)


@pytest.mark.parametrize("seconds", [-60, 0, 3600, 3660])
def test_clocks_may_differ_by_a_minute(seconds: float) -> None:
    when = NOW + timedelta(seconds=seconds)
    assert verify(token(claims()), WHEEL, CIRCLECI, PUBLIC_URL, KEYS, when)


@pytest.mark.parametrize("seconds", [-61, 3661])
def test_but_not_by_more(seconds: float) -> None:
    with pytest.raises(Forged):
        verify(token(claims()), WHEEL, CIRCLECI, PUBLIC_URL, KEYS, NOW + timedelta(seconds=seconds))


def test_the_header_tells_the_keys_id_and_nothing_else() -> None:
    assert "first" == key_id(token(claims(), jku="http://evil.test", x5u="http://evil.test"))
