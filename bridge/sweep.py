"""Look for what no webhook told: once per index, repository and app, however many releases wait.

What looks unheard is looked at once more a little later, and only then repaired and counted: its
webhook may be on the way. See docs/decisions/0010.
"""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from operator import attrgetter

import structlog
from packaging.version import Version
from sqlmodel import Session

from bridge import ledger, sequence
from bridge.configuration import Pipeline
from bridge.errors import LeaseLost, Reason, Unavailable
from bridge.event import Published
from bridge.facts import PullRequest
from bridge.heroku.client import as_seen
from bridge.kit.clock import Clock
from bridge.lookout import Lookout
from bridge.policy import carries
from bridge.reconcile import Neighbourhood
from bridge.release import Release, Stage
from bridge.sentences import say
from bridge.steps.same_file import changed
from bridge.steps.world import World
from bridge.store import Store, duties, releases

log = structlog.get_logger()
ON_ITS_WAY = timedelta(seconds=10)
"""A webhook that has not come so long after the change was seen counts as lost."""
AT_MOST = 100


@dataclass(frozen=True)
class Upload:
    """A version is on the index, and nobody announced it."""

    pipeline: Pipeline
    version: str


@dataclass(frozen=True)
class Change:
    """What this release waits for has changed since it looked, and nothing woke it.

    `code` says what we write down about it.
    """

    release: int
    fence: int
    code: str


Unheard = Upload | Change


