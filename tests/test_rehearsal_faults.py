"""What the rehearsal's faults put in place, without the whole journey."""

import subprocess
import sys
from pathlib import Path

import pytest

from bridge.errors import Misconfigured, Refused
from bridge.rehearsal.faults import FAULTS, PREPARED, with_startup_hook
from bridge.rehearsal.people import policy_for
from bridge.wheel import inspect

ROOT = Path(__file__).parent.parent


def test_every_fault_that_is_prepared_is_told() -> None:
    assert PREPARED.keys() <= FAULTS.keys()


def test_the_commit_of_pth_wheel_makes_a_wheel_with_a_start_up_hook(tmp_path: Path) -> None:
    package = tmp_path / "regression_model" / "regression_model"
    package.mkdir(parents=True)
    (package.parent / "tests").mkdir()
    for name, content in with_startup_hook(ROOT).items():
        assert not (ROOT / name).exists() or (ROOT / name).read_bytes() != content
        (tmp_path / name).write_bytes(content)
    (package / "__init__.py").touch()
    (package / "VERSION").write_text("0.1.1\n")
    builder = [sys.executable, "-m", "hatchling", "build", "--target", "wheel"]
    subprocess.run(builder, cwd=package.parent, check=True, capture_output=True)
    (wheel,) = (package.parent / "dist").iterdir()
    with pytest.raises(Refused) as refusal:
        inspect(wheel.read_bytes(), wheel.name, "regression-model", "0.1.1")
    assert "startup_hook" == refusal.value.reason.code
    assert "startup.pth" in str(refusal.value)


def test_you_do_not_click_where_the_fault_is_that_others_do() -> None:
    assert "human" == policy_for({"worse-model"}, yourself=True)[0]
    with pytest.raises(Misconfigured, match="in that one others click"):
        policy_for({"freeze"}, yourself=True)
