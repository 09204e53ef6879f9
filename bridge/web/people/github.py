"""Sign-in at GitHub: only for members of one organization, whose teams say who may act.

We ask for `read:org`, learn who it is, and forget the token.

Source: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
"""

import re
import secrets
from collections.abc import Callable
from typing import TypeVar
from urllib.parse import urlsplit

import httpx
from authlib.common.errors import AuthlibBaseError
from authlib.oauth2.rfc6749.parameters import (
    parse_authorization_code_response,
    prepare_grant_uri,
    prepare_token_request,
)
from authlib.oauth2.rfc7636 import create_s256_code_challenge
from pydantic import BaseModel, SecretStr, ValidationError

from bridge.errors import Refused, Unavailable
from bridge.kit.http import Door
from bridge.person import By, Person, Role
from bridge.sentences import say
from bridge.sign_in import GitHubSignIn

Answer = TypeVar("Answer", bound=BaseModel)
SCOPE = "read:org"
ERROR = re.compile(r"[a-z_]{1,60}")
JSON = {"accept": "application/json"}


class _Token(BaseModel):
    access_token: SecretStr


class _No(BaseModel):
    error: str


class _User(BaseModel):
    id: int
    login: str


class _Membership(BaseModel):
    state: str


class AtGitHub:
    """Asks GitHub through a door to its API, a new one for each person, for people come seldom;
    `back` is where it sends them back."""

    def __init__(
        self, told: GitHubSignIn, door: Callable[[], Door], api_url: str, back: str
    ) -> None:
        self._told = told
        self._open = door
        self._web = web_of(api_url)
        self._back = back

    def begin(self) -> tuple[str, str, str]:
        """Where to send a person, with the state and the verifier that their browser keeps."""
        state, verifier = secrets.token_urlsafe(32), secrets.token_urlsafe(48)
        address: str = prepare_grant_uri(
            f"{self._web}/login/oauth/authorize",
            self._told.client_id,
            "code",
            redirect_uri=self._back,
            scope=SCOPE,
            state=state,
            code_challenge=create_s256_code_challenge(verifier),
            code_challenge_method="S256",
        )
        return address, state, verifier

    async def person(self, query: str, state: str, verifier: str) -> Person:
        """Who came back with this query. Raises Refused and Unavailable."""
        code, door = _code(query, state), self._open()
        try:
            token = await self._token(door, code, verifier)
            proof = {"authorization": f"Bearer {token.get_secret_value()}"}
            return await self._who(door, proof)
        finally:
            await door.close()

    async def _who(self, door: Door, proof: dict[str, str]) -> Person:
        user = _read(_User, await door.ask("GET", "/user", headers=proof))
        organization = self._told.organization
        if not await _is_member(door, f"/user/memberships/orgs/{organization}", proof):
            raise Refused(say("not_a_member", login=user.login, organization=organization))
        role = await self._role(door, user.login, proof)
        return Person(str(user.id), user.login, role, By.GITHUB)

    async def _token(self, door: Door, code: str, verifier: str) -> SecretStr:
        body: str = prepare_token_request(
            "authorization_code",
            redirect_uri=self._back,
            code=code,
            code_verifier=verifier,
            client_id=self._told.client_id,
            client_secret=self._told.client_secret.get_secret_value(),
        )
        form = {**JSON, "content-type": "application/x-www-form-urlencoded"}
        answer = await door.ask(
            "POST", f"{self._web}/login/oauth/access_token", content=body.encode(), headers=form
        )
        try:
            said = _No.model_validate_json(answer.content)
        except ValidationError:
            return _read(_Token, answer).access_token
        raise _refused(said.error)

    async def _role(self, door: Door, login: str, proof: dict[str, str]) -> Role:
        told = self._told
        if await self._is_in(door, told.operators, login, proof):
            return Role.OPERATOR
        if told.viewers and not await self._is_in(door, told.viewers, login, proof):
            teams = ", ".join([*told.viewers, *told.operators])
            names = {"login": login, "organization": told.organization}
            raise Refused(say("no_team", **names, teams=teams))
        return Role.VIEWER

    async def _is_in(self, door: Door, teams: list[str], login: str, proof: dict[str, str]) -> bool:
        for team in teams:
            path = f"/orgs/{self._told.organization}/teams/{team}/memberships/{login}"
            if await _is_member(door, path, proof):
                return True
        return False


async def _is_member(door: Door, path: str, proof: dict[str, str]) -> bool:
    """An invitation that nobody has accepted is `pending`."""
    answer = await door.ask("GET", path, headers=proof)
    if answer.status_code in (403, 404):
        return False
    return _read(_Membership, answer).state == "active"


def web_of(api_url: str) -> str:
    """Where people are, of a GitHub whose API is there: github.com, a tenant of ghe.com, or an
    Enterprise host, whose API lies under /api/v3."""
    parts = urlsplit(api_url.rstrip("/"))
    host = parts.netloc
    if host == "api.github.com" or host.endswith(".ghe.com"):
        host = host.removeprefix("api.")
    return f"{parts.scheme}://{host}{parts.path.removesuffix('/api/v3')}"


def _code(query: str, state: str) -> str:
    """The code that GitHub sent back for this very state. Raises Refused."""
    told = dict(httpx.QueryParams(query))
    if told.get("state") == state and "error" in told:
        raise _refused(told["error"])
    try:
        return str(parse_authorization_code_response(f"/?{query}", state)["code"])
    except AuthlibBaseError:
        raise Refused(say("not_begun_here")) from None


def _refused(error: str) -> Refused:
    return Refused(say("github_said_no", why=error if ERROR.fullmatch(error) else "an error"))


def _read(model: type[Answer], answer: httpx.Response) -> Answer:
    """What GitHub said; an answer may hold a token, so no error quotes it. Raises Unavailable."""
    if answer.status_code != 200:
        raise Unavailable(f"GitHub answered {answer.status_code}")
    try:
        return model.model_validate_json(answer.content)
    except ValidationError:
        raise Unavailable("GitHub sent an answer that cannot be read") from None
