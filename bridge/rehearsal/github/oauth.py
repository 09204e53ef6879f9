"""Sign-in at the simulated GitHub: the page that asks a person, the code, the token, who it is.

Sources: https://docs.github.com/en/apps/oauth-apps/building-oauth-apps/authorizing-oauth-apps
and https://docs.github.com/en/rest/orgs/members, https://docs.github.com/en/rest/teams/members
"""

import base64
import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from html import escape
from urllib.parse import parse_qsl, urlencode

from starlette.routing import Route

from bridge.rehearsal.github.access import denied
from bridge.rehearsal.github.accounts import Accounts, Json, iso
from bridge.rehearsal.github.door import Answer, Asked, Door
from bridge.rehearsal.github.state import Refusal

CODE_LASTS = timedelta(minutes=10)
ASKED = ("client_id", "redirect_uri", "scope", "state", "code_challenge", "code_challenge_method")
PAGE = """<!doctype html>
<html lang="en"><meta charset="utf-8"><title>Authorize</title>
<h1>Authorize the bridge</h1>
<p>It wants to know who you are: {scope}</p>
<form method="post" action="/login/oauth/authorize">{hidden}
{people}
<button name="login" value="">Cancel</button></form>
</html>
"""


@dataclass
class Organization:
    """Who is in it, and in its teams by slug; who is `invited` has not accepted."""

    members: set[str] = field(default_factory=set)
    invited: set[str] = field(default_factory=set)
    teams: dict[str, set[str]] = field(default_factory=dict)
    strangers: set[str] = field(default_factory=set)


@dataclass(frozen=True)
class Grant:
    """What a person allowed: it can be had once, for ten minutes, by whoever knows the verifier."""

    login: str
    scope: str
    challenge: str
    redirect_uri: str
    until: datetime


