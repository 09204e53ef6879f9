"""Structured logs to standard error, where no secret is ever printed.

httpx and httpcore are kept quiet, but for `debug`: they log every address, and every header of an
answer.
"""

import logging
import sys
from typing import TextIO, cast

import structlog

from bridge.kit.redact import Discreet, Secrets

CHATTY = ("httpx", "httpcore")


def configure(json: bool, level: str = "info", secrets: Secrets | None = None) -> None:
    """JSON lines for machines, or short coloured lines for a terminal.

    From here on, standard error prints none of `secrets`, whoever writes to it.
    """
    sys.stderr = cast(TextIO, Discreet(sys.stderr, secrets or Secrets()))
    debug = level == "debug"
    logging.basicConfig(
        level=logging.DEBUG if debug else logging.WARNING,
        stream=sys.stderr,
        format="%(name)s %(message)s",
    )
    for chatty in CHATTY:
        logging.getLogger(chatty).setLevel(logging.NOTSET if debug else logging.WARNING)
    renderer: structlog.typing.Processor = (
        structlog.processors.JSONRenderer() if json else structlog.dev.ConsoleRenderer()
    )
    structlog.configure(
        processors=[
            structlog.contextvars.merge_contextvars,
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            renderer,
        ],
        logger_factory=structlog.WriteLoggerFactory(file=sys.stderr),
    )
