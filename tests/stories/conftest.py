"""The town that every story plays in."""

from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from tests.stories.town import Town


@pytest.fixture
async def town(tmp_path: Path, url: str) -> AsyncIterator[Town]:
    """A town whose policy merges by itself; it must be sound when the story is over."""
    place = Town(tmp_path, url)
    yield place
    place.must_be_sound()
    await place.close()


@pytest.fixture
async def town_with(tmp_path: Path, url: str) -> AsyncIterator[Callable[..., Town]]:
    """A town with another policy."""
    places: list[Town] = []

    def found(**policy: object) -> Town:
        places.append(Town(tmp_path, url, policy))
        return places[-1]

    yield found
    for place in places:
        place.must_be_sound()
        await place.close()
