"""Who sends signatures that do not hold. Whoever signs well is never held up."""

import math
import time

from limits import RateLimitItemPerMinute
from limits.storage import MemoryStorage
from limits.strategies import MovingWindowRateLimiter

DOUBTS = RateLimitItemPerMinute(20)


class Suspects:
    """Bad signatures of the last minute, by address, in memory."""

    def __init__(self) -> None:
        self._limiter = MovingWindowRateLimiter(MemoryStorage())

    def wait(self, address: str) -> int | None:
        """Count one; the seconds to wait, if that is too many."""
        if self._limiter.hit(DOUBTS, address):
            return None
        window = self._limiter.get_window_stats(DOUBTS, address)
        return max(math.ceil(window.reset_time - time.time()), 1)