class Sweeper:
    """Sweeps for all who share the database, unless another process does."""

    def __init__(
        self, store: Store, pipelines: Iterable[Pipeline], around: Neighbourhood, clock: Clock
    ) -> None:
        self._store = store
        self._pipelines = list(pipelines)
        self._around = around
        self._clock = clock
        self._suspects: set[Unheard] = set()
        self._newest: dict[str, str] = {}
        self._lookout = Lookout(store, clock)

    async def sweep(self, worker: str, every: timedelta) -> int | None:
        """One round by `worker`, and the next one is due after `every`, or sooner if anything
        looks unheard. The count of that; None where another process sweeps."""
        if self._store.is_shared and not await self._on_duty(worker, every):
            self._suspects.clear()
            return None
        found = await self._look()
        lost = found & self._suspects
        if lost:
            await self._store.write(lambda session: self._repair(session, lost))
        self._suspects = found - lost
        worlds = [self._world([pipeline]) for pipeline in self._pipelines]
        return len(self._suspects) + await self._lookout.look(worlds, self._newest)

    async def _on_duty(self, worker: str, every: timedelta) -> bool:
        now = self._clock()
        until = now + 2 * max(every, ON_ITS_WAY)
        return await self._store.write(
            lambda session: duties.take(session, "sweep", worker, now, until)
        )

    async def _look(self) -> set[Unheard]:
        """Everything that looks unheard. A neighbour that does not answer hides no other."""
        found: set[Unheard] = set()
        rounds = (
            (self._uploads, ("index", "package")),
            (self._pulls, ("repository",)),
            (self._deployments, ("app", "deploy")),
        )
        for look, shared in rounds:
            for group in _groups(self._pipelines, *shared):
                try:
                    found |= set(await look(group))
                except Unavailable as error:
                    log.warning("sweep", pipeline=group[0].name, error=str(error))
                except Exception:
                    log.exception("sweep failed", pipeline=group[0].name)
        return found

    async def _uploads(self, group: Sequence[Pipeline]) -> list[Unheard]:
        """The newest version on the index, where it is newer than all we ever heard of, and the
        open pull requests for a file that is not there any more as it was confirmed."""
        package = group[0].package
        listing = await self._world(group).index.listing(package)
        found = {version for file in listing.files if (version := file.version(package))}
        unheard: list[Unheard] = [
            Change(release.key, release.fence, "changed_on_index")
            for release in await self._waiting(group, Stage.PROPOSED)
            if changed(release, listing)
        ]
        for pipeline in group:
            newest = await self._offered(pipeline, found)
            if newest:
                self._newest[pipeline.name] = str(newest)
            if newest and await self._is_news(pipeline, newest):
                unheard.append(Upload(pipeline, str(newest)))
        return unheard

    async def _offered(self, pipeline: Pipeline, found: Iterable[Version]) -> Version | None:
        """The newest version on the index, or the one that the pipeline before it verified last."""
        if before := pipeline.after:
            verified = await self._store.read(
                lambda session: releases.latest(session, before, Stage.VERIFIED)
            )
            return Version(verified.version) if verified else None
        return max((one for one in found if carries(pipeline.policy, one)), default=None)

    async def _pulls(self, group: Sequence[Pipeline]) -> list[Change]:
        waiting = {
            pull.id: release
            for stage in (Stage.PROPOSED, Stage.ROLLED_BACK)
            for release in await self._waiting(group, stage)
            if (pull := _open_pull(release))
        }
        if not waiting:
            return []
        now = await self._world(group).github.pulls(list(waiting))
        return [
            Change(release.key, release.fence, "unheard_github")
            for identifier, release in waiting.items()
            if identifier in now and now[identifier].as_seen != release.seen
        ]

    async def _deployments(self, group: Sequence[Pipeline]) -> list[Change]:
        """Who waits for a Heroku release, and who for a build."""
        merged = await self._waiting(group, Stage.MERGED)
        guards = [
            release
            for stage in (Stage.VERIFIED, Stage.FAILED)
            for release in await self._waiting(group, stage)
        ]
        if group[0].deploy == "watch":
            merged, guards = [], [*guards, *merged]
        heroku, changed = self._world(group).heroku, list[Release]()
        if guards:
            now = as_seen(await heroku.releases())
            changed += [release for release in guards if release.seen != now]
        if merged:
            now = as_seen(await heroku.builds())
            changed += [release for release in merged if release.seen != now]
        return [Change(release.key, release.fence, "unheard_heroku") for release in changed]

    def _repair(self, session: Session, lost: Iterable[Unheard]) -> None:
        """Do what the webhooks would have done, and write down that they never came."""
        now = self._clock()
        for one in lost:
            if isinstance(one, Upload):
                _begin(session, one, now)
            elif release := releases.still_waiting(session, one.release, one.fence, now):
                release.due_at, release.seen = now, None
                ledger.note(session, release, "repair", say(one.code), now)

    async def _waiting(self, group: Sequence[Pipeline], stage: Stage) -> Sequence[Release]:
        names, now = [pipeline.name for pipeline in group], self._clock()
        return await self._store.read(
            lambda session: releases.waiting(session, names, stage, now, AT_MOST)
        )

    async def _is_news(self, pipeline: Pipeline, newest: Version) -> bool:
        """Whether no release was begun for this version, nor for a newer one."""

        def look(session: Session) -> bool:
            if releases.of_version(session, pipeline.name, str(newest)):
                return False
            known = releases.versions(session, pipeline.name)
            return all(Version(seen) < newest for seen in known)

        return await self._store.read(look)

    def _world(self, group: Sequence[Pipeline]) -> World:
        return self._around.world(group[0], now=self._clock(), intend=_no_effects)


def _begin(session: Session, upload: Upload, now: datetime) -> None:
    pipeline, version = upload.pipeline, upload.version
    if releases.of_version(session, pipeline.name, version):
        return
    if pipeline.after:
        verified = releases.of_version(session, pipeline.after, version)
        if verified and verified.stage is Stage.VERIFIED:
            sequence.hand_on(session, verified, [pipeline], now)
        return
    told = Published(package=pipeline.package, version=version)
    ledger.begin(session, pipeline, told, by="the sweep", now=now)
    if release := releases.of_version(session, pipeline.name, version):
        ledger.note(session, release, "repair", say("unheard_upload"), now)


def _open_pull(release: Release) -> PullRequest | None:
    """The pull request that it waits for: its own, or the one that puts the pin back."""
    if release.stage is Stage.ROLLED_BACK:
        return release.facts.rollback.pull_request if release.facts.rollback else None
    return release.facts.pull_request


def _groups(pipelines: Iterable[Pipeline], *shared: str) -> Iterable[list[Pipeline]]:
    """Pipelines by what they share, so that it is asked once for all of them."""
    groups: defaultdict[object, list[Pipeline]] = defaultdict(list)
    for pipeline in pipelines:
        groups[attrgetter(*shared)(pipeline)].append(pipeline)
    return groups.values()


async def _no_effects(reason: Reason) -> None:
    raise LeaseLost("a sweep has no effects")
