"""A platform shaped like Heroku with one app: builds, releases, config vars, and what runs.

It does not know how an app is built or run: a Runner does that, really or in process.
"""

import asyncio
import hashlib
from collections.abc import Callable, Coroutine, Mapping
from datetime import datetime

from bridge.rehearsal.gate import Gate
from bridge.rehearsal.heroku import api as heroku_api
from bridge.rehearsal.heroku import router as heroku_router
from bridge.rehearsal.heroku.dyno import DynoCrashed, Runner
from bridge.rehearsal.heroku.dynos import Dynos
from bridge.rehearsal.heroku.problem import Problem
from bridge.rehearsal.heroku.records import (
    App,
    Build,
    Release,
    Slug,
    SourceBlob,
    moment,
    new_id,
)
from bridge.rehearsal.heroku.source import fetch
from bridge.rehearsal.heroku.teller import Teller
from bridge.rehearsal.letters import Post


class Heroku(Gate):
    """The platform: `app` is its API, `router` the one stable address of what runs on it.

    With `keeps_nothing` a release expires as soon as it is replaced.
    `slots` are the sources that were asked for, uploaded or not yet; `crash` is why no dyno is up;
    `swaps` tells of each build its commit, when it was asked for and when its dyno took over.
    To misbehave: builds wait while `builds_wait`; every release phase prints `fail_release` and
    fails; `after_deploy` acts as soon as a build has made a release.
    """

    def __init__(
        self,
        *,
        app_name: str,
        token: str,
        webhook_secret: str,
        post: Post,
        clock: Callable[[], datetime],
        runner: Runner,
        config_vars: Mapping[str, str],
        url: str = "http://heroku.test",
    ) -> None:
        super().__init__()
        self.about = App(new_id(), app_name)
        self.token, self.url = token, url
        self.builds: list[Build] = []
        self.releases: list[Release] = []
        self.slugs: dict[str, Slug] = {}
        self.slots: dict[str, bytes | None] = {}
        self.config_vars = dict(config_vars)
        self.dynos = Dynos(runner, clock)
        self.keeps_nothing = False
        self.crash = ""
        self.swaps: list[tuple[str, datetime, datetime]] = []
        self.builds_wait = False
        self.fail_release = ""
        self.after_deploy: Callable[[], object] = lambda: None
        self._building: dict[str, asyncio.Task[None]] = {}
        self._asked: dict[str, datetime] = {}
        self._serving: Release | None = None
        self._teller = Teller(self.about, url, webhook_secret, post, clock)
        self._clock, self._runner = clock, runner
        self._under_way: set[asyncio.Task[None]] = set()
        self._swapping = asyncio.Lock()
        self.app = heroku_api.application(self)
        self.router = heroku_router.application(self)

    @property
    def current(self) -> Release | None:
        return next((release for release in self.releases if release.current), None)

    def create_build(self, source: SourceBlob, by: str) -> Build:
        """A pending build, on its way."""
        now = moment(self._clock())
        build = Build(new_id(), source, by, created_at=now, updated_at=now)
        self.builds.append(build)
        self._asked[source.version or build.id] = self._clock()
        self._teller.build(build, "create")
        if not self.builds_wait:
            self._building[build.id] = self._begin(self._build(build))
        return build

    def build_now(self) -> None:
        """Begin what had to wait."""
        self.builds_wait = False
        for build in self.builds:
            if build.status == "pending" and build.id not in self._building:
                self._building[build.id] = self._begin(self._build(build))

    def cancel(self, build: Build) -> None:
        """End a build that is under way; Heroku calls it failed then."""
        if build.status != "pending":
            raise Problem(422, "invalid_params", "This build is not pending.")
        if task := self._building.get(build.id):
            task.cancel()
        build.output.append(" !     Build canceled")
        build.status, build.updated_at = "failed", moment(self._clock())
        self._teller.build(build, "update", {"status": "pending"})

    def rollback(self, version: int, by: str) -> Release:
        """A new release with the slug and the config vars of an old one, as `heroku rollback`."""
        old = next((release for release in self.releases if release.version == version), None)
        if old is None:
            raise Problem(404, "not_found", "Couldn't find that release.")
        if not old.eligible_for_rollback:
            raise Problem(422, "invalid_params", "This release is not eligible for rollback.")
        self.config_vars = dict(old.config)
        return self.release(f"Rollback to v{version}", old.slug, by)

    def expire(self, version: int) -> None:
        """Heroku destroys what an old release was made of; it cannot be put back any more.

        See https://devcenter.heroku.com/changelog-items/3395.
        """
        for release in self.releases:
            if release.version == version:
                release.status = "expired"

    def set_config(self, changes: Mapping[str, str | None], by: str) -> Release | None:
        """A new release with other config vars; None deletes one. Nothing changed: no release."""
        wanted = {**self.config_vars, **changes}
        config = {name: value for name, value in wanted.items() if value is not None}
        if config == self.config_vars:
            return None
        self.config_vars = config
        verb = "Remove" if all(value is None for value in changes.values()) else "Set"
        slug = self.current.slug if self.current else None
        return self.release(f"{verb} {', '.join(changes)} config vars", slug, by)

    def release(self, description: str, slug: Slug | None, by: str) -> Release:
        """The next version, current at once; its dyno is on its way."""
        now = moment(self._clock())
        release = Release(
            new_id(),
            len(self.releases) + 1,
            description,
            slug,
            config=dict(self.config_vars),
            user=by,
            created_at=now,
            updated_at=now,
        )
        before = self.current
        self.releases.append(release)
        self._teller.release(release, "create")
        if self.fail_release:
            release.status, release.output = "failed", self.fail_release.splitlines()
            self._teller.release(release, "update", {"status": "pending"})
            return release
        if before:
            before.current = False
        release.status, release.current = "succeeded", True
        if self.keeps_nothing:
            for old in self.releases[:-1]:
                self.expire(old.version)
        self._teller.release(release, "update", {"current": False, "status": "pending"})
        self._begin(self._restart())
        return release

    async def settle(self) -> None:
        """Wait until no build and no restart is under way."""
        while self._under_way:
            ends = await asyncio.gather(*self._under_way, return_exceptions=True)
            for bug in (end for end in ends if isinstance(end, Exception)):
                raise bug

    async def close(self) -> None:
        """Stop what runs and remove what was built."""
        for task in self._under_way:
            task.cancel()
        await asyncio.gather(*self._under_way, return_exceptions=True)
        await self.dynos.stop()
        self._runner.close()

    def _begin(self, work: Coroutine[None, None, None]) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work)
        self._under_way.add(task)
        task.add_done_callback(self._under_way.discard)
        return task

    async def _build(self, build: Build) -> None:
        slug = await self._slug(build)
        build.updated_at = moment(self._clock())
        if slug:
            self.slugs[slug.id] = build.slug = slug
            name = (build.source.version or build.id)[:8]
            build.release = self.release(f"Deploy {name}", slug, build.user)
            self.after_deploy()
        build.status = "succeeded" if slug else "failed"
        self._teller.build(build, "update", {"status": "pending"})

    async def _slug(self, build: Build) -> Slug | None:
        try:
            source = await fetch(self.app, self.url, build.source)
        except Problem as problem:
            build.output.append(f" !     {problem}")
            return None
        built = await self._runner.build(source, dict(self.config_vars), build.output.append)
        if built.slug is None:
            build.output.append(" !     Push failed")
            return None
        return Slug(
            new_id(),
            built.slug,
            build.source.version,
            build.source.version_description,
            checksum=f"SHA256:{hashlib.sha256(source).hexdigest()}",
            process_types=built.process_types,
            created_at=moment(self._clock()),
        )

    async def _restart(self) -> None:
        async with self._swapping:
            release = self.current
            if release is None or release.slug is None or release is self._serving:
                return
            self._serving = release
            try:
                await self.dynos.swap(release.slug.handle, release.config)
                self.crash = ""
            except DynoCrashed as crash:
                self.crash = str(crash)
            if asked := self._asked.pop(release.slug.commit or "", None):
                self.swaps.append((release.slug.commit or "", asked, self._clock()))
