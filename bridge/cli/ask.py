"""Ask a bridge something. It imports nothing heavy: every command's module imports this one."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING, TypeVar

if TYPE_CHECKING:
    from bridge.cli.asked import Asked

T = TypeVar("T")


def ask(url: str | None, look: "Callable[[Asked], Awaitable[T]]") -> T:
    """What `look` finds at the bridge at `url`, or in the database where there is no `url`."""
    from bridge.cli.asked import bridge_at

    async def asking() -> T:
        async with bridge_at(url) as bridge:
            return await look(bridge)

    return asyncio.run(asking())
