"""Look inside a wheel without installing it. Pure.

Refuses what an installer may read differently from us: files that RECORD does not vouch for, names
that do not agree, start-up hooks (`.pth`), files for other folders than the package's own.
Source: https://packaging.python.org/en/latest/specifications/binary-distribution-format/
"""

import base64
import configparser
import csv
import hashlib
from dataclasses import dataclass
from email.message import Message
from email.parser import BytesHeaderParser
from pathlib import PurePosixPath

from packaging.requirements import InvalidRequirement, Requirement
from packaging.specifiers import InvalidSpecifier, SpecifierSet
from packaging.tags import parse_tag
from packaging.utils import canonicalize_name, parse_wheel_filename
from packaging.version import Version

from bridge.archive import Odd, unpack
from bridge.errors import Refused
from bridge.model_card import ModelCard, read_card
from bridge.sentences import say

SIGNATURES = ("RECORD", "RECORD.jws", "RECORD.p7s")
ARCHIVES = (".whl", ".zip", ".egg", ".pyz", ".tar", ".gz", ".tgz", ".bz2", ".xz")


@dataclass(frozen=True)
class Wheel:
    """A sound wheel of anything: its files by path, and the folder that describes it."""

    name: str
    version: Version
    files: dict[str, bytes]
    about: str


@dataclass(frozen=True)
class Contents:
    """What a good wheel holds: its size and unpacked size in bytes, its card if it has one, the
    digest (`sha256:`+hex) of the model file that the card names, and the commands it installs."""

    size: int
    unpacked: int
    card: ModelCard | None
    model_digest: str | None
    commands: tuple[str, ...] = ()


