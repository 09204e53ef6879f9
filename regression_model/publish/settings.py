"""What the publication reads from the environment, with every secret taken out of its URL."""

import base64
import binascii
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit, urlunsplit

from publish.errors import NotPublished

PUSH_URL, PUSH_TOKEN = "GEMFURY_PUSH_URL", "GEMFURY_PUSH_TOKEN"
READ_URL = "PIP_EXTRA_INDEX_URL"
BRIDGE_URL, BRIDGE_SECRET = "BRIDGE_URL", "BRIDGE_WEBHOOK_SECRETS__PUBLISHER"


@dataclass(frozen=True)
class Address:
    """A URL without credentials, and the credentials beside it as user name and password."""

    url: str
    auth: tuple[str, str] | None = field(default=None, repr=False)


@dataclass(frozen=True)
class Bridge:
    """Where the bridge listens, and the key that signs."""

    url: str
    key: bytes = field(repr=False)


@dataclass(frozen=True)
class Settings:
    """Where to push, where to look when a file is there already, and whom to tell."""

    push_url: str
    push_token: str = field(repr=False)
    indexes: tuple[Address, ...]
    bridge: Bridge | None

    @property
    def secrets(self) -> list[str]:
        """What must not be printed, even when a server echoes it."""
        known = [part for address in self.indexes for part in address.auth or ()]
        return [secret for secret in (self.push_token, *known) if secret]


def read(environment: Mapping[str, str]) -> Settings:
    """The settings. Raises NotPublished where one is missing or odd; never quotes its value."""
    push = split(PUSH_URL, environment.get(PUSH_URL, ""))
    token = environment.get(PUSH_TOKEN) or _token(push)
    if not token:
        raise NotPublished(f"no token to push with: set {PUSH_TOKEN}, or put it into {PUSH_URL}")
    return Settings(
        push_url=push.url,
        push_token=token,
        indexes=tuple(split(READ_URL, url) for url in environment.get(READ_URL, "").split()),
        bridge=_bridge(environment),
    )


def split(name: str, url: str) -> Address:
    """The address in the variable called `name`, with user name and password taken out."""
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        host = port = None
    if not host or parts.scheme not in ("http", "https"):
        raise NotPublished(f"{name} is not the address of a web server; set it")
    host = f"[{host}]" if ":" in host else host
    netloc = host if port is None else f"{host}:{port}"
    auth = None
    if parts.username is not None:
        auth = (unquote(parts.username), unquote(parts.password or ""))
    return Address(urlunsplit((parts.scheme, netloc, parts.path, parts.query, "")), auth)


def _token(address: Address) -> str | None:
    """`https://TOKEN@…`, `https://TOKEN:@…` and `https://USER:TOKEN@…` are all in use."""
    user, password = address.auth or ("", "")
    return password or user or None


def _bridge(environment: Mapping[str, str]) -> Bridge | None:
    url = environment.get(BRIDGE_URL)
    if not url:
        return None
    # While a secret is being rotated there are two: the first one signs.
    secret = environment.get(BRIDGE_SECRET, "").split(",")[0].strip()
    if not secret:
        raise NotPublished(f"{BRIDGE_URL} is set but {BRIDGE_SECRET} is not: nothing to sign with")
    try:
        if not secret.startswith("whsec_"):
            raise ValueError
        key = base64.b64decode(secret.removeprefix("whsec_"), validate=True)
    except (ValueError, binascii.Error):
        raise NotPublished(f"{BRIDGE_SECRET} should be whsec_ and base64") from None
    return Bridge(split(BRIDGE_URL, url).url.rstrip("/"), key)
