"""SIGTERM at random moments under load: an end within ten seconds, with 0, and nothing lost."""

import os
import random
import socket
import time
from collections.abc import Callable, Iterator
from functools import partial
from pathlib import Path

import httpx
import pytest
from sqlmodel import Session, col, select

from bridge.delivery import Delivery
from bridge.release import Release, Stage
from bridge.store import record
from tests.faults.crowd import Crowd
from tests.faults.harbour import Harbour
from tests.faults.test_kills import arrived, say_until_acknowledged
from tests.stories.town import PUBLISHER_SECRET

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
STOPS = int(os.environ.get("FAULTS_STOPS", "4"))
WITHIN = 10.0
HOLDS = (0.0, 9.0, 0.5, 3.0)
"""For how long Heroku holds a step, in seconds, stop after stop."""
LONG = 3.0
SENDERS, PAUSE = 3, 0.02
PATIENCE = 30.0


@pytest.fixture
def harbour(tmp_path: Path, url: str) -> Iterator[Harbour]:
    made = Harbour(tmp_path, url)
    yield made
    made.stop()


@pytest.fixture
def crowd(harbour: Harbour) -> Iterator[Crowd]:
    made = Crowd(harbour.bridge.url, PUBLISHER_SECRET, SENDERS, PAUSE)
    yield made
    made.stop()


@pytest.fixture
def client() -> Iterator[httpx.Client]:
    with httpx.Client(timeout=10, trust_env=False) as made:
        yield made


def must_be_left_in_order(session: Session, acknowledged: set[str]) -> None:
    """What was acknowledged is there, and nothing is claimed but what may have taken effect."""
    lost = acknowledged - set(session.exec(select(Delivery.sha256)).all())
    assert set() == lost, "an acknowledged delivery is lost"
    for row in session.exec(select(Release).where(col(Release.claimed_by).is_not(None))):
        last = record.of_release(session, row.key)[-1]
        assert "intent" == last.kind, f"{row} is still claimed after {last}"


def half_a_delivery(url: str) -> socket.socket:
    """A sender who begins, and then says nothing more."""
    sender = socket.create_connection(("127.0.0.1", int(url.rpartition(":")[2])))
    sender.sendall(b"POST /webhooks/publisher HTTP/1.1\r\ncontent-length: 100\r\n\r\n{")
    return sender


def until(is_so: Callable[[], bool]) -> None:
    end = time.monotonic() + PATIENCE
    while not is_so():
        assert time.monotonic() < end, "nothing was built"
        time.sleep(0.02)


def test_a_stop_under_load_is_quick_and_loses_nothing(
    harbour: Harbour, crowd: Crowd, client: httpx.Client
) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chaos, not secrets
    took = []
    for stop in range(STOPS):
        harbour.builds.seconds = HOLDS[stop % len(HOLDS)]
        letter = harbour.publish(f"0.1.{stop}")
        harbour.bridge.start()
        harbour.bridge.wait()
        say_until_acknowledged(crowd, client, letter)
        if harbour.builds.seconds >= LONG:
            until(lambda: harbour.builds.under_way > 0)
        time.sleep(chance.uniform(0.0, LONG))
        with half_a_delivery(harbour.bridge.url):
            code, seconds = harbour.bridge.stop()
        assert (0, True) == (code, seconds < WITHIN), harbour.bridge.log.read_text()[-4000:]
        told = set(crowd.acknowledged)
        harbour.store.read_now(partial(must_be_left_in_order, acknowledged=told))
        took.append(seconds)
    assert len(crowd.acknowledged) > 10 * STOPS, "there was no load to speak of"
    harbour.builds.seconds = 0.0
    harbour.bridge.start()
    assert Stage.VERIFIED is arrived(harbour, f"0.1.{STOPS - 1}").stage
    crowd.stop()
    assert [] == crowd.odd
    harbour.must_be_sound(crowd.acknowledged)
    middle = sorted(took)[len(took) // 2]
    print(f"{STOPS} stops, {len(crowd.acknowledged)} acknowledged, seed {SEED}: ", end="")
    print(f"{min(took):.1f} to {max(took):.1f} s, median {middle:.1f} s")


@pytest.mark.parametrize("url", ["sqlite"], indirect=True)
@pytest.mark.parametrize("end", ["SIGTERM", "kill -9"])
def test_a_build_under_way_at_the_end_is_not_started_again(harbour: Harbour, end: str) -> None:
    """The neighbour lists it only after the next process has begun to look."""
    harbour.builds.seconds = 9.0
    letter = harbour.publish("0.1.0")
    harbour.bridge.start()
    harbour.bridge.wait()
    answer = httpx.post(
        f"{harbour.bridge.url}/webhooks/{letter.source}",
        content=letter.body,
        headers=letter.headers,
        trust_env=False,
    )
    assert 202 == answer.status_code
    until(lambda: harbour.builds.under_way == 1)
    if end == "SIGTERM":
        assert 0 == harbour.bridge.stop()[0]
    else:
        time.sleep(4.0)
        harbour.bridge.kill()
    harbour.builds.seconds = 0.0
    assert 1 == harbour.builds.under_way
    harbour.bridge.start()
    assert Stage.VERIFIED is arrived(harbour, "0.1.0").stage
    until(lambda: harbour.builds.under_way == 0)
    time.sleep(0.2)
    assert 1 == len(harbour.heroku.builds)
