"""Predicts house prices with the exported model; needs numpy, onnxruntime and pydantic only."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence
from functools import cache

import numpy as np
import numpy.typing as npt
import onnxruntime as ort
from pydantic import BaseModel, ConfigDict, ValidationError

from regression_model import __version__
from regression_model.config import MODEL_FILE, PACKAGE
from regression_model.errors import ModelMissing
from regression_model.schema import House


class RowError(BaseModel):
    """What is wrong with a row: `row` counts from 0, no `column` means the row as a whole."""

    model_config = ConfigDict(frozen=True)

    row: int
    column: str | None
    message: str


class Prediction(BaseModel):
    """Prices in dollars in the order of the rows, or what is wrong with them; never both."""

    model_config = ConfigDict(frozen=True)

    predictions: list[float]
    version: str
    errors: list[RowError]


class Model:
    """An exported model, ready to answer. `digest` is of the very bytes that onnxruntime got."""

    def __init__(self, onnx: bytes) -> None:
        self.digest = "sha256:" + hashlib.sha256(onnx).hexdigest()
        options = ort.SessionOptions()
        # One row is too small to share between threads: waking them costs more than they save.
        options.intra_op_num_threads = 1
        options.inter_op_num_threads = 1
        self._session = ort.InferenceSession(onnx, options, providers=["CPUExecutionProvider"])
        self._columns = [(i.name, i.type == "tensor(string)") for i in self._session.get_inputs()]

    def prices(self, houses: Sequence[House]) -> npt.NDArray[np.float64]:
        """The price of each house, in dollars; not finite where the model has nothing to say."""
        shape = (len(houses), 1)
        feed: dict[str, npt.NDArray[np.generic]] = {}
        for name, is_text in self._columns:
            values = [getattr(house, name) for house in houses]
            # As float32, None becomes NaN, which the model's imputer fills.
            column = np.array(values, dtype=np.object_ if is_text else np.float32)
            feed[name] = column.reshape(shape)
        log_prices = np.asarray(self._session.run(None, feed)[0], dtype=np.float64)
        with np.errstate(over="ignore"):
            return np.exp(log_prices.reshape(len(houses)))


@cache
def load() -> Model:
    """The model of this package, read from disk once in a process.

    Raises ModelMissing when nothing was trained yet.
    """
    path = PACKAGE / MODEL_FILE
    try:
        return Model(path.read_bytes())
    except FileNotFoundError:
        raise ModelMissing(
            f"{MODEL_FILE} is not in the package; make it: python -m regression_model train"
        ) from None


def model_digest() -> str:
    """`sha256:`+hex of the model that answers in this process."""
    return load().digest


def validate(rows: Iterable[House | Mapping[str, object]]) -> tuple[list[House], list[RowError]]:
    """The rows as houses, and what is wrong with those that are none."""
    houses: list[House] = []
    errors: list[RowError] = []
    for number, row in enumerate(rows):
        try:
            houses.append(House.model_validate(row))
        except ValidationError as error:
            errors += [
                RowError(
                    row=number,
                    column=".".join(map(str, problem["loc"])) or None,
                    message=problem["msg"],
                )
                for problem in error.errors(include_url=False, include_input=False)
            ]
    return houses, errors


def make_prediction(rows: Sequence[House | Mapping[str, object]]) -> Prediction:
    """Predict the price of each row, or say for each column of each row what is wrong with it."""
    houses, errors = validate(rows)
    prices: list[float] = []
    if houses and not errors:
        found = load().prices(houses)
        errors = [
            RowError(row=int(row), column=None, message="The model has no finite price for this")
            for row in np.flatnonzero(~np.isfinite(found))
        ]
        prices = [] if errors else found.tolist()
    return Prediction(predictions=prices, version=__version__, errors=errors)
