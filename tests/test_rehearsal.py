"""The whole rehearsal, really: a model trained, built, uploaded, deployed and verified, twice."""

import json
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parent.parent


@dataclass(frozen=True)
class Rehearsal:
    """What one run said, and how it ended."""

    code: int
    told: dict[str, object]

    @property
    def stages(self) -> list[object]:
        """Where each release ended."""
        releases = self.told["releases"]
        assert isinstance(releases, list)
        return [release["stage"] for release in releases]


def rehearse(*faults: str, seed: int = 1) -> Rehearsal:
    """Play it in a process of its own."""
    wanted = [word for fault in faults for word in ("--fault", fault)]
    command = [sys.executable, "-m", "bridge", "rehearse", "--json", "--seed", str(seed), *wanted]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    try:
        return Rehearsal(done.returncode, json.loads(done.stdout))
    except ValueError:
        pytest.fail(f"no JSON: {done.stdout[-2000:]}\n{done.stderr[-2000:]}")


def test_two_versions_are_carried_to_verified_and_a_forged_one_and_a_strangers_are_not() -> None:
    played = rehearse("forged-webhook", "foreign-package")
    assert played.code == 0, played.told
    assert ["verified", "verified"] == played.stages
    assert 401 == played.told["forged"]
    assert {"0.1.0": ["public_twin"], "0.1.1": ["public_twin"]} == played.told["alarms"]
    health = played.told["health"]
    assert isinstance(health, dict)
    assert "0.1.1" == health["after"]["model_version"]


@pytest.mark.parametrize(("fault", "code"), [("pth-wheel", "startup_hook"), ("yanked", "yanked")])
def test_a_bad_second_version_is_stopped_with_its_own_reason(fault: str, code: str) -> None:
    played = rehearse(fault)
    assert played.code == 1
    assert ["verified", "failed"] == played.stages
    releases, health = played.told["releases"], played.told["health"]
    assert isinstance(releases, list)
    assert code == releases[1]["reason"]["code"]
    assert isinstance(health, dict)
    assert "0.1.0" == health["after"]["model_version"]


def test_killing_the_bridge_all_along_changes_nothing_but_the_time() -> None:
    played = rehearse("kill-bridge", "lost-webhooks", seed=3)
    assert played.code == 0, played.told
    assert ["verified", "verified"] == played.stages
    pulls, kills = played.told["pull_requests"], played.told["kills"]
    assert isinstance(pulls, dict)
    assert [1, 1] == list(pulls.values())
    assert isinstance(kills, int)
    assert kills >= 5


def test_a_worse_model_is_proposed_and_the_merge_button_refuses() -> None:
    played = rehearse("worse-model")
    assert played.code == 1
    assert ["verified", "proposed"] == played.stages
    releases = played.told["releases"]
    assert isinstance(releases, list)
    assert "gate_broken" == releases[1]["reason"]["code"]
    button, health = played.told["merge_button"], played.told["health"]
    assert 'Required status check "bridge/gate" is failing.' == button
    assert isinstance(health, dict)
    assert "0.1.0" == health["after"]["model_version"]


def test_a_replaced_wheel_is_stopped_and_the_old_version_keeps_serving() -> None:
    played = rehearse("wrong-digest")
    assert played.code == 1
    assert ["verified", "failed"] == played.stages
    releases = played.told["releases"]
    assert isinstance(releases, list)
    assert "digest_mismatch" == releases[1]["reason"]["code"]
    pulls, health = played.told["pull_requests"], played.told["health"]
    assert isinstance(pulls, dict)
    assert ["bridge/house-prices/regression-model-0.1.0"] == list(pulls)
    assert isinstance(health, dict)
    assert "0.1.0" == health["after"]["model_version"]


def test_a_model_that_the_consumers_pins_forbid_is_not_proposed() -> None:
    played = rehearse("conflict")
    assert played.code == 1
    assert ["verified", "failed"] == played.stages
    releases = played.told["releases"]
    assert isinstance(releases, list)
    reason = releases[1]["reason"]
    assert "does_not_resolve" == reason["code"]
    assert "depends on pydantic<2 " in reason["sentence"]
    pulls, health = played.told["pull_requests"], played.told["health"]
    assert isinstance(pulls, dict)
    assert ["bridge/house-prices/regression-model-0.1.0"] == list(pulls)
    assert isinstance(health, dict)
    assert "0.1.0" == health["after"]["model_version"]


@pytest.mark.parametrize(
    ("fault", "code"), [("self-approval", "approvals_missing"), ("freeze", "frozen")]
)
def test_what_may_not_be_merged_now_is_proposed_and_the_merge_button_refuses(
    fault: str, code: str
) -> None:
    played = rehearse(fault)
    assert played.code == 1
    assert ["verified", "proposed"] == played.stages
    releases = played.told["releases"]
    assert isinstance(releases, list)
    assert code == releases[1]["reason"]["code"]
    assert 'Required status check "bridge/gate" is pending.' == played.told["merge_button"]
