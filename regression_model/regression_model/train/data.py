"""Reads the Ames data as the competition spells it, and the record of where it came from."""

import csv
import hashlib
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Literal, Self

from pydantic import BaseModel, ValidationError

from regression_model.errors import DataError
from regression_model.predict import validate
from regression_model.schema import ABSENT, House, is_category

TRAIN_FILE = "train.csv"
TEST_FILE = "test.csv"
RECORD_FILE = "source.json"
TARGET = "SalePrice"
SPELLED = {"1stFlrSF": "FirstFlrSF", "2ndFlrSF": "SecondFlrSF", "3SsnPorch": "ThreeSsnPorch"}

Source = Literal["kaggle", "synthetic"]


class Record(BaseModel):
    """Where `train.csv` came from; `sha256` is 64 hex digits of its bytes."""

    source: Source
    rows: int
    sha256: str

    @classmethod
    def of(cls, source: Source, content: bytes) -> Self:
        rows = sum(1 for _ in csv.reader(io.StringIO(content.decode("utf-8-sig")))) - 1
        return cls(source=source, rows=rows, sha256=hashlib.sha256(content).hexdigest())


@dataclass(frozen=True)
class Dataset:
    """Houses with their prices in dollars, in the order of the file."""

    houses: Sequence[House]
    prices: Sequence[float]
    record: Record


def as_row(line: Mapping[str, str]) -> dict[str, str | None]:
    """One line of the file in the words of `House`, without `Id` and the price.

    Text is read as it stands: `NA` is a category of its own in many columns and `None` one of
    `MasVnrType`, so only in a column of numbers do they mean that there is no number.
    """
    row: dict[str, str | None] = {}
    for spelled, value in line.items():
        column = SPELLED.get(spelled, spelled)
        if column in ("Id", TARGET):
            continue
        if column in House.model_fields and is_category(column):
            row[column] = value or ABSENT
        else:
            row[column] = None if value in ("", ABSENT) else value
    return row


def read_lines(path: Path) -> list[dict[str, str]]:
    """The lines of a CSV file with a header. Raises DataError for one of another width."""
    with path.open(encoding="utf-8-sig", newline="") as file:
        lines = list(csv.DictReader(file, restkey="?", restval="?"))
    for number, line in enumerate(lines):
        if "?" in line or "?" in line.values():
            raise DataError(f"{path.name}, row {number}: has not as many columns as the header")
    return lines


def read_houses(path: Path) -> list[House]:
    """The houses of a CSV file. Raises DataError that names row and column."""
    houses, errors = validate(as_row(line) for line in read_lines(path))
    if errors:
        first = errors[0]
        more = f" (and {len(errors) - 1} more)" if len(errors) > 1 else ""
        raise DataError(f"{path.name}, row {first.row}, {first.column}: {first.message}{more}")
    return houses


def read_dataset(directory: Path) -> Dataset:
    """The training data of the directory. Raises DataError where it is not what was fetched."""
    path = directory / TRAIN_FILE
    try:
        record = Record.model_validate_json((directory / RECORD_FILE).read_bytes())
        content = path.read_bytes()
    except FileNotFoundError as error:
        raise DataError(f"{error.filename} is missing: run fetch-data") from None
    except ValidationError:
        raise DataError(f"{RECORD_FILE} is not a record of data: run fetch-data") from None
    if Record.of(record.source, content) != record:
        raise DataError(f"{path.name} is not the file that was fetched: run fetch-data again")
    return Dataset(houses=read_houses(path), prices=_prices(path), record=record)


def _prices(path: Path) -> list[float]:
    prices: list[float] = []
    for number, line in enumerate(read_lines(path)):
        try:
            price = float(line[TARGET])
        except (KeyError, ValueError):
            price = 0.0
        if not 0 < price < float("inf"):
            raise DataError(f"{path.name}, row {number}, {TARGET}: should be a price above 0")
        prices.append(price)
    return prices
