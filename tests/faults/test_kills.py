"""kill -9 at random moments under load: nothing acknowledged is lost, nothing is done twice."""

import os
import random
import time
from pathlib import Path

import httpx

from bridge.rehearsal.letters import Letter
from bridge.release import Release, Stage
from bridge.store import releases
from tests.faults.crowd import Crowd
from tests.faults.harbour import Harbour
from tests.stories.town import PACKAGE, PUBLISHER_SECRET

SEED = int(os.environ.get("FAULTS_SEED", "20261123"))
KILLS = int(os.environ.get("FAULTS_KILLS", "200"))
KILLS_A_VERSION = 20
LIVES = (0.0, 0.6)
LONG_LIFE = 1.0
SENDERS, PAUSE = 3, 0.03
ARRIVES_WITHIN = 60.0


def say_until_acknowledged(crowd: Crowd, client: httpx.Client, letter: Letter) -> None:
    """Deliver as a publisher does: again, until somebody says yes."""
    end = time.monotonic() + ARRIVES_WITHIN
    while not crowd.say(client, letter):
        assert time.monotonic() < end, "nobody takes it"
        time.sleep(0.05)


def arrived(harbour: Harbour, version: str) -> Release:
    """The release of `version`, at its end."""
    end = time.monotonic() + ARRIVES_WITHIN
    while time.monotonic() < end:
        found = harbour.store.read_now(lambda session: releases.find(session, PACKAGE, version))
        if found and found[0].stage.is_end:
            return found[0]
        time.sleep(0.1)
    every = harbour.store.read_now(lambda session: releases.newest(session, 100))
    told = "\n".join(f"{one.version} {one.stage} {one.due_at} {one.sentence}" for one in every)
    raise AssertionError(f"{version} never arrived:\n{told}")


def test_kill_9_loses_nothing_and_repeats_nothing(tmp_path: Path, url: str) -> None:
    chance = random.Random(SEED)  # noqa: S311 - chaos, not secrets
    harbour = Harbour(tmp_path, url)
    crowd = Crowd(harbour.bridge.url, PUBLISHER_SECRET, SENDERS, PAUSE)
    client = httpx.Client(timeout=10, trust_env=False)
    announced: list[Letter] = []
    began = time.monotonic()
    try:
        for kill in range(KILLS):
            if kill % KILLS_A_VERSION == 0:
                announced.append(harbour.publish(f"0.1.{kill // KILLS_A_VERSION}"))
            harbour.bridge.start()
            time.sleep(LONG_LIFE if kill % 10 == 0 else chance.uniform(*LIVES))
            crowd.say(client, announced[-1])
            harbour.bridge.kill()
        print(f"{KILLS} kills after {time.monotonic() - began:.0f} s", flush=True)
        harbour.bridge.start()
        harbour.bridge.wait()
        for letter in announced:
            say_until_acknowledged(crowd, client, letter)
        last = arrived(harbour, f"0.1.{len(announced) - 1}")
        crowd.stop()
        assert [] == crowd.odd
        harbour.must_be_sound(crowd.acknowledged)
        assert last.stage is Stage.VERIFIED, last
        assert len(crowd.acknowledged) > KILLS // 2, "there was no load to speak of"
        harbour.must_be_whole()
        print(f"{KILLS} kills, {len(crowd.acknowledged)} acknowledged, seed {SEED}")
    finally:
        crowd.stop()
        client.close()
        harbour.stop()
