"""The app's web dynos: those that run, and on request old ones that should be gone and are not."""

import random
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta

from bridge.rehearsal.heroku.dyno import Dyno, Runner

NEVER = timedelta(days=36500)


class Dynos:
    """As many as `quantity`; like at Heroku, requests go to any of them at random.

    To misbehave once, at the next swap that has something to replace: the old dyno `lingers` so
    long; one dyno flips back to the old one after `flips_after`, for `flips_for`; with
    `old_predictions` health is the new dyno's, and predictions are the old one's under its name.
    """

    def __init__(self, runner: Runner, clock: Callable[[], datetime]) -> None:
        self.quantity = 1
        self.lingers = timedelta()
        self.flips_after = NEVER
        self.flips_for = NEVER
        self.old_predictions = False
        self._runner, self._clock = runner, clock
        self._running: list[Dyno] = []
        self._old: list[Dyno] = []
        self._old_until = self._flips_at = clock()
        self._mixed = False
        self._random = random.Random(1)  # noqa: S311 - a router, not secrets

    async def swap(self, slug: str, config: Mapping[str, str]) -> None:
        """Start the dynos of another slug, then stop those before; raises DynoCrashed where there
        are none then."""
        before, new = self._running, []
        try:
            names = [f"web.{number}" for number in range(1, self.quantity + 1)]
            new = [await self._runner.start(slug, {**config, "DYNO": name}) for name in names]
        finally:
            gone, self._running, self._old = self._old, new, []
            self._mixed = False
            if before and self._is_odd:
                self._old, before = before, []
                self._old_until = self._clock() + self.lingers
                self._flips_at = self._clock() + self.flips_after
                self._mixed = self.old_predictions
                self.lingers, self.flips_after = timedelta(), NEVER
                self.old_predictions = False
            for dyno in [*gone, *before]:
                await dyno.stop()

    def pick(self, path: str) -> tuple[Dyno | None, Dyno | None]:
        """Whose turn it is, and in whose name its prediction is given, if that is another one."""
        if self._mixed and self._running and path.endswith("/predict"):
            return self._old[0], self._running[0]
        now, serving = self._clock(), self._running
        if self._old and now < self._old_until:
            serving = self._old
        elif self._old and timedelta() <= now - self._flips_at < self.flips_for:
            serving = [*self._running[:-1], self._old[0]]
        return (self._random.choice(serving) if serving else None), None

    async def stop(self) -> None:
        """None is left."""
        for dyno in [*self._running, *self._old]:
            await dyno.stop()
        self._running, self._old = [], []

    @property
    def _is_odd(self) -> bool:
        return bool(self.lingers) or self.flips_after != NEVER or self.old_predictions
