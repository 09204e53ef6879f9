"""One training: read, fit, export, compare, and write `model.onnx` and `model_card.json`."""

import os
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import numpy.typing as npt
from sklearn.metrics import mean_absolute_error, r2_score, root_mean_squared_error
from sklearn.model_selection import train_test_split

from regression_model import __version__
from regression_model.config import CARD_FILE, MODEL_FILE, Config
from regression_model.predict import Model
from regression_model.schema import House, is_category
from regression_model.train import card
from regression_model.train.data import Dataset, read_dataset
from regression_model.train.export import export, largest_relative_difference
from regression_model.train.pipeline import fit, prices_of

# The difference between two processors' float32 is far below this; another model's is far above.
KNOWN_ANSWER_TOLERANCE = 1e-4


def train(config: Config, data: Path, package: Path) -> card.ModelCard:
    """Train on the data of one folder and write the model and its card into another.

    Raises DataError, or ExportDiffers when the export does not say what the pipeline says.
    """
    onnx, written = train_on(read_dataset(data), config, version=__version__, folder=data)
    # The card goes last: where there is a card, its model is complete.
    (package / CARD_FILE).unlink(missing_ok=True)
    (package / MODEL_FILE).write_bytes(onnx)
    (package / CARD_FILE).write_text(written.as_json(), encoding="utf-8")
    return written


def train_on(
    dataset: Dataset, config: Config, *, version: str, folder: Path
) -> tuple[bytes, card.ModelCard]:
    """The model as ONNX, and its card. `folder` is where git is asked for the commit."""
    kept, held_out = train_test_split(
        np.arange(len(dataset.houses)), test_size=config.test_size, random_state=config.seed
    )
    prices = np.asarray(dataset.prices, dtype=np.float64)
    pipeline = fit([dataset.houses[i] for i in kept], prices[kept], config)
    onnx = export(pipeline, config, version)
    model = Model(onnx)
    houses = [dataset.houses[i] for i in held_out]
    found = model.prices(houses)
    difference = largest_relative_difference(
        prices_of(pipeline, houses, config), found, config.max_relative_difference
    )
    return onnx, card.ModelCard(
        name=config.name,
        version=version,
        commit=card.commit(os.environ, folder),
        trained_at=card.trained_at(os.environ, datetime.now(UTC)),
        data=dataset.record,
        metrics=_metrics(prices[held_out], found, difference),
        features=[
            card.Feature(name=name, type="category" if is_category(name) else "number")
            for name in config.features
        ],
        libraries=card.libraries(),
        model=card.ModelFile(file=MODEL_FILE, sha256=model.digest.removeprefix("sha256:")),
        known_answers=_known_answers(model, houses, config.known_answers),
    )


def _metrics(
    actual: npt.NDArray[np.float64], found: npt.NDArray[np.float64], difference: float
) -> card.Metrics:
    return card.Metrics(
        rmse=round(float(root_mean_squared_error(actual, found)), 2),
        mae=round(float(mean_absolute_error(actual, found)), 2),
        r2=round(float(r2_score(actual, found)), 6),
        rmse_log=round(float(root_mean_squared_error(np.log(actual), np.log(found))), 6),
        export_max_relative_difference=difference,
        held_out_rows=len(actual),
    )


def _known_answers(model: Model, houses: list[House], count: int) -> list[card.KnownAnswer]:
    """Houses spread over the held-out part from the cheapest to the dearest."""
    by_price = np.argsort(model.prices(houses), kind="stable")
    chosen = by_price[np.linspace(0, len(houses) - 1, count).round().astype(int)]
    answers = []
    for number in chosen:
        price = float(model.prices([houses[number]])[0])
        answers.append(
            card.KnownAnswer(
                input=houses[number].model_dump(mode="json"),
                output=round(price, 2),
                tolerance=round(price * KNOWN_ANSWER_TOLERANCE, 2),
            )
        )
    return answers
