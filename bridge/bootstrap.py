"""The one place that wires: settings in, a bridge out."""

import asyncio
import contextlib
import random
from collections.abc import AsyncIterator, Callable
from datetime import datetime, timedelta
from functools import cached_property

import httpx
from pydantic import SecretStr

from bridge.circleci.client import Issuer
from bridge.configuration import Pipeline
from bridge.errors import Misconfigured
from bridge.github.auth import AppAuth, TokenAuth
from bridge.github.client import GitHub
from bridge.heroku.client import Heroku
from bridge.inbox import Inbox
from bridge.index.client import Index
from bridge.kit.clock import Clock
from bridge.kit.http import Door, Sleep
from bridge.kit.outbound import is_https_or_here
from bridge.notify.outbox import Outbox
from bridge.notify.target import Target
from bridge.notify.targets import targets_of
from bridge.notify.tell import Teller
from bridge.prediction.client import PredictionApi
from bridge.provenance.judge import verifier
from bridge.reconcile import Chance, Reconciler
from bridge.settings import Settings
from bridge.steps.world import NOTHING, Intend, Memory, World
from bridge.store import Store, releases
from bridge.store.watchman import Watchman
from bridge.sweep import Sweeper
from bridge.uv.client import Resolver
from bridge.worker import Worker

STANDSTILL = timedelta(minutes=2)
Transport = Callable[[str], httpx.AsyncBaseTransport | None]


def the_network(url: str) -> None:
    """No transport of our own: each door opens real connections, past the guard."""


class Neighbours:
    """One client per neighbour and pipeline, made once and shared."""

    def __init__(
        self, settings: Settings, clock: Clock, transport: Transport, sleep: Sleep
    ) -> None:
        self._settings = settings
        self._clock = clock
        self._transport = transport
        self._sleep = sleep
        self._secrets = settings.secrets()
        self._made: dict[str, tuple[Index, GitHub, Heroku, PredictionApi]] = {}
        url = settings.public_index
        self._public = Index(self._door("the public index", url, None), url) if url else None
        self._issuers: dict[str, Issuer] = {}

    def world(
        self,
        pipeline: Pipeline,
        *,
        now: datetime,
        intend: Intend,
        memory: Memory = NOTHING,
    ) -> World:
        """The world of one pipeline at this moment."""
        if pipeline.name not in self._made:
            self._made[pipeline.name] = self._make(pipeline)
        index, github, heroku, api = self._made[pipeline.name]
        return World(
            pipeline=pipeline,
            index=index,
            github=github,
            heroku=heroku,
            api=api,
            resolver=Resolver(
                pipeline.index, self._settings.index.token, self._settings.public_index
            ),
            now=now,
            intend=intend,
            public_url=self._settings.public_url.rstrip("/"),
            public=self._public,
            issuer=self._issuer(pipeline),
            **vars(memory),
        )

    @cached_property
    def targets(self) -> dict[str, Target]:
        """Whom we tell, by name. Raises Misconfigured."""
        return targets_of(self._settings, self._door, self._clock)

    async def close(self) -> None:
        """Give back every connection."""
        for target in self.targets.values():
            await target.close()
        for neighbours in self._made.values():
            for neighbour in neighbours:
                await neighbour.close()
        if self._public:
            await self._public.close()
        for issuer in self._issuers.values():
            await issuer.close()

    def _make(self, pipeline: Pipeline) -> tuple[Index, GitHub, Heroku, PredictionApi]:
        settings = self._settings
        token = settings.index.token
        index_auth = (token.get_secret_value(), "") if token else None
        return (
            Index(self._door("the index", pipeline.index, index_auth), pipeline.index),
            GitHub(
                self._door("GitHub", settings.github.url, self._github_auth(pipeline)),
                pipeline.repository,
                settings.github.url,
            ),
            Heroku(
                self._door("Heroku", settings.heroku.url, _bearer(settings.heroku.token)),
                pipeline.app,
            ),
            PredictionApi(self._door("the API", pipeline.api_url, None)),
        )

    def _issuer(self, pipeline: Pipeline) -> Issuer | None:
        """Who signs tokens for this pipeline's jobs; pipelines of one organization share it."""
        trusted = pipeline.provenance.circleci
        if trusted is None:
            return None
        if trusted.issuer not in self._issuers:
            door = self._door("CircleCI's issuer", trusted.issuer, None)
            self._issuers[trusted.issuer] = Issuer(door, trusted.issuer, self._clock)
        return self._issuers[trusted.issuer]

    def _door(self, who: str, url: str, auth: httpx.Auth | tuple[str, str] | None) -> Door:
        return Door(
            who,
            url,
            auth=auth,
            transport=self._transport(url),
            clock=self._clock,
            sleep=self._sleep,
            secrets=self._secrets,
            private_hosts=self._settings.private_hosts,
        )

    def _github_auth(self, pipeline: Pipeline) -> httpx.Auth | None:
        github = self._settings.github
        if github.app_id and github.private_key:
            return AppAuth(
                github.app_id, github.private_key, pipeline.repository, github.url, self._clock
            )
        return _bearer(github.token)


