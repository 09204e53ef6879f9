"""One door per neighbour: a shared client, deadlines, caps, and our words for bad news.

Credentials go into the auth argument or a header, never into a URL: httpx logs URLs. They go to
the neighbour's own address and nowhere else, and what the neighbour says of them is not heard.
"""

import asyncio
from collections.abc import Awaitable, Callable, Collection, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from bridge.errors import Unavailable
from bridge.kit.clock import Clock, system_clock
from bridge.kit.outbound import Guard, Guarded, is_public, literal
from bridge.kit.redact import Secrets

TIMEOUT = httpx.Timeout(15, connect=5)
ANSWER_WITHIN = 25.0
FILE_WITHIN = 80.0
LONGEST_WAIT = 86400.0
ANSWER_CAP = 32 << 20
FILE_CAP = 300 << 20
ENCODINGS = {"", "identity", "gzip"}
"""One gzip makes a thousand bytes of one; two, one in the other, a million."""
LATER = {408, 425, 429, 500, 502, 503, 504}
Sleep = Callable[[float], Awaitable[None]]


class Door:
    """The way to one neighbour. `who` names it in sentences."""

    def __init__(
        self,
        who: str,
        url: str,
        *,
        auth: httpx.Auth | tuple[str, str] | None = None,
        headers: Mapping[str, str] | None = None,
        transport: httpx.AsyncBaseTransport | None = None,
        clock: Clock = system_clock,
        sleep: Sleep = asyncio.sleep,
        secrets: Secrets | None = None,
        private_hosts: Collection[str] = (),
    ) -> None:
        self.who = who
        self._clock = clock
        self._sleep = sleep
        self._secrets = secrets or Secrets()
        self._home = httpx.URL(url)
        self._inside = set(private_hosts)
        if literal(self._home.host) or self._home.host == "localhost":
            self._inside.add(self._home.host)
        self._client = httpx.AsyncClient(
            base_url=url,
            auth=auth,
            headers={"user-agent": "model-bridge", "accept-encoding": "gzip", **(headers or {})},
            transport=transport or Guarded(Guard(self._inside)),
            timeout=TIMEOUT,
            trust_env=False,
        )

    async def ask(
        self,
        method: str,
        url: str,
        *,
        json: object | None = None,
        content: bytes | None = None,
        headers: Mapping[str, str] | None = None,
        params: Mapping[str, str] | None = None,
        anonymous: bool = False,
        within: float = ANSWER_WITHIN,
        cap: int = ANSWER_CAP,
        verbatim: bool = False,
    ) -> httpx.Response:
        """The neighbour's answer, whatever it says, read whole `within` so many seconds.

        Another address than the neighbour's own, which it told us, is asked without credentials.
        Our secrets are taken out of what it says, unless it is wanted `verbatim`: a file, say.

        Raises Unavailable when there is none, or when it means "later". A GET is tried three
        times, unless the neighbour says when to come back; anything else once, because its effect
        may have happened.
        """
        try:
            request = self._client.build_request(
                method, url, json=json, content=content, headers=headers, params=params
            )
        except httpx.InvalidURL:
            raise Unavailable(f"{self.who} named an address that cannot be read") from None
        anonymous = self._is_abroad(request.url) or anonymous
        if method != "GET":
            return self._heard(await self._once(request, anonymous, within, cap), verbatim)
        tries = AsyncRetrying(
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception(_worth_another_try),
            sleep=self._sleep,
            reraise=True,
        )
        answer: httpx.Response = await tries(self._once, request, anonymous, within, cap)
        return self._heard(answer, verbatim)

    async def fetch(self, url: str, *, anonymous: bool = False) -> httpx.Response:
        """A file, perhaps a large one, perhaps behind one redirect, which gets no credentials."""
        answer = await self._file(url, anonymous)
        if answer.is_redirect and answer.next_request:
            answer = await self._file(str(answer.next_request.url), anonymous=True)
        return answer

    def quote(self, text: str) -> str:
        """Words of the neighbour, without a secret of ours, as we may say and keep them."""
        return self._secrets.out_of(text)

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    async def _file(self, url: str, anonymous: bool) -> httpx.Response:
        return await self.ask(
            "GET", url, anonymous=anonymous, within=FILE_WITHIN, cap=FILE_CAP, verbatim=True
        )

    def _is_abroad(self, url: httpx.URL) -> bool:
        """Whether it is not the neighbour's own address. Raises Unavailable for one that nobody
        should be sent to."""
        home = self._home
        if url.userinfo:
            raise Unavailable(f"{self.who} named an address with a user in it")
        if (url.scheme, url.host, url.port) == (home.scheme, home.host, home.port):
            return False
        address = literal(url.host)
        if url.scheme != "https":
            raise Unavailable(f"{self.who} named an address that is not https")
        if url.host not in self._inside and (
            url.host.rstrip(".") == "localhost" or (address and not is_public(address))
        ):
            raise Unavailable(f"{self.who} named an address that is not public")
        return True

    async def _once(
        self, request: httpx.Request, anonymous: bool, within: float, cap: int
    ) -> httpx.Response:
        try:
            async with asyncio.timeout(within):
                response = await self._client.send(
                    request, stream=True, auth=None if anonymous else httpx.USE_CLIENT_DEFAULT
                )
                try:
                    await read(response, cap, self.who)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            kind = type(error).__name__
            raise Unavailable(f"{self.who} did not answer ({kind})", answered=False) from None
        if response.status_code in LATER or is_limited(response):
            raise Unavailable(
                f"{self.who} answered {response.status_code}", self.retry_after(response)
            )
        return response

    def _heard(self, response: httpx.Response, verbatim: bool) -> httpx.Response:
        """An answer as we may quote it: no echo of the neighbour's brings a credential back."""
        if verbatim:
            return response
        _, _, proof = response.request.headers.get("authorization", "").partition(" ")
        also = (proof.encode(),) if proof else ()
        # All at once, for the usual case that there is nothing to take out.
        values = b"\n".join(value for _, value in response.headers.raw)
        if self._secrets.out_of_bytes(values, *also) != values:
            response.headers = httpx.Headers(
                [
                    (name, self._secrets.out_of_bytes(value, *also))
                    for name, value in response.headers.raw
                ]
            )
        response._content = self._secrets.out_of_bytes(response.content, *also)
        return response

    def retry_after(self, response: httpx.Response) -> float | None:
        """Seconds until the neighbour wants to be asked again, a day at most, if it says so."""
        said = self._said_retry_after(response)
        return None if said is None else min(said, LONGEST_WAIT)

    def _said_retry_after(self, response: httpx.Response) -> float | None:
        said = response.headers.get("retry-after")
        reset = response.headers.get("x-ratelimit-reset")
        now = self._clock()
        if said and said.isdigit():
            return float(said)
        if said:
            try:
                until = parsedate_to_datetime(said)
                return max(0.0, (until.replace(tzinfo=UTC) - now).total_seconds())
            except ValueError:
                return None
        if reset and reset.isdigit() and response.headers.get("x-ratelimit-remaining") == "0":
            return max(0.0, int(reset) - now.timestamp())
        return None


async def read(response: httpx.Response, cap: int, who: str) -> bytes:
    """The body of at most `cap` bytes, unpacked. Raises Unavailable."""
    if response.headers.get("content-encoding", "").lower() not in ENCODINGS:
        raise Unavailable(f"{who} sent an answer packed in a way that we did not ask for")
    body = bytearray()
    async for chunk in response.aiter_bytes():
        body += chunk
        if len(body) > cap:
            raise Unavailable(f"{who} sent more than {cap >> 20} MiB")
    response._content = bytes(body)
    return response._content


def _worth_another_try(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and error.retry_after is None


def is_limited(response: httpx.Response) -> bool:
    """GitHub says "slow down" with 403 too.

    Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    return response.status_code == 403 and (
        "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
    )
