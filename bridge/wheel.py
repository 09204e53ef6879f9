"""Look inside a wheel without installing it. Pure.

Refuses what an installer may read differently from us: files that RECORD does not vouch for, names
that appear twice or climb out, start-up hooks (`.pth`), foreign top-level names, bombs.
Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import csv
import hashlib
import io
import lzma
import zipfile
import zlib
from dataclasses import dataclass
from email.parser import BytesHeaderParser
from pathlib import PurePosixPath

from packaging.utils import (
    canonicalize_name,
    parse_wheel_filename,
)
from packaging.version import Version
from pydantic import ValidationError

from bridge.errors import Refused
from bridge.model_card import ModelCard
from bridge.sentences import say

UNPACKED_CAP = 1 << 30
RATIO_CAP = 200
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")


@dataclass(frozen=True)
class Contents:
    """What a good wheel holds: its size and unpacked size in bytes, its card if it has one, and the
    digest (`sha256:`+hex) of the model file that the card names."""

    size: int
    unpacked: int
    card: ModelCard | None
    model_digest: str | None


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def inspect(data: bytes, file: str, package: str, version: str) -> Contents:
    """Read the wheel `file` of `package` at `version`; raises Refused(`bad_wheel`)."""

    def bad(why: str) -> Refused:
        return Refused(say("bad_wheel", file=file, why=why))

    try:
        name, named_version, _, _ = parse_wheel_filename(file)
    except ValueError as error:
        raise bad(str(error)) from error
    if name != canonicalize_name(package) or named_version != Version(version):
        raise bad(f"its name says {name} {named_version}")
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except UNREADABLE as error:
        raise bad("it is not a zip archive") from error
    with archive:
        entries = [entry for entry in archive.infolist() if not entry.filename.endswith("/")]
        unpacked = sum(entry.file_size for entry in entries)
        if unpacked > UNPACKED_CAP or unpacked > RATIO_CAP * max(len(data), 1):
            raise bad(f"it unpacks to {unpacked} bytes")
        if problem := _bad_names([entry.filename for entry in entries], package):
            raise bad(problem)
        try:
            files = {entry.filename: _unpacked(archive, entry) for entry in entries}
        except UNREADABLE as error:
            raise bad("a member cannot be read") from error
    if problem := _bad_record(files) or _bad_metadata(files, name, named_version):
        raise bad(problem)
    try:
        card, model_digest = _card(files, import_name(package))
    except ValidationError as error:
        raise bad(f"model_card.json: {error.errors()[0]['msg']}") from error
    if card and (canonicalize_name(card.name), card.version) != (name, version):
        raise bad(f"its card speaks of {card.name} {card.version}")
    if card and card.model and model_digest != f"sha256:{card.model.sha256}":
        raise bad(f"{card.model.file} is not the file that its card names")
    return Contents(len(data), unpacked, card, model_digest)


def import_name(package: str) -> str:
    """The one top-level folder that a wheel of `package` may bring."""
    return canonicalize_name(package).replace("-", "_")


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo) -> bytes:
    """A member, as long as it says it is: asked for all of it, zipfile unpacks first what there is
    and looks at the size afterwards."""
    with archive.open(entry) as member:
        return member.read(max(entry.file_size, 1))


def _bad_names(names: list[str], package: str) -> str | None:
    stem = import_name(package)
    seen: set[str] = set()
    for name in names:
        path = PurePosixPath(name)
        if not path.parts:
            return f"{name!r} is no name"
        if name.startswith("/") or "\\" in name or ".." in path.parts or "\0" in name:
            return f"{name!r} climbs out of its folder"
        if name.lower() in seen:
            return f"{name!r} appears twice"
        if path.suffix == ".pth":
            return f"{name!r} would run code at every start of Python"
        top = path.parts[0]
        if top != stem and not (top.startswith(f"{stem}-") and top.endswith(".dist-info")):
            return f"{name!r} does not belong to {package}"
        seen.add(name.lower())
    return None


def _bad_record(files: dict[str, bytes]) -> str | None:
    records = [name for name in files if name.endswith(".dist-info/RECORD")]
    if len(records) != 1:
        return "it has no RECORD, or more than one"
    try:
        rows = list(csv.reader(files[records[0]].decode().splitlines()))
    except (csv.Error, UnicodeDecodeError):
        return "its RECORD cannot be read"
    vouched = {row[0]: row[1] for row in rows if len(row) >= 2}
    folder = records[0].removesuffix("RECORD")
    unsigned = {folder + name for name in SIGNATURES}
    for name, content in files.items():
        if name in unsigned:
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        if vouched.get(name) != f"sha256={digest}":
            return f"RECORD does not vouch for {name!r}"
    missing = vouched.keys() - files.keys()
    return f"RECORD names {min(missing)!r}, which is not there" if missing else None


def _bad_metadata(files: dict[str, bytes], name: str, version: Version) -> str | None:
    """An installer believes METADATA and the folder's name, not the file's name."""
    folder = next(path for path in files if path.endswith(".dist-info/RECORD")).partition("/")[0]
    stem, _, told = folder.removesuffix(".dist-info").rpartition("-")
    metadata, wheel = files.get(f"{folder}/METADATA"), files.get(f"{folder}/WHEEL")
    if metadata is None or wheel is None:
        return "it has no METADATA or no WHEEL"
    headers = BytesHeaderParser().parsebytes(metadata)
    names = {canonicalize_name(stem), canonicalize_name(str(headers["Name"]))}
    try:
        versions = {Version(told), Version(str(headers["Version"]))}
    except ValueError:
        return "its METADATA has no version"
    if names != {name} or versions != {version}:
        return f"its METADATA speaks of {headers['Name']} {headers['Version']}"
    return None


def _card(files: dict[str, bytes], folder: str) -> tuple[ModelCard | None, str | None]:
    raw = files.get(f"{folder}/model_card.json")
    if raw is None:
        return None, None
    card = ModelCard.model_validate_json(raw)
    model = files.get(f"{folder}/{card.model.file}") if card.model else None
    return card, digest_of(model) if model is not None else None
