"""The drift board's eyes: one question per branch, app and API, and each surprise told once."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from functools import partial

import structlog
from packaging.version import Version
from sqlmodel import Session, col, select

from bridge import ledger
from bridge.configuration import Pipeline
from bridge.drift import Gaps, Seen, judge
from bridge.errors import Reason, Refused, Unavailable
from bridge.heroku.client import HerokuRelease
from bridge.kit.clock import Clock
from bridge.pins import find_in
from bridge.release import Release
from bridge.steps.world import World
from bridge.store import Store, boards, releases

log = structlog.get_logger()
LOOK_EVERY = timedelta(minutes=5)
AT_MOST = 200
Pins = Mapping[str, str | None]


class Lookout:
    """Looks now and then, and once more soon where something surprises."""

    def __init__(self, store: Store, clock: Clock) -> None:
        self._store = store
        self._clock = clock
        self._next = clock() + LOOK_EVERY
        self._doubts: dict[str, str] = {}

    async def look(self, worlds: Sequence[World], newest: Mapping[str, str]) -> int:
        """Look at every pipeline, if it is time; how many surprises wait for a second look.

        `newest` is what the sweep found on the indexes, by pipeline.
        """
        now = self._clock()
        if not self._doubts and now < self._next:
            return 0
        self._next = now + LOOK_EVERY
        pins, doubts = await _pins(worlds), dict[str, str]()
        for world in worlds:
            name = world.pipeline.name
            known = await self._store.read(partial(_known, pipeline=name))
            current, serving = await _current(world), await _serving(world)
            seen = Seen(
                newest=newest.get(name),
                pinned=pins.get(name),
                deployed=_deployed(current, known.values()),
                serving=_spelled(serving),
            )
            found = judge(seen, known)
            says = "; ".join(f"{gap.code} {gap.sentence}" for gap in found.surprises)
            before = await self._store.read(partial(boards.told, pipeline=name))
            if not says and any(gap.verdict == "unknown" for gap in found.gaps):
                says = before  # who does not answer has not made it good
            if says in (before, self._doubts.get(name, "")):
                told = says
            else:
                told, doubts[name] = before, says
            keep = partial(_keep, pipeline=name, found=found, now=now, before=before, told=told)
            await self._store.write(keep)
        self._doubts = doubts
        return len(doubts)


def _keep(
    session: Session, pipeline: str, found: Gaps, now: datetime, before: str, told: str
) -> None:
    """Write the board, and a new surprise at the release that it is about, which looks again."""
    boards.write(session, pipeline, found, told, now)
    if not told or told == before:
        return
    for gap in found.surprises:
        log.warning("drift", pipeline=pipeline, code=gap.code, sentence=gap.sentence)
        if row := _about(session, pipeline, found.seen):
            ledger.note(session, row, "alarm", Reason(gap.code, gap.sentence), now)
            releases.wake(session, now, col(Release.id) == row.key)


def _about(session: Session, pipeline: str, seen: Seen) -> Release | None:
    """The release that the branch pins, or the newest one."""
    pinned = releases.of_version(session, pipeline, seen.pinned) if seen.pinned else None
    newest = select(Release).where(Release.pipeline == pipeline).order_by(col(Release.id).desc())
    return pinned or session.exec(newest).first()


def _known(session: Session, pipeline: str) -> dict[str, Release]:
    newest = select(Release).where(Release.pipeline == pipeline).order_by(col(Release.id).desc())
    return {str(Version(row.version)): row for row in session.exec(newest.limit(AT_MOST))}


async def _pins(worlds: Iterable[World]) -> dict[str, str]:
    """What each pipeline's branch pins: one query per repository and branch."""
    groups: defaultdict[tuple[str, str], list[World]] = defaultdict(list)
    for world in worlds:
        groups[world.pipeline.repository, world.pipeline.branch].append(world)
    found = {}
    for (_, branch), group in groups.items():
        paths = sorted({path for world in group for path in world.pipeline.files})
        try:
            sight = await group[0].github.look(branch, paths, branch)
        except Unavailable as error:
            log.warning("drift", branch=branch, error=str(error))
            continue
        for world in group:
            if pin := _pin(world.pipeline, sight.texts):
                found[world.pipeline.name] = pin
    return found


def _pin(pipeline: Pipeline, texts: Pins) -> str | None:
    files = {path: text for path in pipeline.files if (text := texts[path]) is not None}
    if pipeline.requirements not in files:
        return None
    try:
        return str(Version(find_in(files, pipeline.requirements, pipeline.package).version))
    except (Refused, ValueError):
        return None


async def _current(world: World) -> HerokuRelease | None:
    try:
        return next((one for one in await world.heroku.releases() if one.current), None)
    except Unavailable:
        return None


async def _serving(world: World) -> str | None:
    try:
        return (await world.api.health()).model_version
    except Unavailable:
        return None


def _deployed(current: HerokuRelease | None, known: Iterable[Release]) -> str | None:
    """The version that the app's current slug was built for, or `v43` if nobody knows."""
    if current is None:
        return None
    slug = current.slug.id if current.slug else None
    for release in known:
        ours = release.facts.heroku
        if ours and (ours.release == current.version or (slug and ours.slug == slug)):
            return str(Version(release.version))
    return f"v{current.version}"


def _spelled(version: str | None) -> str | None:
    try:
        return str(Version(version)) if version else None
    except ValueError:
        return version
