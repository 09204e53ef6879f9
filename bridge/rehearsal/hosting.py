"""Several ASGI applications on free loopback ports, in one thread with one event loop."""

import asyncio
import socket
import threading
from collections.abc import Coroutine
from concurrent.futures import Future
from typing import TypeVar

import uvicorn
from starlette.types import ASGIApp

T = TypeVar("T")


class Hosting:
    """Reserve a port, make the application that needs to know it, then serve it there."""

    def __init__(self) -> None:
        self._loop = asyncio.new_event_loop()
        self._thread = threading.Thread(target=self._loop.run_forever, name="neighbours")
        self._thread.start()
        self._servers: list[tuple[uvicorn.Server, Future[None]]] = []
        self._reserved: list[socket.socket] = []

    def reserve(self) -> tuple[socket.socket, str]:
        """A listening socket on a free port, and its address: who comes early only waits."""
        listening = socket.create_server(("127.0.0.1", 0))
        self._reserved.append(listening)
        return listening, f"http://127.0.0.1:{listening.getsockname()[1]}"

    def serve(self, app: ASGIApp, listening: socket.socket) -> None:
        """Serve `app` on a reserved socket."""
        config = uvicorn.Config(app, lifespan="off", log_level="critical", access_log=False)
        server = uvicorn.Server(config)
        self._servers.append((server, self.submit(server.serve(sockets=[listening]))))

    def submit(self, work: Coroutine[None, None, T]) -> "Future[T]":
        """Run a coroutine in the servers' loop."""
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def stop(self) -> None:
        """Stop serving, close the sockets and end the thread."""
        for server, _ in self._servers:
            server.should_exit = True
        for _, ended in self._servers:
            ended.result(timeout=10)
        for listening in self._reserved:
            listening.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        self._thread.join()
        self._loop.close()


def free_port() -> int:
    """A port that is free now, for a process that opens it itself."""
    with socket.create_server(("127.0.0.1", 0)) as listening:
        port: int = listening.getsockname()[1]
        return port
