"""What a loss of power leaves of a disk, told from the diary that `diary.c` keeps.

Of each file everything is there that was written before its last sync. Of what was written since,
any sector may be there or not, and some only in part; the size is anything between. A file that was
created or removed is so for certain after its folder was synced. What a sync that failed was to
write is as the disk has it then, for good: a kernel forgets such pages and calls them clean.
"""

import os
import random
import struct
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

RECORD = struct.Struct("<ciqi")
SOURCE = Path(__file__).with_name("diary.c")
SECTORS = (512, 4096)
LUCK = (0.0, 0.05, 0.5, 0.95, 1.0)
TORN = 0.05


@dataclass(frozen=True)
class Record:
    """One line of the diary."""

    what: str
    file: int
    offset: int
    data: bytes

    @property
    def name(self) -> str:
        """Of which file C, O and U speak."""
        return self.data.decode()


@dataclass
class File:
    """What is on the disk for certain, and what was written since: (offset, bytes), or a size."""

    there: bytearray = field(default_factory=bytearray)
    since: list[tuple[int, bytes | None]] = field(default_factory=list)

    def sync(self) -> None:
        """All of it is there."""
        self.there = left_of(self, random.Random(0), luck=1.0, sector=SECTORS[0])  # noqa: S311
        self.since = []


class Disk:
    """A folder's files as the diary tells of them, so far."""

    def __init__(self, found: Mapping[str, bytes]) -> None:
        self._found = found
        self._files: dict[int, File] = {}
        self._names: dict[str, int | None] = {}
        self._renamed: list[tuple[str, int | None]] = []

    def hear(self, record: Record, chance: random.Random) -> None:
        """Go on by one line."""
        match record.what:
            case "O":
                self._files[record.file] = File(bytearray(self._found[record.name]))
                self._names[record.name] = record.file
            case "C":
                self._files[record.file] = File()
                self._renamed.append((record.name, record.file))
            case "U":
                self._renamed.append((record.name, None))
            case "W":
                self._files[record.file].since.append((record.offset, record.data))
            case "T":
                self._files[record.file].since.append((record.offset, None))
            case "S":
                self._files[record.file].sync()
            case "F":
                file = self._files[record.file]
                file.there = left_of(file, chance, chance.choice(LUCK), chance.choice(SECTORS))
                file.since = []
            case "D":
                self._names.update(self._renamed)
                self._renamed = []
            case _:
                raise ValueError(f"no such record: {record}")

    def power_loss(self, chance: random.Random) -> dict[str, bytes]:
        """The files that are found when the power is back."""
        luck, sector = chance.choice(LUCK), chance.choice(SECTORS)
        done = self._renamed[: chance.randint(0, len(self._renamed))]
        names = self._names | dict(done)
        untouched = {name: data for name, data in self._found.items() if name not in self._names}
        return untouched | {
            name: bytes(left_of(self._files[file], chance, luck, sector))
            for name, file in names.items()
            if file is not None
        }


def left_of(file: File, chance: random.Random, luck: float, sector: int) -> bytearray:
    """What is on the disk of a file, if each sector written since its last sync had this `luck`."""
    left = bytearray(file.there)
    for offset, data in file.since:
        if data is None:
            if chance.random() < luck:
                left[offset:] = bytes(max(0, offset - len(left)))
            continue
        for begin, end in sectors(offset, len(data), sector):
            if chance.random() >= luck:
                continue
            if luck < 1 and chance.random() < TORN:
                end = chance.randint(begin, end)
            left.extend(bytes(max(0, end - len(left))))
            left[begin:end] = data[begin - offset : end - offset]
    return left


def sectors(offset: int, length: int, size: int) -> Iterator[tuple[int, int]]:
    """The pieces of a write that lie in one sector each."""
    begin, end = offset, offset + length
    while begin < end:
        border = min(end, (begin // size + 1) * size)
        yield begin, border
        begin = border


def read_diary(path: Path) -> list[Record]:
    """All lines; the last one may have been cut short by a kill."""
    told, at, records = path.read_bytes(), 0, []
    while at + RECORD.size <= len(told):
        what, file, offset, length = RECORD.unpack_from(told, at)
        at += RECORD.size + length
        if at > len(told):
            break
        records.append(Record(what.decode(), file, offset, told[at - length : at]))
    return records


def crashes(
    found: Mapping[str, bytes], diary: list[Record], cuts: Iterable[int], chance: random.Random
) -> Iterator[dict[str, bytes]]:
    """The disk after a loss of power before each of these lines of the diary."""
    disk, heard = Disk(found), 0
    for cut in sorted(cuts):
        for record in diary[heard:cut]:
            disk.hear(record, chance)
        heard = cut
        yield disk.power_loss(chance)


def compiled(folder: Path, compiler: str) -> Path:
    """The shared object that keeps a diary."""
    shim = folder / "diary.so"
    words = [compiler, "-O1", "-shared", "-fPIC", "-o", str(shim), str(SOURCE), "-ldl"]
    subprocess.run(words, check=True)
    return shim


def kept(shim: Path, folder: Path, diary: Path, fault: Path | None = None) -> dict[str, str]:
    """The environment of a process whose writes to `folder` are noted in `diary`."""
    told = {"LD_PRELOAD": str(shim), "DIARY_FOLDER": str(folder.resolve()), "DIARY": str(diary)}
    return {**os.environ, **told, **({"DIARY_FAULT": str(fault)} if fault else {})}


def put(files: Mapping[str, bytes], folder: Path) -> None:
    """Make these files the only ones in `folder`."""
    folder.mkdir(exist_ok=True)
    for old in folder.iterdir():
        old.unlink()
    for name, data in files.items():
        (folder / name).write_bytes(data)
