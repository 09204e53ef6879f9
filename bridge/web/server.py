"""uvicorn, which would wait for streams that never end: it lets go of them first."""

import sys
from collections.abc import Callable
from types import FrameType

import uvicorn
from starlette.types import ASGIApp

SENDERS_MAY_TAKE = 2
"""Seconds for requests under way when it stops; the worker's grace comes after, 10 s in all."""
COULD_NOT_START = 3


class Server(uvicorn.Server):
    """Calls `let_go` at the first signal to end."""

    def __init__(self, config: uvicorn.Config, let_go: Callable[[], None]) -> None:
        super().__init__(config)
        self._let_go = let_go

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """What uvicorn does at SIGTERM and at SIGINT."""
        self._let_go()
        super().handle_exit(sig, frame)


def run(web: ASGIApp, host: str, port: int, let_go: Callable[[], None]) -> None:
    """Serve until a signal says otherwise."""
    config = uvicorn.Config(
        web,
        host=host,
        port=port,
        access_log=False,
        log_config=None,  # its lines go where all the others go
        log_level="warning",
        proxy_headers=False,  # the guard wants to know who is really there
        timeout_graceful_shutdown=SENDERS_MAY_TAKE,
    )
    server = Server(config, let_go)
    try:
        server.run()
    except KeyboardInterrupt:
        return
    if not server.started:
        sys.exit(COULD_NOT_START)
