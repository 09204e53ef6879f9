"""What a simulated neighbour sends: one signed webhook, handed to a postman who may lose it."""

from collections.abc import Callable
from dataclasses import dataclass


@dataclass(frozen=True)
class Letter:
    """One webhook on its way: `source` names the road, headers and body are already signed."""

    source: str
    headers: dict[str, str]
    body: bytes


Post = Callable[[Letter], None]
