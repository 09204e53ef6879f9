"""Who asks, judged by what a request carries. Pure."""

import hmac

from starlette.datastructures import Headers

from bridge.errors import Reason
from bridge.person import By, Person, Role
from bridge.sentences import say
from bridge.sign_in import ProxySignIn, Web, is_loopback

SOMEBODY_HERE = Person("loopback", "somebody at this machine", Role.OPERATOR, By.LOOPBACK)
FORWARDING = (
    *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto", "x-real-ip"),
    "via",
)
LONGEST_NAME = 100


def who(headers: Headers, peer: str, signed_in: Person | None, web: Web) -> Person | Reason:
    """The person, or why nobody is known. `peer` is the address that the connection came from,
    `signed_in` whom the session knows. A token that is given counts, and nothing beside it."""
    if web.has_tokens and (told := bearer(headers)) is not None:
        return by_token(told, web) or say("wrong_token")
    if signed_in:
        return signed_in
    if web.proxy and web.proxy.trusts(peer):
        return _by_proxy(headers, web.proxy)
    return _here(headers, peer) if web.is_open_here else say("sign_in_first")


def bearer(headers: Headers) -> bytes | None:
    """The token that a program sends; it is never looked for in an address."""
    scheme, _, told = headers.get("authorization", "").partition(" ")
    return told.strip().encode("latin-1") if scheme.lower() == "bearer" else None


def by_token(told: bytes, web: Web) -> Person | None:
    """Whose token it is. All are compared, so that the time tells nothing."""
    held = [(one, token.get_secret_value().encode()) for one, token in web.tokens()]
    return next((one for one, token in held if hmac.compare_digest(token, told)), None)


def _by_proxy(headers: Headers, proxy: ProxySignIn) -> Person | Reason:
    """Whom the proxy names, once."""
    told = headers.getlist(proxy.header)
    if len(told) != 1 or not 0 < len(told[0]) <= LONGEST_NAME or not told[0].isprintable():
        return say("unnamed_by_proxy")
    role = Role.OPERATOR if told[0] in proxy.operators else Role.VIEWER
    return Person(told[0], told[0], role, By.PROXY)


def _here(headers: Headers, peer: str) -> Person | Reason:
    """Whoever sits at this machine, and asked for it by its own name.

    A page of elsewhere whose name leads to 127.0.0.1 has another one, and a proxy on this machine
    brings the whole world.
    """
    hosts = headers.getlist("host")
    if len(hosts) != 1 or not is_loopback(_without_port(hosts[0])):
        return say("foreign_host", host=", ".join(hosts) or "nobody")
    if not is_loopback(peer) or any(name in headers for name in FORWARDING):
        return say("came_by_proxy")
    return SOMEBODY_HERE


def _without_port(host: str) -> str:
    name, colon, port = host.rpartition(":")
    return name if colon and port.isdigit() else host
