"""Reading the data as the competition spells it, and fetching it."""

import os
import subprocess
import sys
import zipfile
from importlib.util import find_spec
from pathlib import Path

import pytest
from conftest import write_data
from regression_model.__main__ import fetch
from regression_model.errors import DataError
from regression_model.schema import House
from regression_model.train.data import TRAIN_FILE, as_row, read_dataset, read_houses
from regression_model.train.fetch import fetch_data, has_credentials, unpack
from regression_model.train.synthetic import generate


def test_one_seed_gives_one_file() -> None:
    assert generate(50, seed=3) == generate(50, seed=3)
    assert generate(50, seed=3) != generate(50, seed=4)


def test_the_synthetic_set_has_the_columns_of_the_competition() -> None:
    header = generate(1, seed=1).decode().splitlines()[0].split(",")

    assert len(header) == 81
    assert header[0] == "Id"
    assert header[-1] == "SalePrice"
    assert {"1stFlrSF", "2ndFlrSF", "3SsnPorch"} < set(header)


def test_every_column_of_the_competition_is_a_field_of_a_house() -> None:
    header = generate(1, seed=1).decode().splitlines()[0].split(",")

    assert list(as_row(dict.fromkeys(header, "1"))) == list(House.model_fields)


def test_na_is_a_category_and_none_a_veneer_but_neither_is_a_number(tmp_path: Path) -> None:
    data = write_data(tmp_path, generate(200, seed=5))

    houses = read_dataset(data).houses

    assert {house.Alley for house in houses} >= {"NA", "Grvl"}
    assert {house.MasVnrType for house in houses} == {"None", "BrkFace", "Stone"}
    assert {house.MSZoning for house in houses} >= {"C (all)", "RL"}
    assert any(house.LotFrontage is None for house in houses)
    assert any(house.GarageYrBlt is None for house in houses)


def test_numbers_written_as_floats_are_read(tmp_path: Path) -> None:
    # test.csv of the competition writes GarageCars and BsmtFullBath as 1.0, and NA where unknown.
    header, line = generate(1, seed=2, priced=False).decode().splitlines()
    cells = dict(zip(header.split(","), line.split(","), strict=True))
    cells |= {"GarageCars": "1.0", "BsmtFullBath": "NA", "KitchenQual": "NA", "GarageYrBlt": "2207"}
    file = tmp_path / "test.csv"
    file.write_text(f"{header}\n{','.join(cells.values())}\n", encoding="utf-8")

    [house] = read_houses(file)

    assert (house.GarageCars, house.BsmtFullBath, house.KitchenQual) == (1, None, "NA")


@pytest.mark.parametrize(
    ("column", "value", "said"),
    [
        ("LotArea", "NA", "train.csv, row 1, LotArea: Input should be a valid number"),
        ("YearBuilt", "soon", "train.csv, row 1, YearBuilt: Input should be a valid integer"),
        ("SalePrice", "NA", "train.csv, row 1, SalePrice: should be a price above 0"),
        ("SalePrice", "inf", "train.csv, row 1, SalePrice: should be a price above 0"),
    ],
)
def test_a_bad_cell_is_named(tmp_path: Path, column: str, value: str, said: str) -> None:
    lines = [line.split(",") for line in generate(3, seed=6).decode().splitlines()]
    lines[2][lines[0].index(column)] = value
    data = write_data(tmp_path, "\n".join(map(",".join, lines)).encode())

    with pytest.raises(DataError) as refused:
        read_dataset(data)

    assert said in str(refused.value)


def test_a_line_of_another_width_is_named(tmp_path: Path) -> None:
    data = write_data(tmp_path, generate(3, seed=6) + b"4,60\n")

    with pytest.raises(DataError, match="row 3: has not as many columns as the header"):
        read_dataset(data)


def test_data_that_changed_since_it_was_fetched_is_refused(tmp_path: Path) -> None:
    fetch_data(tmp_path, real=False)
    with (tmp_path / TRAIN_FILE).open("ab") as file:
        file.write(b"\n")

    with pytest.raises(DataError, match="not the file that was fetched"):
        read_dataset(tmp_path)


def test_no_data_says_what_to_run(tmp_path: Path) -> None:
    with pytest.raises(DataError, match="run fetch-data"):
        read_dataset(tmp_path)


def test_synthetic_data_is_announced_loudly(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    fetch(tmp_path, real=False)

    assert "SYNTHETIC" in capsys.readouterr().err
    assert read_dataset(tmp_path).record.source == "synthetic"
    assert len(read_houses(tmp_path / "test.csv")) == 1459


def test_credentials_are_found_where_kaggle_looks(tmp_path: Path) -> None:
    assert not has_credentials({}, tmp_path)
    assert not has_credentials({"KAGGLE_USERNAME": "somebody"}, tmp_path)
    assert has_credentials({"KAGGLE_API_TOKEN": "made-up"}, tmp_path)
    assert has_credentials({"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "made-up"}, tmp_path)

    (tmp_path / ".kaggle").mkdir()
    (tmp_path / ".kaggle" / "kaggle.json").write_text("{}", encoding="utf-8")
    assert has_credentials({}, tmp_path)
    assert not has_credentials({"KAGGLE_CONFIG_DIR": str(tmp_path)}, tmp_path)


@pytest.mark.skipif(
    not (find_spec("kaggle") and find_spec("six")), reason="the extra `fetch` is not installed"
)
def test_real_data_that_does_not_come_is_an_error_and_is_not_replaced(tmp_path: Path) -> None:
    # In a process of its own, because the client signs in when it is imported.
    code = (
        "import sys, pathlib; from regression_model.train.fetch import fetch_data;"
        "fetch_data(pathlib.Path(sys.argv[1]), real=True)"
    )
    nobody = {"HOME": str(tmp_path), "HTTPS_PROXY": "http://127.0.0.1:9"}
    known = {"KAGGLE_USERNAME": "somebody", "KAGGLE_KEY": "made-up", "PATH": os.environ["PATH"]}

    ran = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path / "data")],
        env=nobody | known,
        capture_output=True,
        text=True,
        check=False,
    )

    assert ran.stderr.splitlines()[-1].endswith("Kaggle did not hand out the data (no answer)")
    assert list((tmp_path / "data").iterdir()) == []


def test_the_archive_of_the_competition_is_unpacked(tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("train.csv", "a\n1\n")
        files.writestr("test.csv", "a\n")
        files.writestr("../elsewhere.csv", "no")

    unpack(archive, tmp_path)

    assert sorted(path.name for path in tmp_path.iterdir()) == ["test.csv", "train.csv"]


def test_an_archive_without_the_files_is_refused(tmp_path: Path) -> None:
    archive = tmp_path / "archive.zip"
    with zipfile.ZipFile(archive, "w") as files:
        files.writestr("train.csv", "a\n1\n")

    with pytest.raises(DataError, match=r"does not hold train\.csv and test\.csv"):
        unpack(archive, tmp_path)
