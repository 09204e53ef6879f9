"""Who may call the simulated GitHub: its App's token, and what the App's own key buys.

Source: https://docs.github.com/en/apps/creating-github-apps/authenticating-with-a-github-app
"""

import secrets
from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Literal

import jwt
from pydantic import BaseModel

from bridge.rehearsal.github.accounts import Json, iso
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import Refusal, unprocessable

APP_ID = "4242"
CLIENT_ID = "Iv23rehearsal"
INSTALLATION = 77
PERMISSIONS = {
    "checks": "read",
    "contents": "write",
    "deployments": "write",
    "metadata": "read",
    "pull_requests": "write",
    "statuses": "write",
}


class Wanted(BaseModel):
    """What a new token shall be good for; None: all that the App may."""

    repositories: list[str] | None = None
    permissions: dict[str, Literal["read", "write"]] | None = None


class Access:
    """Tokens of one App: the given one never ends, one from `new_token` lives for an hour."""

    def __init__(self, token: str, clock: Callable[[], datetime]) -> None:
        self.clock = clock
        self.public_key: str | None = None
        self._tokens: dict[str, datetime | None] = {token: None}

    def check_token(self, authorization: str) -> None:
        word, _, token = authorization.partition(" ")
        end = self._tokens.get(token, datetime.min.replace(tzinfo=self.clock().tzinfo))
        if word.lower() not in ("bearer", "token") or (end is not None and end <= self.clock()):
            raise denied("Bad credentials")

    def check_app(self, authorization: str) -> None:
        """The App's JWT, judged by our clock: RS256, at most ten minutes, issued by the App."""
        if self.public_key is None:
            raise denied("A JSON web token could not be decoded")
        try:
            claims: dict[str, object] = jwt.decode(
                authorization.removeprefix("Bearer "),
                self.public_key,
                algorithms=["RS256"],
                options={"verify_exp": False, "verify_iat": False, "require": ["exp", "iat"]},
            )
        except jwt.InvalidTokenError as error:
            raise denied("A JSON web token could not be decoded") from error
        now, issued, end = self.clock().timestamp(), claims["iat"], claims["exp"]
        if claims.get("iss") not in (APP_ID, CLIENT_ID):
            raise denied("'Issuer' claim ('iss') must be an Integer or a client ID")
        if not isinstance(issued, int) or issued > now:
            raise denied("'Issued at' claim ('iat') must be an Integer in the past")
        if not isinstance(end, int) or end <= now:
            raise denied("'Expiration time' claim ('exp') must be in the future")
        if end > now + 600:
            raise denied("'Expiration time' claim ('exp') is too far in the future")

    def new_token(self, wanted: Wanted, repository: str) -> Json:
        """A token for the one repository there is, with at most the App's permissions."""
        if wanted.repositories not in (None, [repository]):
            raise unprocessable(
                "There is at least one repository that does not exist or is not accessible to "
                "the parent installation."
            )
        permissions = wanted.permissions or PERMISSIONS
        if any(
            PERMISSIONS.get(name) not in ("write", level) for name, level in permissions.items()
        ):
            raise unprocessable("The permissions requested are not granted to this installation.")
        proof = ".".join(secrets.token_urlsafe(size) for size in (48, 150, 180))
        token, end = f"ghs_{APP_ID}_{proof}", self.clock() + timedelta(hours=1)
        self._tokens[token] = end
        return {
            "token": token,
            "expires_at": iso(end),
            "permissions": permissions,
            "repository_selection": "selected",
        }


def denied(message: str) -> Refusal:
    return Refusal("UNAUTHENTICATED", message)


def installation(shapes: Shapes, app: str) -> Json:
    """The App `app`, as it is installed in the repository's organization."""
    api, owner = f"{shapes.url}/app/installations/{INSTALLATION}", shapes.user(shapes.owner)
    return {
        "id": INSTALLATION,
        "account": owner,
        "repository_selection": "selected",
        "access_tokens_url": f"{api}/access_tokens",
        "repositories_url": f"{shapes.url}/installation/repositories",
        "html_url": f"{shapes.url}/organizations/{shapes.owner}/installations/{INSTALLATION}",
        "app_id": int(APP_ID),
        "client_id": CLIENT_ID,
        "app_slug": app.removesuffix("[bot]"),
        "target_id": owner["id"],
        "target_type": "Organization",
        "permissions": PERMISSIONS,
        "events": ["pull_request", "push", "status"],
        "created_at": iso(shapes.created),
        "updated_at": iso(shapes.created),
        "single_file_name": None,
        "suspended_by": None,
        "suspended_at": None,
    }
