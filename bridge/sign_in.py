"""Who may see the pages and act: what is set of it. Pure.

Nothing set means that only this machine's own people see anything, and that they may act.
"""

import hashlib
from collections.abc import Iterable, Iterator
from ipaddress import IPv4Address, IPv6Address, ip_address
from typing import Annotated
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    IPvAnyNetwork,
    SecretStr,
    model_validator,
)

from bridge.errors import Misconfigured, Reason
from bridge.kit.outbound import is_https_or_here
from bridge.person import By, Person, Role
from bridge.sentences import say

SHORTEST_TOKEN = 24
"""Bytes; a shorter one can be guessed."""
SLUG = r"^[A-Za-z0-9][A-Za-z0-9._-]*$"
Slug = Annotated[str, Field(pattern=SLUG)]


def long_enough(token: SecretStr) -> SecretStr:
    """Not one that can be guessed; raises ValueError."""
    if len(token.get_secret_value().encode()) < SHORTEST_TOKEN:
        raise ValueError(f"a token is shorter than {SHORTEST_TOKEN} bytes")
    return token


Tokens = dict[str, Annotated[SecretStr, AfterValidator(long_enough)]]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid")


class GitHubSignIn(_Table):
    """Members of an organization sign in at GitHub: everybody in it, or only the teams of
    `viewers`; those of `operators` act."""

    client_id: str = Field(min_length=1)
    client_secret: SecretStr
    organization: Slug
    viewers: list[Slug] = []
    operators: list[Slug] = []


class ProxySignIn(_Table):
    """A proxy at an address in `trusted` has signed people in, and names them in `header`."""

    header: str = Field(default="X-Forwarded-User", pattern=r"^[A-Za-z0-9-]+$")
    trusted: list[IPvAnyNetwork] = Field(min_length=1)
    operators: list[str] = []

    def trusts(self, address: str) -> bool:
        """Whether the proxy speaks from there."""
        try:
            told: IPv4Address | IPv6Address | None = ip_address(address)
        except ValueError:
            return False
        told = getattr(told, "ipv4_mapped", None) or told
        return any(told in network for network in self.trusted)


class Web(_Table):
    """Whether there are `pages` at all, and who is let in: whoever has a token, members of an
    organization at GitHub, and whom a proxy vouches for."""

    pages: bool = True
    viewer_tokens: Tokens = {}
    operator_tokens: Tokens = {}
    github: GitHubSignIn | None = None
    proxy: ProxySignIn | None = None

    @model_validator(mode="after")
    def told_apart(self) -> "Web":
        """A token says who and what for; so do a name and its role."""
        held = [token.get_secret_value() for _, token in self.tokens()]
        if len(set(held)) < len(held):
            raise ValueError("two people have the same token")
        if self.viewer_tokens.keys() & self.operator_tokens.keys():
            raise ValueError("one name has a viewer's and an operator's token")
        return self

    def tokens(self) -> Iterator[tuple[Person, SecretStr]]:
        """Every token, with who has it."""
        for role, held in (
            (Role.VIEWER, self.viewer_tokens),
            (Role.OPERATOR, self.operator_tokens),
        ):
            for name, token in held.items():
                yield Person(name, name, role, By.TOKEN), token

    @property
    def has_tokens(self) -> bool:
        """Whether a token lets anybody in."""
        return bool(self.viewer_tokens or self.operator_tokens)

    @property
    def is_open_here(self) -> bool:
        """Whether nothing is set, so that this machine's own people need not sign in."""
        return not (self.has_tokens or self.github or self.proxy)

    def secrets(self) -> list[str]:
        """Everything in it that must not be said."""
        held = [token.get_secret_value() for _, token in self.tokens()]
        return [*held, self.github.client_secret.get_secret_value()] if self.github else held

    def key(self) -> str:
        """What sessions are signed with. It follows from all that is set, so every replica has it,
        and whoever changes who may come in ends every session."""
        told = [self.model_dump_json(), *self.secrets()]
        return hashlib.sha256("\0".join(["bridge session", *told]).encode()).hexdigest()


def must_know_people(web: Web, public_url: str, *, local: bool) -> None:
    """Nobody unknown is let in, and nobody's token is overheard; raises Misconfigured. `local`
    where only this machine can reach the bridge.

    A public address leads to loopback by a proxy, and not every proxy says that it is one: nginx,
    told nothing but where to go, asks for 127.0.0.1 as somebody at this machine does.
    """
    local = local and is_loopback(urlsplit(public_url).hostname or "")
    if web.pages and web.is_open_here and not local:
        raise Misconfigured(say("open_to_all").sentence)
    if web.pages and not web.is_open_here and not is_https_or_here(public_url):
        raise Misconfigured(say("sign_in_in_clear").sentence)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach this name or address."""
    try:
        return ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return host.lower() == "localhost"


def who_may(web: Web) -> list[Reason]:
    """Who may see the pages and who may act, for whoever starts the bridge."""
    if not web.pages:
        return [say("no_pages")]
    if web.is_open_here:
        return [say("this_machine_only")]
    told = []
    if web.has_tokens:
        look, act = (_names(held) for held in (web.viewer_tokens, web.operator_tokens))
        told.append(say("token_lets_in", look=look, act=act))
    if github := web.github:
        look = f"the teams {_names(github.viewers)}" if github.viewers else "everybody"
        names = {"organization": github.organization, "look": look}
        told.append(say("github_lets_in", act=_names(github.operators), **names))
    if proxy := web.proxy:
        at = _names(f"{network}" for network in proxy.trusted)
        told.append(say("proxy_lets_in", header=proxy.header, at=at, act=_names(proxy.operators)))
    return told


def _names(told: Iterable[str]) -> str:
    return ", ".join(told) or "nobody"
