"""kill -9 between a transition and its notice, and between the sending and the mark: everybody is
told of everything, under one id, and twice only where nobody can know."""

import asyncio
import os
import random
import time
from collections import Counter
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, select
from starlette.types import Receive, Scope, Send

from bridge.delivery import DeliveryState
from bridge.kit.clock import system_clock
from bridge.notice import Notice
from bridge.publisher.webhook import key_of, sign
from bridge.rehearsal.hosting import Hosting
from bridge.release import Transition
from tests.faults.harbour import Harbour
from tests.faults.nursery import Bridge
from tests.notify_kit import LISTENER_SECRET, Listener
from tests.stories.town import PUBLISHER_SECRET, announced

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
KILLS = int(os.environ.get("FAULTS_NOTICES", "6"))
PATIENCE = 90.0
LONG = 2.0
MOMENTS = ("transition", "sending", "answer")
"""The bridge is killed when a line is written, while a message is under way, and when it was taken
a moment ago."""


class Holding(Listener):
    """Answers after so many seconds; what it has not answered by then it has not taken."""

    def __init__(self) -> None:
        super().__init__()
        self.seconds = 0.0

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if self.seconds:
            self.answers = [503]

        async def hold(message: object) -> None:
            await asyncio.sleep(self.seconds)
            await send(message)  # type: ignore[arg-type]

        await super().__call__(scope, receive, hold)


@pytest.fixture
def listener() -> Iterator[tuple[Holding, str]]:
    hosting, made = Hosting(), Holding()
    at, url = hosting.reserve()
    hosting.serve(made, at)
    yield made, url
    hosting.stop()


@pytest.fixture
def harbour(tmp_path: Path, url: str, listener: tuple[Holding, str]) -> Iterator[Harbour]:
    """Everybody, and somebody who wants to hear what failed."""
    made = Harbour(tmp_path, url)
    file = tmp_path / "bridge.toml"
    target = '[[target]]\nname = "chain"\nkind = "webhook"\n\n'
    notify = 'notify = [{ to = "chain", about = ["failed"] }]\n'
    told = file.read_text().replace("[[pipeline]]\n", f"{target}[[pipeline]]\n{notify}")
    file.write_text(told)
    port, environment, _ = made.bridge._arguments
    environment["BRIDGE_TARGET_URLS__CHAIN"] = f"{listener[1]}/hook"
    environment["BRIDGE_TARGET_SECRETS__CHAIN"] = LISTENER_SECRET
    made.bridge = Bridge(tmp_path, port, environment)
    yield made
    made.stop()


def refused(harbour: Harbour, version: str) -> None:
    """Announce a version that fails at once: nobody allowed a pre-release."""
    identifier, body = announced(version, f"regression_model-{version}-py3-none-any.whl", "0" * 64)
    headers = sign(key_of(PUBLISHER_SECRET), identifier, system_clock(), body)
    address = f"{harbour.bridge.url}/webhooks/publisher"
    answer = httpx.post(address, content=body, headers=headers, trust_env=False, timeout=10)
    assert 202 == answer.status_code


def until(is_so: Callable[[], bool], what: str) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, what
        time.sleep(0.002)


def have_failed(harbour: Harbour, count: int) -> bool:
    return len(harbour.store.read_now(failures)) >= count


def heard_more(chain: Listener, than: int) -> bool:
    return len(chain.tries) > than


def failures(session: Session) -> list[str]:
    """The hashes of the lines that tell of a failure."""
    lines = select(Transition.hash).where(
        Transition.kind == "move", Transition.to_stage == "failed"
    )
    return list(session.exec(lines).all())


def unsent(session: Session) -> int:
    notices = session.exec(select(Notice).where(Notice.state != DeliveryState.HANDLED)).all()
    return len(notices)


def test_a_kill_around_the_sending_loses_nothing_and_tells_under_one_id(
    harbour: Harbour, listener: tuple[Holding, str]
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chaos, not secrets
    chain = listener[0]
    for kill in range(KILLS):
        moment = MOMENTS[kill % len(MOMENTS)]
        harbour.bridge.start()
        harbour.bridge.wait()
        chain.seconds, chain.answers = (LONG if moment == "sending" else 0.0), []
        heard = len(chain.tries)
        refused(harbour, f"0.1.{kill}rc1")
        if moment == "transition":
            until(partial(have_failed, harbour, kill + 1), "it never failed")
        else:
            until(partial(heard_more, chain, heard), "nobody was told")
        time.sleep(chance.choice((0.0, 0.001, 0.003)))
        harbour.bridge.kill()
    chain.seconds, chain.answers = 0.0, []
    harbour.bridge.start()
    until(
        lambda: len(chain.said) >= KILLS and harbour.store.read_now(unsent) == 0,
        f"{len(chain.said)} of {KILLS} were told",
    )
    told = Counter(zip(chain.ids, chain.bodies, strict=True))
    hashes = sorted(str(one["data"]["hash"]) for one in chain.heard)
    assert KILLS == len(told) == len(set(chain.ids)), "one transition, one id, one body"
    assert set(hashes) == set(harbour.store.read_now(failures)), "a transition was not told"
    assert sum(told.values()) <= KILLS + KILLS, "a kill costs one message at most"
    notices = harbour.store.read_now(lambda session: session.exec(select(Notice)).all())
    assert KILLS == len({notice.message_id for notice in notices}) == len(notices)
    twice = sum(told.values()) - KILLS
    print(f"{KILLS} kills, {KILLS} told, {twice} of them twice, seed {SEED}")
