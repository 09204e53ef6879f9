"""The only list of who may speak to us."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import datetime

import bridge.circleci.webhook as circleci
import bridge.github.webhook as github
import bridge.heroku.webhook as heroku
import bridge.publisher.webhook as publisher
from bridge.event import Event
from bridge.kit.signature import Headers


def plain_key(secret: str) -> bytes:
    """A secret that is its own key."""
    return secret.encode()


@dataclass(frozen=True)
class Source:
    """How one sender signs and what it says. `event_header` only labels a delivery."""

    verify: Callable[[Headers, bytes, Sequence[bytes], datetime], None]
    identify: Callable[[Headers, bytes], str]
    parse: Callable[[Headers, bytes], Event]
    event_header: str | None
    key_of: Callable[[str], bytes] = plain_key


SOURCES: dict[str, Source] = {
    "circleci": Source(circleci.verify, circleci.identify, circleci.parse, "circleci-event-type"),
    "publisher": Source(
        publisher.verify, publisher.identify, publisher.parse, None, publisher.key_of
    ),
    "github": Source(github.verify, github.identify, github.parse, "x-github-event"),
    "heroku": Source(heroku.verify, heroku.identify, heroku.parse, None),
}
