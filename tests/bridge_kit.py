"""What the tests of the bridge's own modules share: made-up secrets, a bridge, rows, a door."""

import contextlib
from collections.abc import AsyncIterator, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import httpx
import respx
from sqlmodel import Session

from bridge import ledger
from bridge.bootstrap import Bridge
from bridge.configuration import Pipeline
from bridge.errors import Reason
from bridge.event import Published
from bridge.facts import Facts
from bridge.kit.http import Door
from bridge.release import Release, Stage
from bridge.settings import Settings
from bridge.store import Store, deliveries, releases

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
PACKAGE = "regression-model"
WHY = Reason("announced", "It was announced.")
SECRETS = {
    "github": "made-up-github-secret-0000",
    "heroku": "made-up-heroku-secret-0000",
    "circleci": "made-up-circleci-secret-00",
    "publisher": "whsec_bWFkZS11cCBwdWJsaXNoZXIgc2VjcmV0",
}


def pipeline(**fields: object) -> Pipeline:
    """A pipeline with everything that it must have."""
    return Pipeline.model_validate(
        {
            "name": "house-prices",
            "package": PACKAGE,
            "index": "http://index.test/acme/",
            "repository": "acme/model-deployment",
            "app": "house-prices-api",
            "api_url": "http://api.test",
            **fields,
        }
    )


def settings(folder: Path, **fields: object) -> Settings:
    """Settings of a bridge whose database lies in `folder`."""
    return Settings.model_validate(
        {
            "database_url": f"sqlite:///{folder / 'bridge.db'}",
            "pipeline": [pipeline()],
            "webhook_secrets": SECRETS,
            **fields,
        }
    )


@contextlib.asynccontextmanager
async def a_bridge(folder: Path, **fields: object) -> AsyncIterator[Bridge]:
    """A bridge at NOW with an empty database, whose worker does not run."""
    bridge = Bridge(settings(folder, **fields), clock=lambda: NOW)
    bridge.store.migrate()
    yield bridge
    await bridge.neighbours.close()
    bridge.store.close()


@contextlib.contextmanager
def a_store(url: str) -> Iterator[Store]:
    """A migrated store."""
    store = Store(url)
    store.migrate()
    yield store
    store.close()


def begin(session: Session, version: str = "0.1.0", name: str = "house-prices") -> Release:
    """An announced release, as the inbox begins it."""
    told = Published(package=PACKAGE, version=version)
    ledger.begin(session, pipeline(name=name), told, by="publisher", now=NOW)
    found = releases.of_version(session, name, version)
    assert found is not None
    return found


def release(version: str, facts: Facts, stage: Stage = Stage.VERIFIED) -> Release:
    """A release that no database has seen."""
    return Release(
        id=7,
        pipeline="house-prices",
        package=PACKAGE,
        version=version,
        canonical=version,
        app="house-prices-api",
        stage=stage,
        code=WHY.code,
        sentence=WHY.sentence,
        since=NOW,
        created_at=NOW,
        facts=facts,
    )


def told(
    identifier: str,
    sha: str,
    at: float = 0,
    source: str = "github",
    body: bytes = b"{}",
    event: str = "",
) -> deliveries.Told:
    """A delivery as the receiver tells it, so many seconds after NOW."""
    return {
        "source": source,
        "delivery_id": identifier,
        "sha256": sha,
        "event": event,
        "body": body,
        "received_at": NOW + timedelta(seconds=at),
    }


async def keep(store: Store, one: deliveries.Told) -> deliveries.Kept:
    """Keep it as the receiver does."""
    return await store.write_together(deliveries.keep, one)


class Street:
    """A door to a neighbour at `url` that answers as `router` says; naps are written down."""

    def __init__(self, url: str, auth: httpx.Auth | tuple[str, str] | None = None) -> None:
        self.router = respx.MockRouter(assert_all_called=False)
        self.naps: list[float] = []
        self.door = Door(
            "the neighbour",
            url,
            auth=auth,
            transport=httpx.MockTransport(self.router.async_handler),
            clock=lambda: NOW,
            sleep=self._nap,
        )

    async def _nap(self, seconds: float) -> None:
        self.naps.append(seconds)

    @property
    def asked(self) -> list[httpx.Request]:
        """Every request that came."""
        return [call.request for call in self.router.calls]
