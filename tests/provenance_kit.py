"""Those who vouch for wheels in the tests: a publish job's key, and an issuer of tokens."""

import hashlib
import json
from datetime import datetime, timedelta
from functools import cache

import jwt
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.asymmetric.rsa import RSAPrivateKey, generate_private_key
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.provenance.statement import Wheel
from bridge.provenance.token import audience
from bridge.provenance.trust import CircleCi
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.letters import Letter
from tests.bridge_kit import NOW, PACKAGE

PUBLIC_URL = "http://bridge.test"
WHEEL = Wheel(PACKAGE, "0.1.1", "regression_model-0.1.1-py3-none-any.whl", f"sha256:{'a' * 64}")
OTHER = Wheel(PACKAGE, "0.1.1", WHEEL.file, f"sha256:{'b' * 64}")
ORGANIZATION = "11111111-1111-4111-8111-111111111111"
PROJECT = "22222222-2222-4222-8222-222222222222"
DEFINITION = "33333333-3333-4333-8333-333333333333"
ORIGIN = "github.com/acme/model-deployment"
CIRCLECI = CircleCi(
    organization=ORGANIZATION,
    project=PROJECT,
    definition=DEFINITION,
    vcs_origin=ORIGIN,
    url="http://oidc.test",
)


def pem(key: Ed25519PrivateKey | RSAPrivateKey) -> bytes:
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def public_pem(key: Ed25519PrivateKey | RSAPrivateKey) -> str:
    public = key.public_key()
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo).decode()


JOB_KEY = Ed25519PrivateKey.from_private_bytes(b"made-up private key of a CI job.")
STRANGERS_KEY = Ed25519PrivateKey.from_private_bytes(b"made-up private key of a thief..")


@cache
def rsa(name: str) -> RSAPrivateKey:
    """The issuer's key of this name."""
    return generate_private_key(65537, 1024 if name == "short" else 2048)


def jwk(kid: str, **more: object) -> dict[str, object]:
    told = json.loads(jwt.algorithms.RSAAlgorithm.to_jwk(rsa(kid).public_key()))
    return {**told, "kid": kid, "use": "sig", "alg": "RS256", "key_ops": ["verify"], **more}


def claims(wheel: Wheel = WHEEL, at: datetime = NOW, **changed: object) -> dict[str, object]:
    """What CircleCI says of a job; None takes a claim away."""
    said: dict[str, object] = {
        "iss": CIRCLECI.issuer,
        "aud": audience(PUBLIC_URL, wheel),
        "sub": f"org/{ORGANIZATION}/project/{PROJECT}/user/u/vcs-origin/{ORIGIN}/vcs-ref/x",
        "iat": int(at.timestamp()),
        "exp": int((at + timedelta(hours=1)).timestamp()),
        "oidc.circleci.com/org-id": ORGANIZATION,
        "oidc.circleci.com/project-id": PROJECT,
        "oidc.circleci.com/pipeline-definition-id": DEFINITION,
        "oidc.circleci.com/vcs-origin": ORIGIN,
        "oidc.circleci.com/vcs-ref": f"refs/tags/v{wheel.version}",
        "oidc.circleci.com/ssh-rerun": False,
        "oidc.circleci.com/job-id": "job-1",
        "oidc.circleci.com/workflow-id": "workflow-1",
        "oidc.circleci.com/pipeline-id": "pipeline-1",
        "oidc.circleci.com/context-ids": [],
    }
    for name, value in changed.items():
        key = name if name in said else f"oidc.circleci.com/{name.replace('_', '-')}"
        if value is None:
            del said[key]
        else:
            said[key] = value
    return said


def token(said: dict[str, object], kid: str = "first", **header: object) -> str:
    return jwt.encode(said, rsa(kid), algorithm="RS256", headers={"kid": kid, **header})


class OidcIssuer:
    """CircleCI's issuer: a discovery document, and the keys that it leads to."""

    def __init__(self) -> None:
        self.keys: list[dict[str, object]] = [jwk("first")]
        self.discovery: dict[str, object] = {
            "issuer": CIRCLECI.issuer,
            "jwks_uri": f"{CIRCLECI.issuer}/.well-known/jwks-pub.json",
        }
        self.away = False
        self.asked: list[str] = []
        path = f"/org/{ORGANIZATION}/.well-known"
        self.app = Starlette(
            routes=[
                Route(f"{path}/openid-configuration", self._configuration),
                Route(f"{path}/jwks-pub.json", self._key_set),
            ]
        )

    async def _configuration(self, request: Request) -> Response:
        return self._answer(request, self.discovery)

    async def _key_set(self, request: Request) -> Response:
        return self._answer(request, {"keys": self.keys})

    def _answer(self, request: Request, body: object) -> Response:
        self.asked.append(request.url.path.rpartition("/")[2])
        return Response(status_code=503) if self.away else JSONResponse(body)


def with_attestations(letter: Letter, secret: str, at: datetime, *told: dict[str, str]) -> Letter:
    """The same announcement, with attestations and signed anew."""
    body = json.loads(letter.body)
    body["data"]["attestations"] = list(told)
    raw = json.dumps(body).encode()
    identifier = f"{letter.headers['webhook-id']}-{hashlib.sha256(raw).hexdigest()[:8]}"
    return Letter("publisher", sign(key_of(secret), identifier, at, raw), raw)
