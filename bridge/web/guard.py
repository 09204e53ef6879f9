"""Who may ask for what, judged before anything else: everything but OPEN wants a person, whatever
changes something an operator, and a request that one of our own pages or a program sent.

The rule against forged requests is that of Go's net/http.CrossOriginProtection: what the browser
says of where a request came from, and no tokens in forms.
"""

from dataclasses import dataclass
from urllib.parse import quote, urlsplit

import structlog
from starlette.datastructures import Headers, MutableHeaders
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from bridge.errors import Reason, Unavailable
from bridge.kit.clock import Clock
from bridge.person import By, Person
from bridge.sentences import say
from bridge.sign_in import Web
from bridge.store import Store
from bridge.web.people import session
from bridge.web.people.who import bearer, who
from bridge.web.refusals import refusal
from bridge.web.suspects import Suspects

log = structlog.get_logger()
SIGN_IN = "/sign-in"
SIGN_OUT = "/sign-out"
OPEN = frozenset(
    {
        *("/livez", "/readyz", "/healthz", "/version"),
        *(SIGN_IN, f"{SIGN_IN}/github", f"{SIGN_IN}/github/back"),
    }
)
STATIC = "/static/"
LOOKS = frozenset({"GET", "HEAD", "OPTIONS"})
HEADERS = {
    "content-security-policy": "default-src 'none'; script-src 'self'; style-src 'self'; "
    "connect-src 'self'; img-src 'self'; base-uri 'none'; form-action 'self'; "
    "frame-ancestors 'none'",
    "x-content-type-options": "nosniff",
    "referrer-policy": "no-referrer",
    "cross-origin-opener-policy": "same-origin",
    "cross-origin-resource-policy": "same-origin",
}


@dataclass(frozen=True)
class No:
    """What is refused: the status, and why."""

    status: int
    reason: Reason


def judge(
    method: str, path: str, headers: Headers, found: Person | Reason, origin: str
) -> No | None:
    """Why this may not go on; None if it may. `origin` is the bridge's own, as others see it."""
    person = found if isinstance(found, Person) else None
    changes, is_open = method not in LOOKS, path in OPEN or path.startswith(STATIC)
    if isinstance(found, Reason) and found.code == "wrong_token" and not is_open:
        return No(401, found)
    if changes and not is_ours(headers, person, origin):
        return No(403, say("cross_site"))
    if is_open:
        return None
    if not isinstance(found, Person):
        return No(403 if found.code in ("foreign_host", "came_by_proxy") else 401, found)
    if changes and not found.is_operator and path != SIGN_OUT:
        return No(403, say("viewers_only_look", name=found.name))
    return None


def is_ours(headers: Headers, person: Person | None, origin: str) -> bool:
    """Whether one of our own pages sent it, or no browser at all.

    Without both headers it is no browser of the last years. Then it must carry a token; at this
    machine, where there is none, JSON, which no form of a foreign page can send.
    """
    for name in ("sec-fetch-site", "origin", "host"):
        if len(headers.getlist(name)) > 1:
            return False
    if site := headers.get("sec-fetch-site"):
        return site in ("same-origin", "none")
    if (told := headers.get("origin")) is not None:
        host = told.partition("://")[2]
        return told == origin or (host != "" and host == headers.get("host"))
    if person is None:
        return False
    is_json = headers.get("content-type", "").partition(";")[0].strip() == "application/json"
    if person.by is By.LOOPBACK:
        return is_json
    return person.by is By.TOKEN and bearer(headers) is not None


class Guard:
    """Lets through who may. From here on `request.state.person` is the person, or None on an open
    path, and `request.state.session` the session."""

    def __init__(
        self,
        app: ASGIApp,
        *,
        web: Web,
        store: Store,
        clock: Clock,
        public_url: str,
        suspects: Suspects,
    ) -> None:
        self._app, self._web, self._store, self._clock = app, web, store, clock
        self._suspects = suspects
        parts = urlsplit(public_url)
        self._origin = f"{parts.scheme}://{parts.netloc}"
        self._door = SIGN_IN if web.has_tokens or web.github else ""

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""
        if scope["type"] != "http":
            return await self._app(scope, receive, send)
        headers, path = Headers(scope=scope), scope["path"]
        try:
            found = await self._who(scope, headers)
        except Unavailable as error:
            away = refusal(path, 503, Reason("unavailable", f"{error}"), {"retry-after": "5"})
            return await away(scope, receive, send)
        no = judge(scope["method"], path, headers, found, self._origin)
        if no is None:
            scope["state"]["person"] = found if isinstance(found, Person) else None
            return await self._app(scope, receive, send)
        return await self._refuse(no, scope, receive, send)

    async def _who(self, scope: Scope, headers: Headers) -> Person | Reason:
        known = session.opened(scope["session"], self._clock()) if self._door else None
        if known and await self._is_over(known):
            known = None
        scope.setdefault("state", {})["session"] = known
        return who(headers, peer(scope), known.person if known else None, self._web)

    async def _is_over(self, known: session.Session) -> bool:
        return await self._store.read(lambda transaction: session.is_over(transaction, known))

    async def _refuse(self, no: No, scope: Scope, receive: Receive, send: Send) -> None:
        path, headers, way = scope["path"], {}, None
        if no.reason.code == "wrong_token":
            log.warning("wrong token", address=peer(scope))
            if wait := self._suspects.wait(peer(scope)):
                no = No(429, say("too_many_tries", seconds=wait))
                headers = {"retry-after": str(wait)}
        if no.status == 401:
            headers = {"www-authenticate": 'Bearer realm="bridge"'}
            query = scope["query_string"].decode("latin-1")
            back = f"{path}?{query}" if query else path
            if self._door:
                way = f"{self._door}?next={quote(back, safe='')}", "Sign in"
        await refusal(path, no.status, no.reason, headers, way)(scope, receive, send)


class Sealed:
    """Tells the browser what our pages may do: nothing that is not ours."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """One request."""

        async def sealed(message: Message) -> None:
            if message["type"] == "http.response.start":
                headers = MutableHeaders(scope=message)
                headers.update(HEADERS)
                headers.setdefault("cache-control", "private, no-cache")
            await send(message)

        await self._app(scope, receive, sealed if scope["type"] == "http" else send)


def peer(scope: Scope) -> str:
    """The address that the connection came from, whatever headers say."""
    return (scope.get("client") or ("",))[0]
