"""`bridge notify`: who is told, whether one can be, and what goes out."""

import asyncio
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from bridge.notice import Notice
from bridge.rehearsal.hosting import Hosting
from bridge.store import Store, outbox
from tests.bridge_kit import NOW
from tests.notify_kit import LISTENER_SECRET, PATH, Listener
from tests.test_cli import Run, bridge, home

__all__ = ["bridge", "home"]
CONFIGURATION = """\
[[target]]
name = "chain"
kind = "webhook"
"""


@pytest.fixture
def listener(home: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Listener]:
    made = Listener()
    hosting = Hosting()
    at, url = hosting.reserve()
    hosting.serve(made, at)
    (home / "bridge.toml").write_text(CONFIGURATION)
    monkeypatch.setenv("BRIDGE_TARGET_URLS__CHAIN", f"{url}/{PATH}")
    monkeypatch.setenv("BRIDGE_TARGET_SECRETS__CHAIN", LISTENER_SECRET)
    yield made
    hosting.stop()


def test_a_target_is_tried(bridge: Run, listener: Listener) -> None:
    code, out, _ = bridge("notify", "--test", "chain")
    assert (0, "chain took it.") == (code, out.strip())
    assert ["test"] == listener.said


def test_a_target_that_does_not_take_it_is_said_without_its_address(
    bridge: Run, listener: Listener
) -> None:
    listener.answers = [500]
    code, out, err = bridge("notify", "--test", "chain")
    assert (1, "chain answered 500") == (code, out.strip())
    assert PATH not in out + err


def test_a_dry_run_tells_nobody(bridge: Run, listener: Listener) -> None:
    code, out, _ = bridge("notify", "--test", "chain", "--dry-run")
    assert 0 == code
    assert "there is nothing to do" in " ".join(out.split())
    assert [] == listener.said


def test_a_target_that_is_not_named_is_a_wrong_word(bridge: Run, listener: Listener) -> None:
    code, _, err = bridge("notify", "--test", "nobody")
    assert 2 == code
    assert "bridge.toml has none of this name" in err


def test_what_goes_out_is_listed(bridge: Run, listener: Listener, home: Path) -> None:
    store = Store(f"sqlite:///{home / 'bridge.db'}")
    store.migrate()
    body = json.dumps({"type": "release.failed", "data": {"text": "It failed."}})
    notice = Notice(target="chain", message_id="msg_1", about="failed", body=body, created_at=NOW)
    notice.due_at = NOW
    asyncio.run(store.write(lambda session: outbox.put(session, notice)))
    store.close()
    code, out, _ = bridge("notify", "--json")
    (told,) = json.loads(out)["items"]
    assert (0, "chain", 1, 0) == (code, told["target"], told["waiting"], told["parked"])
    code, out, _ = bridge("deliveries", "--out", "--json")
    assert "It failed." == json.loads(out)["items"][0]["text"]
    code, out, _ = bridge("deliveries", "--out", "--parked")
    assert "Nothing is parked." == out.strip()
    code, out, _ = bridge("discard", "1", "--out", "--reason", "nobody needs it")
    assert 0 == code
    assert "discarded delivery 1 (out): nobody needs it" in out
