"""A small synthetic set, the model that is installed, and houses to ask it about."""

import json
import shutil
from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest
from neighbours import Neighbours, neighbours
from publish import dist
from regression_model.config import CARD_FILE, PACKAGE
from regression_model.schema import House
from regression_model.train.data import TRAIN_FILE, Dataset, Record, read_dataset
from regression_model.train.synthetic import generate


def write_data(directory: Path, content: bytes) -> Path:
    """A data folder that holds this as its training data, and the record of it."""
    directory.mkdir(parents=True, exist_ok=True)
    (directory / TRAIN_FILE).write_bytes(content)
    record = Record.of("synthetic", content)
    (directory / "source.json").write_text(record.model_dump_json(), encoding="utf-8")
    return directory


@pytest.fixture(scope="session")
def dataset(tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    return read_dataset(write_data(tmp_path_factory.mktemp("data"), generate(400, seed=7)))


@pytest.fixture(scope="session")
def houses(dataset: Dataset) -> Sequence[House]:
    return dataset.houses


@pytest.fixture
def row(houses: Sequence[House]) -> dict[str, object]:
    """A good row, to be spoilt."""
    return houses[0].model_dump()


@pytest.fixture(scope="session")
def installed_card() -> dict[str, object]:
    """The card in the package. These tests want a trained model: run `train` first."""
    path = PACKAGE / CARD_FILE
    assert path.is_file(), "no model here yet: run python -m regression_model train"
    card = json.loads(path.read_bytes())
    assert isinstance(card, dict)
    return card


@pytest.fixture(scope="session")
def project(tmp_path_factory: pytest.TempPathFactory, installed_card: object) -> Path:
    """A copy of the project with its trained model, away from git."""
    copy = tmp_path_factory.mktemp("checkout") / "regression_model"
    junk = shutil.ignore_patterns("data", "dist", "tests", "__pycache__", ".*")
    return Path(shutil.copytree(PACKAGE.parent, copy, ignore=junk))


@pytest.fixture(scope="session")
def built(project: Path) -> list[dist.File]:
    return dist.build(project, {})


@pytest.fixture
def town() -> Iterator[Neighbours]:
    with neighbours() as served:
        yield served
