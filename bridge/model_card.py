"""The model card: what the training said of the model, carried inside the wheel. Pure.

Its JSON Schema is `docs/model_card.schema.json`; fields that we do not know are left alone.
"""

import json
from itertools import accumulate

from pydantic import BaseModel, ConfigDict, Field, JsonValue, ValidationError, field_validator

SIZE_CAP = 256 << 10
DEPTH_CAP = 16


class _Part(BaseModel):
    model_config = ConfigDict(extra="ignore", allow_inf_nan=False, strict=True)


class Data(_Part):
    """What it was trained on; `sha256` is 64 hex digits."""

    source: str
    rows: int
    sha256: str


class Feature(_Part):
    """One input column."""

    name: str
    type: str


class ModelFile(_Part):
    """The file inside the package that is loaded to predict; `sha256` is 64 hex digits."""

    file: str
    sha256: str


class KnownAnswer(_Part):
    """One input row, and what the model answered at training time, give or take `tolerance`."""

    input: dict[str, JsonValue]
    output: float
    tolerance: float = Field(ge=0)

    @field_validator("input")
    @classmethod
    def can_be_sent(cls, value: dict[str, JsonValue]) -> dict[str, JsonValue]:
        """It is asked as JSON, which has no NaN and no infinity."""
        json.dumps(value, allow_nan=False)
        return value


class ModelCard(_Part):
    """`<package>/model_card.json`."""

    name: str
    version: str
    commit: str | None = None
    trained_at: str | None = None
    data: Data | None = None
    metrics: dict[str, float] = {}
    features: list[Feature] = []
    libraries: dict[str, str] = {}
    model: ModelFile | None = None
    known_answers: list[KnownAnswer] = []


def read_card(raw: bytes) -> ModelCard:
    """The card as a wheel carries it; raises ValueError that names the field."""
    if len(raw) > SIZE_CAP:
        raise ValueError(f"it is larger than {SIZE_CAP >> 10} KiB")
    steps = {ord("["): 1, ord("{"): 1, ord("]"): -1, ord("}"): -1}
    if max(accumulate(steps.get(byte, 0) for byte in raw), default=0) > DEPTH_CAP:
        raise ValueError(f"it is nested deeper than {DEPTH_CAP}")
    try:
        return ModelCard.model_validate_json(raw)
    except ValidationError as error:
        wrong = error.errors(include_input=False, include_url=False)[0]
        where = ".".join(str(part) for part in wrong["loc"]) or "the whole"
        raise ValueError(f"{where}: {wrong['msg']}") from error


class MetricChange(BaseModel):
    """One metric, before and now; `change` is relative (0.02 is 2 % more)."""

    name: str
    old: float | None
    new: float | None

    @property
    def change(self) -> float | None:
        """The relative change, where both are known and the old one is not zero."""
        if self.old is None or self.new is None or self.old == 0:
            return None
        return (self.new - self.old) / abs(self.old)


class Comparison(BaseModel):
    """What a newer model changes against the one before."""

    metrics: list[MetricChange]
    features_added: list[str]
    features_removed: list[str]
    libraries_changed: dict[str, tuple[str | None, str | None]]
    same_data: bool | None


def compare(old: ModelCard | None, new: ModelCard) -> Comparison:
    """Compare two cards; without an old one, everything old is unknown."""
    before = old or ModelCard(name=new.name, version="")
    had, has = [{f.name for f in card.features} for card in (before, new)]
    return Comparison(
        metrics=[
            MetricChange(name=name, old=before.metrics.get(name), new=new.metrics.get(name))
            for name in [
                *new.metrics,
                *(name for name in before.metrics if name not in new.metrics),
            ]
        ],
        features_added=sorted(has - had) if old else [],
        features_removed=sorted(had - has),
        libraries_changed={
            name: (before.libraries.get(name), new.libraries.get(name))
            for name in sorted(before.libraries.keys() | new.libraries.keys())
            if old and before.libraries.get(name) != new.libraries.get(name)
        },
        same_data=old.data.sha256 == new.data.sha256 if old and old.data and new.data else None,
    )
