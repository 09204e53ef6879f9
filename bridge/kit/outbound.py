"""Where we connect to: public addresses, and what the operator says lies inside the network.

A name is resolved, every address that it has is judged, and the connection goes to one of those
very addresses: nobody can answer something else between the look and the connection.
"""

import asyncio
import functools
import ipaddress
import socket
import ssl
from collections.abc import Awaitable, Callable, Collection, Iterable

import httpcore
import httpx

from bridge.errors import Unavailable

Address = ipaddress.IPv4Address | ipaddress.IPv6Address
Resolve = Callable[[str, int], Awaitable[list[str]]]
CONNECTIONS = 20
MOST_ADDRESSES = 4
UNICAST = ipaddress.ip_network("2000::/3")
NAT64 = ipaddress.ip_network("64:ff9b::/96")
INSIDE = [
    ipaddress.ip_network(network)
    for network in (
        *("10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "127.0.0.0/8"),
        *("::1/128", "fc00::/7"),
    )
]
NEVER = [
    ipaddress.ip_network(network)
    for network in (
        # Clouds tell a machine's credentials here: Azure, Alibaba, Oracle, AWS and Google, the
        # last two also at the link-local 169.254.169.254.
        *("168.63.129.16/32", "100.100.100.200/32", "192.0.0.0/24"),
        *("fd00:ec2::/32", "fd20:ce::/32"),
        # Tunnels, which carry an IPv4 address of any kind: Teredo and 6to4.
        *("2001::/32", "2002::/16", "192.88.99.0/24"),
    )
]


def is_public(address: Address) -> bool:
    """Whether anybody on the Internet has this address, and no special service of a network."""
    if address in NAT64:
        return is_public(ipaddress.IPv4Address(int(address) & 0xFFFFFFFF))
    ordinary = address.version == 4 or address in UNICAST
    return ordinary and address.is_global and not address.is_multicast and not _is_never(address)


def is_inside(address: Address) -> bool:
    """Whether it is loopback or a private address, where a neighbour may live if that is said."""
    return any(address in network for network in INSIDE) and not _is_never(address)


def literal(host: str) -> Address | None:
    """The address that a host is, if it is no name."""
    try:
        return ipaddress.ip_address(host.strip("[]"))
    except ValueError:
        return None


def is_https_or_here(url: str) -> bool:
    """Whether nobody overhears what is sent there: it is encrypted, or stays on this machine."""
    parts = httpx.URL(url)
    address = literal(parts.host)
    on_loopback = parts.host == "localhost" or (address is not None and address.is_loopback)
    return parts.scheme == "https" or on_loopback


async def lookup(host: str, port: int) -> list[str]:
    """What the system's resolver says, each address once."""
    loop = asyncio.get_running_loop()
    found = await loop.getaddrinfo(host, port, type=socket.SOCK_STREAM)
    return list(dict.fromkeys(str(entry[4][0]) for entry in found))


class Guard(httpcore.AsyncNetworkBackend):
    """Opens connections; to an address inside the network only for the hosts in `inside`."""

    def __init__(
        self,
        inside: Collection[str] = (),
        *,
        resolve: Resolve = lookup,
        network: httpcore.AsyncNetworkBackend | None = None,
    ) -> None:
        self._inside = inside
        self._resolve = resolve
        self._network = network or httpcore.AnyIOBackend()

    async def connect_tcp(
        self,
        host: str,
        port: int,
        timeout: float | None = None,  # noqa: ASYNC109 - httpcore calls it so
        local_address: str | None = None,
        socket_options: Iterable[httpcore.SOCKET_OPTION] | None = None,
    ) -> httpcore.AsyncNetworkStream:
        """A connection to `host`. Raises Unavailable where it leads to an address not allowed."""
        try:
            async with asyncio.timeout(timeout):
                found = await self._judged(host, port)
        except TimeoutError:
            raise httpcore.ConnectTimeout(f"no address of {host} in time") from None
        each = timeout / len(found) if timeout else None
        for address in found[:-1]:
            try:
                return await self._network.connect_tcp(
                    address, port, each, local_address, socket_options
                )
            except (httpcore.ConnectError, httpcore.ConnectTimeout):
                continue
        return await self._network.connect_tcp(found[-1], port, each, local_address, socket_options)

    async def _judged(self, host: str, port: int) -> list[str]:
        if literal(host):
            found = [host]
        else:
            try:
                found = await self._resolve(host, port)
            except TimeoutError:
                raise
            except (OSError, UnicodeError):
                raise httpcore.ConnectError(f"no address of {host}") from None
        judged = [ipaddress.ip_address(address) for address in found]
        may_be_inside = host in self._inside
        if not judged or not all(
            is_public(address) or (may_be_inside and is_inside(address)) for address in judged
        ):
            raise Unavailable(
                f"{host} leads to an address that is not public. If it is meant to, list it under "
                "private_hosts in bridge.toml",
                answered=False,
            )
        return found[:MOST_ADDRESSES]


class Guarded(httpx.AsyncHTTPTransport):
    """httpx's own transport, whose connections the guard opens.

    httpx has no argument for that; its pool is the one thing that its constructor makes.
    """

    def __init__(self, guard: Guard) -> None:
        self._pool = httpcore.AsyncConnectionPool(
            ssl_context=_tls(),
            max_connections=CONNECTIONS,
            max_keepalive_connections=CONNECTIONS,
            keepalive_expiry=5.0,
            network_backend=guard,
        )


@functools.cache
def _tls() -> ssl.SSLContext:
    """One for all: reading the certificates takes longer than anything else here."""
    return httpx.create_ssl_context(trust_env=False)


def _is_never(address: Address) -> bool:
    return any(address in network for network in NEVER)
