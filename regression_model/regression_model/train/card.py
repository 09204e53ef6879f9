"""The model card: what is known of a trained model, for people and for whoever deploys it.

Its JSON Schema is `docs/model_card.schema.json`.
"""

import subprocess
from collections.abc import Mapping
from datetime import UTC, datetime
from importlib.metadata import version as installed
from pathlib import Path
from typing import Literal

from pydantic import BaseModel, ConfigDict, Field, JsonValue

from regression_model.train.data import Record

LIBRARIES = ("numpy", "onnx", "onnxruntime", "pandas", "pydantic", "scikit-learn", "skl2onnx")


class _Part(BaseModel):
    model_config = ConfigDict(frozen=True, allow_inf_nan=False)


class Metrics(_Part):
    """How good it is on the held-out part. `rmse` and `mae` are in dollars."""

    rmse: float
    mae: float
    r2: float
    rmse_log: float
    export_max_relative_difference: float
    held_out_rows: int


class Feature(_Part):
    """One input column of the model."""

    name: str
    type: Literal["number", "category"]


class ModelFile(_Part):
    """The file that is loaded to predict."""

    file: str
    sha256: str


class KnownAnswer(_Part):
    """One input row and what the exported model answered, give or take `tolerance` dollars."""

    input: dict[str, JsonValue]
    output: float
    tolerance: float


class ModelCard(_Part):
    """`model_card.json`."""

    schema_: Literal["model-card/1"] = Field(default="model-card/1", alias="schema")
    name: str
    version: str
    commit: str | None
    trained_at: str
    data: Record
    metrics: Metrics
    features: list[Feature]
    libraries: dict[str, str]
    model: ModelFile
    known_answers: list[KnownAnswer]

    def as_json(self) -> str:
        return self.model_dump_json(by_alias=True, indent=2) + "\n"


def trained_at(environment: Mapping[str, str], now: datetime) -> str:
    """The time in UTC. `SOURCE_DATE_EPOCH` wins, so that CI can train the same wheel twice.

    https://reproducible-builds.org/docs/source-date-epoch/
    """
    epoch = environment.get("SOURCE_DATE_EPOCH", "")
    time = datetime.fromtimestamp(int(epoch), UTC) if epoch.isdigit() else now.astimezone(UTC)
    return time.strftime("%Y-%m-%dT%H:%M:%SZ")


def commit(environment: Mapping[str, str], folder: Path) -> str | None:
    """The commit that is trained: CI's word, else git's, else unknown."""
    if named := environment.get("CIRCLE_SHA1"):
        return named
    try:
        asked = subprocess.run(
            ["git", "rev-parse", "HEAD"], cwd=folder, capture_output=True, text=True, check=False
        )
    except FileNotFoundError:
        return None
    return asked.stdout.strip() if asked.returncode == 0 else None


def libraries() -> dict[str, str]:
    """The versions of the libraries that made the model."""
    return {name: installed(name) for name in LIBRARIES}