class OAuth:
    """One registered application, whose `callback` is the only place that codes are sent to."""

    def __init__(self, accounts: Accounts, clock: Callable[[], datetime]) -> None:
        self.client_id, self.client_secret = "Ov23rehearsal", secrets.token_hex(20)
        self.callback = ""
        self.organization = Organization()
        self._accounts, self._clock, self.url = accounts, clock, accounts.url
        self._grants: dict[str, Grant] = {}
        self._tokens: dict[str, tuple[str, str]] = {}

    def routes(self, door: Door) -> list[Route]:
        def at(path: str, name: str, do: Callable[[Asked], Answer], method: str = "GET") -> Route:
            return Route(path, door.endpoint(name, do, "none"), methods=[method])

        team = "/orgs/{org}/teams/{team}/memberships/{login}"
        return [
            at("/login/oauth/authorize", "authorizePage", self.ask),
            at("/login/oauth/authorize", "authorize", self.authorize, "POST"),
            at("/login/oauth/access_token", "userToken", self.token, "POST"),
            at("/user", "user", self.user),
            at("/user/memberships/orgs/{org}", "membership", self.membership),
            at(team, "teamMembership", self.team_membership),
        ]

    def ask(self, asked: Asked) -> Answer:
        """The page; GitHub would ask for a password first, here one says who one is."""
        if asked.query.get("client_id") != self.client_id:
            raise Refusal("NOT_FOUND", "Not Found")
        told = {name: asked.query[name] for name in ASKED if name in asked.query}
        if not self._is_callback(told.get("redirect_uri", "")):
            return self._back(self.callback, told, error="redirect_uri_mismatch")
        one = self.organization
        everybody = sorted(one.members | one.invited | one.strangers)
        page = PAGE.format(
            scope=escape(told.get("scope", "")),
            hidden="".join(
                f'<input type="hidden" name="{name}" value="{escape(value)}">'
                for name, value in told.items()
            ),
            people="".join(
                f'<button name="login" value="{escape(login)}">{escape(login)}</button>'
                for login in everybody
            ),
        )
        return Answer(page.encode(), headers={"content-type": "text/html; charset=utf-8"})

    def authorize(self, asked: Asked) -> Answer:
        told = _form(asked)
        back = told.get("redirect_uri", "")
        if told.get("client_id") != self.client_id or not self._is_callback(back):
            raise Refusal("NOT_FOUND", "Not Found")
        if not told.get("login"):
            return self._back(back, told, error="access_denied")
        code, until = secrets.token_hex(10), self._clock() + CODE_LASTS
        challenge = told.get("code_challenge", "")
        self._grants[code] = Grant(told["login"], told.get("scope", ""), challenge, back, until)
        return self._back(back, told, code=code)

    def token(self, asked: Asked) -> Answer:
        """Errors come with 200, as GitHub's do; `accept` says in which form."""
        told = _form(asked)
        if (told.get("client_id"), told.get("client_secret")) != (
            self.client_id,
            self.client_secret,
        ):
            body: Json = {"error": "incorrect_client_credentials"}
        else:
            body = self._exchanged(told)
        if "application/json" in asked.headers.get("accept", ""):
            return Answer(body)
        kind = "application/x-www-form-urlencoded; charset=utf-8"
        return Answer(urlencode(body).encode(), headers={"content-type": kind})

    def user(self, asked: Asked) -> Answer:
        login, _ = self._caller(asked)
        made = iso(self._accounts.created)
        nothing = ("bio", "blog", "company", "email", "hireable", "location", "name")
        counts = ("followers", "following", "public_gists", "public_repos")
        more: Json = {"created_at": made, "updated_at": made}
        more |= dict.fromkeys(nothing) | dict.fromkeys(counts, 0)
        return Answer(self._accounts.user(login) | more)

    def membership(self, asked: Asked) -> Answer:
        login, scope = self._caller(asked)
        org, one = asked.path["org"], self.organization
        if "read:org" not in scope.split():
            return Answer({"message": "You need at least read:org scope.", "status": "403"}, 403)
        if org != self._accounts.owner or login not in one.members | one.invited:
            raise Refusal("NOT_FOUND", "Not Found")
        api = f"{self._accounts.url}/orgs/{org}"
        owner = self._accounts.user(org)
        return Answer(
            {
                "url": f"{api}/memberships/{login}",
                "state": "active" if login in one.members else "pending",
                "role": "member",
                "organization_url": api,
                "organization": {"login": org, "id": owner["id"], "url": api},
                "user": self._accounts.user(login),
            }
        )

    def team_membership(self, asked: Asked) -> Answer:
        _, scope = self._caller(asked)
        org, team, login = (asked.path[name] for name in ("org", "team", "login"))
        known = self.organization.teams.get(team, set())
        if "read:org" not in scope.split() or org != self._accounts.owner or login not in known:
            raise Refusal("NOT_FOUND", "Not Found")
        url = f"{self._accounts.url}/orgs/{org}/teams/{team}/memberships/{login}"
        state = "active" if login in self.organization.members else "pending"
        return Answer({"url": url, "role": "member", "state": state})

    def _exchanged(self, told: dict[str, str]) -> Json:
        grant = self._grants.pop(told.get("code", ""), None)
        if (
            grant is None
            or grant.until <= self._clock()
            or grant.challenge != _challenge(told.get("code_verifier", ""), grant.challenge)
        ):
            return {"error": "bad_verification_code"}
        if told.get("redirect_uri", grant.redirect_uri) != grant.redirect_uri:
            return {"error": "redirect_uri_mismatch"}
        token = f"gho_{secrets.token_urlsafe(27)}"
        self._tokens[token] = grant.login, grant.scope
        return {"access_token": token, "scope": grant.scope, "token_type": "bearer"}

    def _caller(self, asked: Asked) -> tuple[str, str]:
        word, _, token = asked.headers.get("authorization", "").partition(" ")
        if word.lower() not in ("bearer", "token") or token not in self._tokens:
            raise denied("Bad credentials")
        return self._tokens[token]

    def _is_callback(self, address: str) -> bool:
        return bool(self.callback) and address == self.callback

    def _back(self, address: str, told: dict[str, str], **more: str) -> Answer:
        more |= {"state": told["state"]} if "state" in told else {}
        return Answer(status=302, headers={"location": f"{address}?{urlencode(more)}"})


def _form(asked: Asked) -> dict[str, str]:
    return dict(parse_qsl(asked.body.decode(errors="replace"), keep_blank_values=True))


def _challenge(verifier: str, wanted: str) -> str:
    """What the verifier proves; nothing is to be proved where no challenge was made."""
    digest = hashlib.sha256(verifier.encode()).digest()
    return base64.urlsafe_b64encode(digest).rstrip(b"=").decode() if wanted else ""
