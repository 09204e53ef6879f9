"""The running prediction API, as its users see it."""

import math
from dataclasses import dataclass

from packaging.version import Version
from pydantic import BaseModel, JsonValue, ValidationError

from bridge.errors import Unavailable
from bridge.kit.http import Door
from bridge.model_card import KnownAnswer

FRESH = {"cache-control": "no-cache", "accept": "application/json"}


class Health(BaseModel):
    """What the process that answered says of itself."""

    model_version: str
    model_digest: str | None = None
    instance: str | None = None


class _Predictions(BaseModel):
    predictions: list[float]
    version: str


@dataclass(frozen=True)
class WrongAnswer:
    """A prediction that is not the one of training time."""

    expected: float
    found: float | None


def same_version(said: str, wanted: str) -> bool:
    """Whether two spellings mean one version; what is no version means none."""
    try:
        return Version(said) == Version(wanted)
    except ValueError:
        return False


class PredictionApi:
    """`GET /api/v1/health` and `POST /api/v1/predict` behind one stable address."""

    def __init__(self, door: Door) -> None:
        self._door = door

    async def health(self) -> Health:
        """One reading of `/api/v1/health`. Raises Unavailable when it says nothing clear."""
        answer = await self._door.ask("GET", "/api/v1/health", headers=FRESH)
        if answer.status_code != 200:
            raise Unavailable(f"the API answered {answer.status_code}")
        try:
            return Health.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("the API's health cannot be read") from error

    async def wrong_answer(self, known: list[KnownAnswer], version: str) -> WrongAnswer | None:
        """The first known answer that `version` does not give, or None.

        Raises Unavailable, also when another version answered: an old process is still there.
        """
        inputs: list[dict[str, JsonValue]] = [answer.input for answer in known]
        answer = await self._door.ask(
            "POST", "/api/v1/predict", json={"inputs": inputs}, headers=FRESH
        )
        if answer.status_code == 422:
            return WrongAnswer(known[0].output, None)
        if answer.status_code != 200:
            raise Unavailable(f"the API answered {answer.status_code} to a prediction")
        try:
            said = _Predictions.model_validate_json(answer.content)
        except ValidationError as error:
            raise Unavailable("the API's predictions cannot be read") from error
        if not same_version(said.version, version):
            raise Unavailable(f"{said.version} answered the prediction")
        found = said.predictions
        if len(found) != len(known):
            return WrongAnswer(known[0].output, None)
        for expected, value in zip(known, found, strict=True):
            if not math.isclose(value, expected.output, rel_tol=0, abs_tol=expected.tolerance):
                return WrongAnswer(expected.output, value)
        return None

    async def close(self) -> None:
        """Give back the connections."""
        await self._door.close()
