"""The command line: `python -m regression_model fetch-data | train | predict`."""

import argparse
import json
import os
import sys
from pathlib import Path

from regression_model import __version__
from regression_model.config import DATA, PACKAGE, Config
from regression_model.errors import DataError, ModelError
from regression_model.predict import make_prediction
from regression_model.schema import House
from regression_model.train.data import RECORD_FILE, read_houses
from regression_model.train.fetch import COMPETITION, fetch_data, has_credentials


def main(arguments: list[str] | None = None) -> int:
    """Run one command. Returns 0, or 1 when it could not be done; wrong words exit with 2."""
    chosen = _parser().parse_args(arguments)
    try:
        if chosen.command == "predict":
            return _predict(chosen.file)
        if chosen.command == "fetch-data":
            fetch(DATA, real=has_credentials(os.environ, Path.home()))
        else:
            train(DATA, PACKAGE)
    except ModelError as problem:
        print(f"regression_model: {problem}", file=sys.stderr)
        return 1
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="python -m regression_model",
        description=f"House prices in Ames, Iowa: fetch the data, train, predict ({__version__}).",
    )
    parser.add_argument("--version", action="version", version=__version__)
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    commands.add_parser(
        "fetch-data",
        help="download the competition's data, or make up a synthetic set",
        description=f"Writes {DATA.name}/. With Kaggle credentials (KAGGLE_API_TOKEN, or "
        "KAGGLE_USERNAME and KAGGLE_KEY, or Kaggle's own files) it downloads "
        f"{COMPETITION}; without, it makes up a synthetic set with the same columns.",
    )
    commands.add_parser(
        "train",
        help="train, and write model.onnx and model_card.json into the package",
        description="Trains on the fetched data, and fetches it first if there is none.",
    )
    predicting = commands.add_parser(
        "predict",
        help="print the price of each row of a file",
        description="Prints one price a line, in dollars, for the rows of a .csv file spelled as "
        "the competition's, or of a .json file with a list of rows spelled as the API's.",
    )
    predicting.add_argument("file", type=Path, metavar="FILE")
    return parser


def fetch(data: Path, *, real: bool) -> None:
    """Fetch the data and say, loudly where it is made up, what it is."""
    record = fetch_data(data, real=real)
    if not real:
        print(
            "!!! No Kaggle credentials: this is SYNTHETIC data. It shows that everything works;\n"
            "!!! its prices say nothing about real houses. The model card will say so too.",
            file=sys.stderr,
        )
    print(f"{record.rows} rows of {record.source} data, sha256 {record.sha256}")


def train(data: Path, package: Path) -> None:
    """Train, fetching the data first if there is none, and say how good it is."""
    try:
        # scikit-learn and pandas take seconds to import, and only training has them.
        from regression_model.train import run
    except ModuleNotFoundError as error:
        raise ModelError(f"{error.name} is missing: training needs the extra `train`") from None
    if not (data / RECORD_FILE).is_file():
        fetch(data, real=has_credentials(os.environ, Path.home()))
    card = run.train(Config(), data, package)
    on, got = card.data, card.metrics
    print(
        f"{card.name} {card.version}, trained on {on.rows} rows of {on.source} data\n"
        f"  on {got.held_out_rows} held-out rows: rmse {got.rmse:,.0f}, mae {got.mae:,.0f}, "
        f"r2 {got.r2:.3f}, rmse of the log price {got.rmse_log:.4f}\n"
        f"  the export differs by at most {got.export_max_relative_difference:.1e}\n"
        f"  sha256:{card.model.sha256}"
    )


def _predict(file: Path) -> int:
    found = make_prediction(_rows(file))
    for error in found.errors:
        where = f"row {error.row}" + (f", {error.column}" if error.column else "")
        print(f"{file.name}, {where}: {error.message}", file=sys.stderr)
    for price in found.predictions:
        print(f"{price:.2f}")
    return 1 if found.errors else 0


def _rows(file: Path) -> list[House | dict[str, object]]:
    try:
        if file.suffix == ".csv":
            return list(read_houses(file))
        rows = json.loads(file.read_bytes())
    except OSError as error:
        raise DataError(f"{file}: {error.strerror}") from None
    except (ValueError, RecursionError) as error:
        raise DataError(f"{file} cannot be read: {error}") from None
    if not isinstance(rows, list):
        raise DataError(f"{file} should hold a list of rows")
    return rows


if __name__ == "__main__":
    sys.exit(main())
