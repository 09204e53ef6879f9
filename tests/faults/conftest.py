"""The stories' town is where things go wrong, too."""

from tests.stories.conftest import town

__all__ = ["town"]