def digest_of(data: bytes) -> str:
    """`sha256:` and 64 hex digits."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def inspect(data: bytes, file: str, package: str, version: str) -> Contents:
    """Read the wheel `file` of `package` at `version`; raises Refused(`bad_wheel`), or
    Refused(`startup_hook`) where it would run code at every start of Python."""
    try:
        wheel = read(data, file)
        if wheel.name != canonicalize_name(package) or wheel.version != Version(version):
            raise Odd(f"its name says {wheel.name} {wheel.version}")
        for name in wheel.files:
            if PurePosixPath(name).suffix.lower() == ".pth":
                raise Refused(say("startup_hook", file=file, name=name))
            _must_be_ours(name, package)
        card, model_digest = _card(wheel, import_name(package))
        return Contents(
            len(data),
            sum(len(content) for content in wheel.files.values()),
            card,
            model_digest,
            _commands(wheel),
        )
    except Odd as odd:
        raise Refused(say("bad_wheel", file=file, why=odd)) from odd


def read(data: bytes, file: str) -> Wheel:
    """The wheel `file`, whatever it brings, if all that it says of itself agrees; raises Odd."""
    try:
        name, version, build, tags = parse_wheel_filename(file)
    except ValueError as error:
        raise Odd(str(error)) from error
    files = unpack(data)
    tops = {path.partition("/")[0] for path in files}
    described = sorted(top for top in tops if top.endswith(".dist-info"))
    if len(described) > 1:
        raise Odd(f"it describes {' and '.join(described)}")
    if not described or f"{described[0]}/RECORD" not in files:
        raise Odd("it has no RECORD")
    about = described[0]
    _must_be_recorded(files, about)
    if f"{about}/METADATA" not in files or f"{about}/WHEEL" not in files:
        raise Odd("it has no METADATA or no WHEEL")
    stem, _, told = about.removesuffix(".dist-info").rpartition("-")
    metadata = _headers(files[f"{about}/METADATA"])
    names = {canonicalize_name(stem), canonicalize_name(_one(metadata, "Name"))}
    try:
        versions = {Version(told), Version(_one(metadata, "Version"))}
    except ValueError as error:
        raise Odd("its METADATA has no version") from error
    if names != {name} or versions != {version}:
        raise Odd(f"its METADATA speaks of {metadata['Name']} {metadata['Version']}")
    _must_ask_for_packages(metadata)
    wheel = _headers(files[f"{about}/WHEEL"])
    said = {tag for word in wheel.get_all("Tag", []) for tag in parse_tag(str(word).strip())}
    if said != tags:
        raise Odd("its WHEEL tells other tags than its name")
    if str(wheel.get("Build", "")).strip() != "".join(str(part) for part in build):
        raise Odd("its WHEEL tells another build than its name")
    if not _one(wheel, "Wheel-Version").startswith("1."):
        raise Odd(f"it is written in Wheel-Version {wheel['Wheel-Version']}")
    return Wheel(name, version, files, about)


def import_name(package: str) -> str:
    """The one top-level folder that a wheel of `package` may bring."""
    return canonicalize_name(package).replace("-", "_")


def _must_be_ours(name: str, package: str) -> None:
    """Files of the package, in its own folder: nothing for other folders of the environment."""
    stem, top = import_name(package), name.partition("/")[0]
    if top.endswith(".data"):
        raise Odd(f"{name!r} would be put outside the package")
    if "/" not in name or (top != stem and not top.endswith(".dist-info")):
        raise Odd(f"{name!r} does not belong to {package}")
    if name.lower().endswith(ARCHIVES):
        raise Odd(f"{name!r} is an archive inside the archive")


def _must_be_recorded(files: dict[str, bytes], about: str) -> None:
    """RECORD vouches for each file but itself and its signatures, and for nothing else."""
    try:
        rows = list(csv.reader(files[f"{about}/RECORD"].decode().splitlines()))
    except (csv.Error, UnicodeDecodeError) as error:
        raise Odd("its RECORD cannot be read") from error
    if any(len(row) != 3 for row in rows if row):
        raise Odd("its RECORD has a row that is not path, hash and size")
    vouched = {row[0]: row[1:] for row in rows if row}
    if len(vouched) != sum(map(bool, rows)):
        raise Odd("its RECORD names a file twice")
    unsigned = {f"{about}/{name}" for name in SIGNATURES}
    for name, content in files.items():
        if name in unsigned:
            continue
        digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
        told, size = vouched.get(name, ["", ""])
        if told != f"sha256={digest}":
            raise Odd(f"RECORD does not vouch for {name!r}")
        if size not in ("", str(len(content))):
            raise Odd(f"RECORD tells another size of {name!r}")
    if missing := vouched.keys() - files.keys():
        raise Odd(f"RECORD names {min(missing)!r}, which is not there")


def _headers(text: bytes) -> Message:
    return BytesHeaderParser().parsebytes(text)


def _one(headers: Message, name: str) -> str:
    """A header that must be there once: of two, one installer takes the first, another the last."""
    told = headers.get_all(name, [])
    if len(told) != 1:
        raise Odd(f"it tells {name} {len(told)} times")
    return str(told[0]).strip()


def _must_ask_for_packages(metadata: Message) -> None:
    """What it needs are packages of an index, not addresses, and its Python can be read."""
    try:
        SpecifierSet(str(metadata.get("Requires-Python", "")))
    except InvalidSpecifier as error:
        raise Odd(f"its Requires-Python is {metadata['Requires-Python']!r}") from error
    for wanted in metadata.get_all("Requires-Dist", []):
        try:
            requirement = Requirement(str(wanted))
        except InvalidRequirement as error:
            raise Odd(f"it needs {str(wanted)!r}, which cannot be read") from error
        if requirement.url:
            raise Odd(f"it needs {requirement.name} from an address of its own")


def _commands(wheel: Wheel) -> tuple[str, ...]:
    """The commands that it puts beside `python` and `uvicorn`, perhaps under their names."""
    parser = configparser.ConfigParser(delimiters=("=",), interpolation=None, strict=True)
    parser.optionxform = str  # type: ignore[assignment,method-assign]
    try:
        parser.read_string(wheel.files.get(f"{wheel.about}/entry_points.txt", b"").decode())
    except (configparser.Error, UnicodeDecodeError) as error:
        raise Odd("its entry_points.txt cannot be read") from error
    return tuple(
        name
        for group in ("console_scripts", "gui_scripts")
        if parser.has_section(group)
        for name in parser.options(group)
    )


def _card(wheel: Wheel, folder: str) -> tuple[ModelCard | None, str | None]:
    raw = wheel.files.get(f"{folder}/model_card.json")
    if raw is None:
        return None, None
    try:
        card = read_card(raw)
    except ValueError as error:
        raise Odd(f"model_card.json: {error}") from error
    if (canonicalize_name(card.name), card.version) != (wheel.name, str(wheel.version)):
        raise Odd(f"its card speaks of {card.name} {card.version}")
    model = wheel.files.get(f"{folder}/{card.model.file}") if card.model else None
    digest = digest_of(model) if model is not None else None
    if card.model and digest != f"sha256:{card.model.sha256}":
        raise Odd(f"{card.model.file} is not the file that its card names")
    return card, digest
