"""Wheels that are good, bad, or good but for what an installer needs."""

import base64
import hashlib
import io
import json
import zipfile
from collections.abc import Mapping

import pytest

NAME, VERSION = "regression-model", "0.1.1"
FILE = "regression_model-0.1.1-py3-none-any.whl"
ABOUT = "regression_model-0.1.1.dist-info"
CODE = {"regression_model/__init__.py": b"x = 1\n" * 50}


def recorded(files: Mapping[str, bytes]) -> bytes:
    """A RECORD that vouches for `files`."""
    rows = []
    for name, data in files.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.append(f"{name},sha256={digest},{len(data)}\n")
    return "".join(rows).encode() + f"{ABOUT}/RECORD,,\n".encode()


def zipped(files: Mapping[str, bytes], how: int = zipfile.ZIP_DEFLATED) -> bytes:
    """A zip archive of exactly these files."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", how) as archive:
        for name, data in files.items():
            archive.writestr(zipfile.ZipInfo(name), data, how)
    return packed.getvalue()


def about(name: str = NAME, version: str = VERSION) -> dict[str, bytes]:
    return {
        f"{ABOUT}/METADATA": f"Metadata-Version: 2.1\nName: {name}\nVersion: {version}\n".encode(),
        f"{ABOUT}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }


def made(files: Mapping[str, bytes], record: bytes | None = None) -> bytes:
    """A wheel whose RECORD is honest, unless another one is given."""
    return zipped({**files, f"{ABOUT}/RECORD": recorded(files) if record is None else record})


def with_card(**card: object) -> bytes:
    told = {"name": NAME, "version": VERSION, **card}
    text = json.dumps(told).encode()
    return made({**CODE, **about(), "regression_model/model_card.json": text})


def with_about(file: str, more: bytes) -> bytes:
    """A wheel with one more header in METADATA or WHEEL."""
    path = f"{ABOUT}/{file}"
    return made({**ONE, path: ONE[path] + more})


def with_twin() -> bytes:
    packed = io.BytesIO(good())
    with zipfile.ZipFile(packed, "a") as archive, pytest.warns(UserWarning, match="Duplicate"):
        archive.writestr("regression_model/__init__.py", b"evil = 1\n")
    return packed.getvalue()


def good() -> bytes:
    return made({**CODE, **about()})


ONE = {**CODE, **about()}


def swapped(old: bytes, new: bytes) -> bytes:
    """A good wheel with other bytes in it; both are of one length."""
    data = zipped({**CODE, **about(), f"{ABOUT}/RECORD": recorded(CODE | about())}, 0)
    assert old in data
    assert len(old) == len(new)
    return data.replace(old, new)


LONG = recorded(ONE) + b'"' + b"x" * 200_000 + b'",sha256=,1\n'
BAD: dict[str, tuple[bytes, str]] = {
    "nothing": (b"", "zip archive"),
    "text": (b"<html>Sign in</html>", "zip archive"),
    "half a wheel": (good()[: len(good()) // 2], "zip archive"),
    "an empty archive": (zipped({}), "RECORD"),
    "no RECORD": (zipped(ONE), "RECORD"),
    "two packages": (made({**ONE, "numpy-1.0.dist-info/RECORD": b""}), "it describes"),
    "RECORD without a file": (made(ONE, recorded({**about()})), "does not vouch"),
    "RECORD with a missing file": (made(ONE, recorded({**ONE, "gone.py": b""})), "not there"),
    "RECORD with another hash": (
        made(ONE, recorded({**ONE, "regression_model/__init__.py": b"other"})),
        "does not vouch",
    ),
    "RECORD with md5": (made(ONE, recorded(ONE).replace(b"sha256=", b"md5=")), "does not vouch"),
    "RECORD of noise": (made(ONE, b"\xff\xfe\x00,\n,,,,\n"), "cannot be read"),
    "RECORD with an endless field": (made(ONE, LONG), "RECORD cannot be read"),
    "RECORD with another size": (
        made(ONE, recorded(ONE).replace(b",300\n", b",299\n")),
        "another size",
    ),
    "RECORD with a file twice": (made(ONE, recorded(ONE) + recorded(CODE)), "a file twice"),
    "RECORD with a row of two": (made(ONE, recorded(ONE) + b"x.py,\n"), "has a row"),
    "start-up hook": (made({**ONE, "regression_model/x.pth": b"import os"}), "start of Python"),
    "start-up hook at the top": (made({**ONE, "evil.pth": b"import os"}), "start of Python"),
    "foreign folder": (made({**ONE, "numpy/__init__.py": b""}), "does not belong"),
    "foreign module": (made({**ONE, "sitecustomize.py": b""}), "does not belong"),
    "foreign dist-info": (made({**ONE, "numpy-1.0.dist-info/METADATA": b""}), "it describes"),
    "scripts": (made({**ONE, f"{ABOUT[:-10]}.data/scripts/pip": b""}), "outside the package"),
    "purelib": (made({**ONE, f"{ABOUT[:-10]}.data/purelib/numpy.py": b""}), "outside the package"),
    "a file for the environment": (
        made({**ONE, f"{ABOUT[:-10]}.data/data/etc/x": b""}),
        "outside the package",
    ),
    "a module of its name": (made({**about(), "regression_model": b""}), "does not belong"),
    "a start-up hook in capitals": (made({**ONE, "regression_model/X.PTH": b""}), "start of"),
    "a wheel inside": (made({**ONE, "regression_model/x.whl": b"PK"}), "inside the archive"),
    "a zip inside": (made({**ONE, "regression_model/x.ZIP": b"PK"}), "inside the archive"),
    "climbs": (made({**ONE, "regression_model/../../x.py": b""}), "climbs out"),
    "absolute": (made({**ONE, "/etc/passwd": b""}), "climbs out"),
    "backslash": (made({**ONE, "regression_model\\..\\x.py": b""}), "no part of a path"),
    "a dot": (made({**ONE, ".": b""}), "no plain path"),
    "a name of nothing": (
        swapped(b"regression_model/__init__.py", b"\0" * 28),
        "no part of a path",
    ),
    "a name that ends early": (
        swapped(b"regression_model/__init__.py", b"regression_model/x.py\0.txt\0\0"),
        "no part of a path",
    ),
    "other case": (made({**ONE, "regression_model/__INIT__.py": b""}), "appears twice"),
    "twice": (with_twin(), "appears twice"),
    "bomb": (made({**ONE, "regression_model/zeros": b"\0" * 5_000_000}), "unpacks to"),
    "name that is not UTF-8": (
        swapped(b"regression_model/__init__.py", b"\xff\xfe" + b"x" * 26).replace(
            b"PK\x01\x02\x14\x03\x14\x00\x00\x00", b"PK\x01\x02\x14\x03\x14\x00\x00\x08"
        ),
        "zip archive",
    ),
    "broken member": (
        (data := made(ONE))[: (at := data.index(b"__init__.py") + 12)]
        + b"\xff" * 4
        + data[at + 4 :],
        "not what its header says",
    ),
    "changed member": (swapped(b"x = 1\nx = 1", b"x = 2\nx = 2"), "not what its header says"),
    "unknown compression": (
        data.replace(b"\x00\x00\x08\x00\x00\x00!\x00", b"\x00\x00\x63\x00\x00\x00!\x00"),
        "not every installer reads",
    ),
    "card that is not JSON": (
        made({**ONE, "regression_model/model_card.json": b"{"}),
        "model_card.json",
    ),
    "card without a version": (with_card(version=None), "model_card.json"),
    "card of another version": (with_card(version="9"), "its card speaks of"),
    "card of another package": (with_card(name="numpy"), "its card speaks of"),
    "card whose model is gone": (
        with_card(model={"file": "model.onnx", "sha256": "a" * 64}),
        "model.onnx is not the file",
    ),
    "card of what could not be computed": (
        with_card(metrics={"rmse": float("nan")}),
        "model_card.json: metrics.rmse",
    ),
    "card with a number in words": (
        with_card(data={"source": "x", "rows": "many", "sha256": "a" * 64}),
        "model_card.json: data.rows",
    ),
    "card of a row that is no JSON": (
        with_card(known_answers=[{"input": {"x": float("nan")}, "output": 1, "tolerance": 0}]),
        "model_card.json: known_answers.0.input",
    ),
    "card that is a list": (
        made({**ONE, "regression_model/model_card.json": b"[]"}),
        "model_card.json: the whole",
    ),
    "card without an end": (with_card(notes="x" * 300_000), "larger than 256 KiB"),
    "card without a bottom": (
        made({**ONE, "regression_model/model_card.json": b"[" * 50_000}),
        "nested deeper than 16",
    ),
    "no METADATA": (made({k: v for k, v in ONE.items() if "METADATA" not in k}), "no METADATA"),
    "no WHEEL": (made({k: v for k, v in ONE.items() if "WHEEL" not in k}), "no WHEEL"),
    "METADATA of another package": (made({**CODE, **about(name="numpy")}), "speaks of numpy"),
    "METADATA of a version without end": (
        made({**CODE, **about(version="9" * 5000)}),
        "has no version",
    ),
    "METADATA of another version": (made({**CODE, **about(version="9.9.9")}), "speaks of"),
    "METADATA of two names": (with_about("METADATA", b"Name: numpy\n"), "tells Name 2 times"),
    "METADATA of no Python": (
        with_about("METADATA", b"Requires-Python: any\n"),
        "its Requires-Python is 'any'",
    ),
    "METADATA that needs an address": (
        with_about("METADATA", b"Requires-Dist: numpy @ https://evil.test/numpy.whl\n"),
        "needs numpy from an address",
    ),
    "METADATA that needs noise": (
        with_about("METADATA", b"Requires-Dist: ???\n"),
        "which cannot be read",
    ),
    "WHEEL of other tags": (with_about("WHEEL", b"Tag: cp27-none-win32\n"), "other tags"),
    "WHEEL of another build": (with_about("WHEEL", b"Build: 7\n"), "another build"),
    "WHEEL of the future": (
        made({**ONE, f"{ABOUT}/WHEEL": b"Wheel-Version: 2.0\nTag: py3-none-any\n"}),
        "Wheel-Version 2.0",
    ),
    "entry points of noise": (made({**ONE, f"{ABOUT}/entry_points.txt": b"x\n"}), "entry_points"),
    "dist-info of another version": (
        zipped(
            {
                name.replace("0.1.1", "9.9.9"): data.replace(b"0.1.1.dist", b"9.9.9.dist")
                for name, data in {**ONE, f"{ABOUT}/RECORD": recorded(ONE)}.items()
            }
        ),
        "speaks of regression-model 0.1.1",
    ),
    "RECORD hidden in the package": (
        zipped({**CODE, "regression_model/x.dist-info/RECORD": recorded(CODE)}),
        "no RECORD",
    ),
}
