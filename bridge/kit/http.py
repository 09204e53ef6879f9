"""One door per neighbour: a shared client, deadlines, caps, and our words for bad news.

Credentials go into the auth argument or a header, never into a URL: httpx logs URLs.
"""

import asyncio
import ipaddress
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC
from email.utils import parsedate_to_datetime

import httpx
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt
from tenacity.wait import wait_random_exponential

from bridge.errors import Unavailable
from bridge.kit.clock import Clock, system_clock

TIMEOUT = httpx.Timeout(15, connect=5)
ANSWER_WITHIN = 25.0
FILE_WITHIN = 80.0
LONGEST_WAIT = 86400.0
BODY_CAP = 300 << 20
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
    ) -> None:
        self.who = who
        self._clock = clock
        self._sleep = sleep
        self._client = httpx.AsyncClient(
            base_url=url,
            auth=auth,
            headers={"user-agent": "model-bridge", **(headers or {})},
            transport=transport,
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
    ) -> httpx.Response:
        """The neighbour's answer, whatever it says, read whole `within` so many seconds.

        Raises Unavailable when there is none, or when it means "later". A GET is tried three
        times, unless the neighbour says when to come back; anything else once, because its effect
        may have happened.
        """
        request = self._client.build_request(
            method, url, json=json, content=content, headers=headers, params=params
        )
        if method != "GET":
            return await self._once(request, anonymous, within)
        tries = AsyncRetrying(
            stop=stop_after_attempt(3),
            wait=wait_random_exponential(multiplier=0.2, max=2),
            retry=retry_if_exception(_worth_another_try),
            sleep=self._sleep,
            reraise=True,
        )
        return await tries(self._once, request, anonymous, within)

    async def fetch(self, url: str, *, anonymous: bool = False) -> httpx.Response:
        """A file, perhaps a large one, perhaps behind one redirect to a host that gets no
        credentials and is not inside a network."""
        answer = await self.ask("GET", url, anonymous=anonymous, within=FILE_WITHIN)
        if answer.is_redirect and answer.next_request:
            address = answer.next_request.url
            if address.host != answer.request.url.host and _is_inside(address.host):
                raise Unavailable(f"{self.who} redirected to an address that is not public")
            answer = await self.ask("GET", str(address), anonymous=True, within=FILE_WITHIN)
        return answer

    async def close(self) -> None:
        """Give back the connections."""
        await self._client.aclose()

    async def _once(self, request: httpx.Request, anonymous: bool, within: float) -> httpx.Response:
        try:
            async with asyncio.timeout(within):
                response = await self._client.send(
                    request, stream=True, auth=None if anonymous else httpx.USE_CLIENT_DEFAULT
                )
                try:
                    await self._read(response)
                finally:
                    await response.aclose()
        except (httpx.HTTPError, TimeoutError) as error:
            kind = type(error).__name__
            raise Unavailable(f"{self.who} did not answer ({kind})", answered=False) from None
        if response.status_code in LATER or _is_limited(response):
            raise Unavailable(
                f"{self.who} answered {response.status_code}", self.retry_after(response)
            )
        return response

    async def _read(self, response: httpx.Response) -> None:
        body = bytearray()
        async for chunk in response.aiter_bytes():
            body += chunk
            if len(body) > BODY_CAP:
                raise Unavailable(f"{self.who} sent more than {BODY_CAP >> 20} MiB")
        response._content = bytes(body)

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


def _is_inside(host: str) -> bool:
    """Whether a host is an address inside some network: a cloud's metadata service, say."""
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host == "localhost"


def _worth_another_try(error: BaseException) -> bool:
    return isinstance(error, Unavailable) and error.retry_after is None


def _is_limited(response: httpx.Response) -> bool:
    """GitHub says "slow down" with 403 too.

    Source: https://docs.github.com/en/rest/using-the-rest-api/rate-limits-for-the-rest-api
    """
    return response.status_code == 403 and (
        "retry-after" in response.headers or response.headers.get("x-ratelimit-remaining") == "0"
    )
