"""Asking the model of the package."""

import hashlib
import json
import subprocess
import sys
from pathlib import Path

import pytest
from regression_model.__main__ import main
from regression_model.config import MODEL_FILE, PACKAGE
from regression_model.predict import RowError, make_prediction, model_digest
from regression_model.train.synthetic import generate

from regression_model import __version__

pytestmark = pytest.mark.usefixtures("installed_card")
Row = dict[str, object]


def test_a_good_row_has_a_price(row: Row) -> None:
    answer = make_prediction([row])

    assert answer.errors == []
    assert answer.version == __version__
    [price] = answer.predictions
    assert 20_000 < price < 2_000_000


def test_rows_answer_in_their_order_and_alone_as_together(row: Row) -> None:
    larger = row | {"GrLivArea": 4000}

    both = make_prediction([row, larger]).predictions

    assert both[0] < both[1]
    alone = [*make_prediction([row]).predictions, *make_prediction([larger]).predictions]
    assert both == pytest.approx(alone, rel=1e-6)


def test_no_rows_have_no_prices() -> None:
    assert make_prediction([]).predictions == []


@pytest.mark.parametrize(
    ("column", "value"),
    [
        ("LotArea", "large"),
        ("LotArea", None),
        ("LotArea", -1),
        ("LotArea", 1e30),
        ("LotArea", float("nan")),
        ("LotArea", float("inf")),
        ("LotArea", 10**400),
        ("OverallQual", 11),
        ("OverallQual", 5.5),
        ("MoSold", 0),
        ("Street", 7),
        ("Street", ""),
        ("Street", "x" * 1000),
        ("Street", "\ud800"),
        ("GarageCars", [1]),
        ("ThreeSsnPortch", 0),
    ],
)
def test_an_error_names_row_and_column(row: Row, column: str, value: object) -> None:
    answer = make_prediction([row, row | {column: value}])

    assert [(error.row, error.column) for error in answer.errors] == [(1, column)]
    assert answer.predictions == []


def test_a_missing_column_is_named(row: Row) -> None:
    del row["LotArea"]

    assert make_prediction([row]).errors == [
        RowError(row=0, column="LotArea", message="Field required")
    ]


def test_what_may_be_absent_may_be_left_out(row: Row) -> None:
    for column in ("Alley", "PoolQC", "LotFrontage", "GarageYrBlt"):
        del row[column]

    assert make_prediction([row]).errors == []


def test_an_unknown_category_breaks_nothing(row: Row) -> None:
    unknown = row | {"Neighborhood": "Atlantis", "MSSubClass": 999, "RoofStyle": "Thatch"}

    assert make_prediction([unknown]).errors == []


def test_the_digest_is_of_the_file() -> None:
    expected = hashlib.sha256((PACKAGE / MODEL_FILE).read_bytes()).hexdigest()

    assert model_digest() == f"sha256:{expected}"


def test_predicting_imports_nothing_of_training() -> None:
    code = (
        "import sys; from regression_model.predict import model_digest; model_digest();"
        "print(sorted({'sklearn', 'pandas', 'skl2onnx', 'onnx', 'kaggle'} & set(sys.modules)))"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)

    assert ran.stdout.strip() == "[]"


def test_the_command_prints_a_price_a_row(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], row: Row
) -> None:
    spelled = tmp_path / "new.csv"
    spelled.write_bytes(generate(3, seed=9, priced=False))
    named = tmp_path / "new.json"
    named.write_text(json.dumps([row]), encoding="utf-8")

    assert main(["predict", str(spelled)]) == 0
    assert main(["predict", str(named)]) == 0

    prices = capsys.readouterr().out.split()
    assert len(prices) == 4
    assert all(float(price) > 20_000 for price in prices)


@pytest.mark.parametrize(
    ("content", "said"),
    [
        ('[{"LotArea": 1}]', "new.json, row 0, MSSubClass: Field required"),
        ("{}", "should hold a list of rows"),
        ("[" * 100_000, "cannot be read"),
        ("nonsense", "cannot be read"),
    ],
)
def test_the_command_says_what_is_wrong(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], content: str, said: str
) -> None:
    file = tmp_path / "new.json"
    file.write_text(content, encoding="utf-8")

    assert main(["predict", str(file)]) == 1
    assert said in capsys.readouterr().err