class Bridge:
    """A bridge that can receive, work and be asked."""

    def __init__(
        self,
        settings: Settings,
        *,
        clock: Clock | None = None,
        transport: Transport = the_network,
        sleep: Sleep = asyncio.sleep,
        chance: Chance = random.random,
    ) -> None:
        self.settings = settings
        self.store = Store(settings.database_url)
        self.clock = clock or self.store.clock
        self.watchman = Watchman(self.store, self.clock)
        self.neighbours = Neighbours(settings, self.clock, transport, sleep)
        self._chance = chance
        self._stop = asyncio.Event()

    @cached_property
    def reconciler(self) -> Reconciler:
        """Moves releases."""
        pipelines = self.settings.pipeline
        return Reconciler(self.store, pipelines, self.neighbours, self.clock, self._chance)

    @cached_property
    def worker(self) -> Worker:
        """Keeps everything moving."""
        inbox = Inbox(self.store, self.settings.pipeline, self.clock, self.teller)
        sweeper = Sweeper(self.store, self.settings.pipeline, self.neighbours, self.clock)
        every = self.settings.sweep_every
        return Worker(self.store, inbox, self.reconciler, sweeper, self.clock, every, self.outbox)

    @cached_property
    def teller(self) -> Teller:
        """Knows who wants to hear of what."""
        return Teller(self.settings.pipeline, self.settings.public_url)

    @cached_property
    def outbox(self) -> Outbox:
        """Tells them. Raises Misconfigured."""
        told = self.neighbours.targets
        return Outbox(self.store, self.teller, told, self.clock, self._chance)

    def works(self) -> bool:
        """Whether the worker has finished a turn of late."""
        beat = self.worker.beat
        return beat is not None and self.clock() - beat < STANDSTILL

    def keys(self) -> dict[str, list[bytes]]:
        """The keys of each source that is on. Raises Misconfigured."""
        secrets = self.settings.webhook_secrets
        names = type(secrets).model_fields
        return {name: keys for name in names if (keys := secrets.keys(name))}

    @contextlib.asynccontextmanager
    async def running(self) -> AsyncIterator[None]:
        """Migrate, look at everything once, then work until the block ends.

        Whatever came while nobody listened is due now, and so is whatever a killed process had
        claimed. Where others work on the same database, that is theirs until their lease lapses.
        """
        self.store.migrate()
        begin = releases.wake if self.store.is_shared else releases.take_back
        await self.store.write(lambda session: begin(session, self.clock()))
        await self.outbox.begin()
        listening = asyncio.create_task(self.store.listen(self.worker.ring_soon))
        work = asyncio.gather(self.worker.run(self._stop), self.watchman.run(self._stop))
        try:
            yield
        finally:
            self._stop.set()
            await work
            listening.cancel()
            await asyncio.wait([listening])
            await self.neighbours.close()
            self.store.close()


def must_have_pipelines(settings: Settings) -> None:
    """A bridge to nowhere is a mistake, and so is one that cannot check what it trusts; raises
    Misconfigured."""
    if not settings.pipeline:
        raise Misconfigured("pipeline: none is configured. Write one into bridge.toml.")
    for root in {one.provenance.sigstore for one in settings.pipeline}:
        if root:
            verifier(root)


def must_use_https(settings: Settings) -> None:
    """A token never travels in clear; raises Misconfigured. On this machine alone it may."""
    told = {"github.url": settings.github.url, "heroku.url": settings.heroku.url}
    for pipeline in settings.pipeline:
        told[f"pipeline {pipeline.name}: index"] = pipeline.index
        told[f"pipeline {pipeline.name}: api_url"] = pipeline.api_url
    for name, url in told.items():
        if not is_https_or_here(url):
            raise Misconfigured(f"{name}: it does not begin with https://")


def _bearer(token: SecretStr | None) -> httpx.Auth | None:
    return TokenAuth(token) if token else None
