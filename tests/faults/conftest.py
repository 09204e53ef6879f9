"""The stories' town is where things go wrong, too, and a disk whose every write is known."""

import shutil
from pathlib import Path

import pytest

from tests.faults import disk
from tests.stories.conftest import town

__all__ = ["town"]


@pytest.fixture(scope="session")
def shim(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What keeps a disk's diary; where there is no C compiler for Linux, its tests are skipped."""
    if (compiler := shutil.which("cc")) is None or not Path("/proc/self").exists():
        pytest.skip("There is no C compiler (gcc, libc6-dev): no loss of power is tried")
    return disk.compiled(tmp_path_factory.mktemp("shim"), compiler)
