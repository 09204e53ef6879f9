"""Fetches the training data: the competition's with Kaggle credentials, else a synthetic set."""

import zipfile
from collections.abc import Mapping
from pathlib import Path

from regression_model.errors import DataError
from regression_model.train.data import RECORD_FILE, TEST_FILE, TRAIN_FILE, Record, Source
from regression_model.train.synthetic import generate

COMPETITION = "house-prices-advanced-regression-techniques"
TRAIN_ROWS, TEST_ROWS = 1460, 1459
SEED = 2006


def has_credentials(environment: Mapping[str, str], home: Path) -> bool:
    """Whether Kaggle's client would find a token or a key.

    https://github.com/Kaggle/kaggle-cli/blob/main/docs/README.md#authentication
    """
    if environment.get("KAGGLE_API_TOKEN"):
        return True
    if environment.get("KAGGLE_USERNAME") and environment.get("KAGGLE_KEY"):
        return True
    config = environment.get("KAGGLE_CONFIG_DIR")
    places = [Path(config)] if config else [home / ".kaggle", home / ".config" / "kaggle"]
    return any(
        (place / name).is_file() for place in places for name in ("access_token", "kaggle.json")
    )


def fetch_data(directory: Path, *, real: bool) -> Record:
    """Write `train.csv`, `test.csv` and the record of their source into the directory.

    Raises DataError when the real data was asked for and did not come: nothing replaces it.
    """
    directory.mkdir(parents=True, exist_ok=True)
    # Whatever happens next, an old record must not vouch for new data.
    (directory / RECORD_FILE).unlink(missing_ok=True)
    source: Source = "kaggle" if real else "synthetic"
    if real:
        _download(directory)
    else:
        (directory / TRAIN_FILE).write_bytes(generate(TRAIN_ROWS, SEED))
        (directory / TEST_FILE).write_bytes(
            generate(TEST_ROWS, SEED + 1, first_id=TRAIN_ROWS + 1, priced=False)
        )
    record = Record.of(source, (directory / TRAIN_FILE).read_bytes())
    (directory / RECORD_FILE).write_text(record.model_dump_json(indent=2) + "\n", encoding="utf-8")
    return record


def _download(directory: Path) -> None:
    try:
        # Imported here because the client signs in, and makes its folder, when it is imported.
        from kaggle.api.kaggle_api_extended import KaggleApi
    except ModuleNotFoundError as error:
        raise DataError(f"{error.name} is missing: Kaggle needs the extra `fetch`") from None
    try:
        api = KaggleApi()
        api.authenticate()
        api.competition_download_files(COMPETITION, path=str(directory), force=True, quiet=True)
    except SystemExit:
        raise DataError("Kaggle's client did not accept the credentials") from None
    except OSError as error:  # what the client's HTTP library raises
        status = getattr(getattr(error, "response", None), "status_code", "no answer")
        hint = f"; accept the rules of {COMPETITION} in a browser first" if status == 403 else ""
        raise DataError(f"Kaggle did not hand out the data ({status}){hint}") from None
    unpack(directory / f"{COMPETITION}.zip", directory)


def unpack(archive: Path, directory: Path) -> None:
    """Take the two files that we read out of the competition's archive, and remove it."""
    try:
        with zipfile.ZipFile(archive) as files:
            for name in (TRAIN_FILE, TEST_FILE):
                (directory / name).write_bytes(files.read(name))
    except (FileNotFoundError, KeyError, zipfile.BadZipFile):
        raise DataError(f"Kaggle's archive does not hold {TRAIN_FILE} and {TEST_FILE}") from None
    archive.unlink()
