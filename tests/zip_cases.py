"""Archives that say one thing at their end and another at their beginning, and the like."""

import io
import stat
import struct
import warnings
import zipfile
from collections.abc import Callable

from tests.wheel_cases import ABOUT, ONE, made, recorded, zipped

INIT = "regression_model/__init__.py"
WHOLE = {**ONE, f"{ABOUT}/RECORD": recorded(ONE)}
GOOD = zipped(WHOLE, zipfile.ZIP_STORED)
END = GOOD.rindex(b"PK\x05\x06")
DIRECTORY = struct.unpack_from("<L", GOOD, END + 16)[0]


def entry(name: str, change: Callable[[zipfile.ZipInfo], None], data: bytes = b"x") -> bytes:
    """A wheel with one more member, which `change` makes odd."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")
        for path, content in {**WHOLE}.items():
            archive.writestr(zipfile.ZipInfo(path), content)
        member = zipfile.ZipInfo(name)
        change(member)
        archive.writestr(member, data)
    return packed.getvalue()


def mode(kind: int) -> Callable[[zipfile.ZipInfo], None]:
    def change(member: zipfile.ZipInfo) -> None:
        member.external_attr = (kind | 0o644) << 16

    return change


def nothing(member: zipfile.ZipInfo) -> None:
    """A member as it is."""


def poked(at: int, new: bytes, data: bytes = GOOD) -> bytes:
    """Other bytes at one place."""
    return data[:at] + new + data[at + len(new) :]


def moved(gap: bytes) -> bytes:
    """Bytes that belong to nothing, before the directory; the end knows of them."""
    end = bytearray(GOOD[END:])
    struct.pack_into("<L", end, 16, DIRECTORY + len(gap))
    return GOOD[:DIRECTORY] + gap + GOOD[DIRECTORY:END] + bytes(end)


def commented() -> bytes:
    packed = io.BytesIO(GOOD)
    with zipfile.ZipFile(packed, "a") as archive:
        archive.comment = b"PK"
    return packed.getvalue()


def both(offset_here: int, offset_there: int, new: bytes) -> bytes:
    """Other bytes in the first member's own header and in its line of the directory."""
    return poked(DIRECTORY + offset_there, new, poked(offset_here, new))


def zip64_end() -> bytes:
    """The end is written twice, the second time as archives above 4 GiB have it."""
    size = END - DIRECTORY
    large = struct.pack("<4sQ2H2L4Q", b"PK\x06\x06", 44, 45, 45, 0, 0, 5, 5, size, DIRECTORY)
    where = struct.pack("<4sLQL", b"PK\x06\x07", 0, END, 1)
    return GOOD[:END] + large + where + GOOD[END:]


def streamed() -> bytes:
    """A wheel whose writer could not go back: checksum and sizes follow each member."""
    packed = io.BytesIO()
    with zipfile.ZipFile(Stream(packed), "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in {"regression_model/": b"", **WHOLE}.items():
            archive.writestr(zipfile.ZipInfo(name), content, zipfile.ZIP_DEFLATED)
    return packed.getvalue()


class Stream(io.RawIOBase):
    """A file that cannot go back."""

    def __init__(self, into: io.BytesIO) -> None:
        self.into = into

    def write(self, data: bytes) -> int:  # type: ignore[override]
        return self.into.write(data)


def unspoken() -> bytes:
    """A member whose sizes are to be found in an extra field that is another one."""

    def change(member: zipfile.ZipInfo) -> None:
        member.extra = struct.pack("<HH16s", 0x9999, 16, b"")

    data = entry("regression_model/x.py", change)
    return poked(data.rindex(b"PK\x03\x04") + 18, b"\xff" * 8, data)


SECOND = GOOD.index(b"PK\x01\x02", DIRECTORY + 4)
BAD_ZIPS: dict[str, tuple[bytes, str]] = {
    "bytes before it": (b"#!/bin/sh\n" + GOOD, "its directory is not where its end says"),
    "bytes after it": (GOOD + b"\n", "something follows its end"),
    "a comment": (commented(), "something follows its end"),
    "a second archive after it": (GOOD + zipped({"a": b""}), "its directory is not where"),
    "bytes between": (moved(b"hidden"), "bytes before its directory"),
    "two members in one place": (poked(SECOND + 42, b"\0\0\0\0"), "that belong to nothing"),
    "another checksum after it": (
        poked((late := streamed()).index(b"PK\x07\x08") + 4, b"\1\2\3\4", late),
        "by its own descriptor",
    ),
    "sizes that nobody finds": (unspoken(), "does not say how long"),
    "a hidden member": (
        moved(zipped({"regression_model/evil.py": b"x"}, 0)[:60]),
        "bytes before its directory",
    ),
    "another name in its own header": (poked(30, b"regression_modeX"), "by its own header"),
    "another size in its own header": (poked(22, b"\1\0\0\0"), "by its own header"),
    "another checksum in its own header": (poked(14, b"\0\0\0\0"), "by its own header"),
    "another way of packing in its own header": (poked(8, b"\x08\0"), "by its own header"),
    "encrypted": (both(6, 8, b"\1\0"), "encrypted"),
    "strongly encrypted": (both(6, 8, b"\x40\0"), "encrypted"),
    "patched data": (both(6, 8, b"\x20\0"), "encrypted"),
    "a checksum that is wrong in both": (both(14, 16, b"\0\0\0\0"), "not what its header says"),
    "noise for a member": (
        poked(30 + len(INIT), b"\xff" * 8, zipped(WHOLE)),
        "a member cannot be read",
    ),
    "larger than it says": (
        poked(DIRECTORY + 24, b"\5\0\0\0", poked(22, b"\5\0\0\0")),
        "not what its header says",
    ),
    "as if above 4 GiB": (zip64_end(), "larger than 4 GiB"),
    "a symbolic link": (entry("regression_model/link", mode(stat.S_IFLNK)), "is a link"),
    "a device": (entry("regression_model/tty", mode(stat.S_IFCHR)), "neither a file nor a folder"),
    "a pipe": (entry("regression_model/pipe", mode(stat.S_IFIFO)), "neither a file nor a folder"),
    "a folder with bytes": (entry("regression_model/x/", nothing), "a folder that holds bytes"),
    "a drive": (made({**ONE, "C:/x.py": b""}), "no part of a path"),
    "a stream of Windows": (made({**ONE, f"{INIT}:x": b""}), "no part of a path"),
    "a line break": (made({**ONE, "regression_model/a\nb.py": b""}), "no part of a path"),
    "a double slash": (made({**ONE, "regression_model//x.py": b""}), "no plain path"),
    "a dot in the path": (made({**ONE, "regression_model/./x.py": b""}), "no plain path"),
    "a file that is a folder": (made({**ONE, f"{INIT}/x.py": b""}), "a file and a folder"),
    "one accent, two spellings": (
        made({**ONE, "regression_model/é": b"", "regression_model/e\u0301": b""}),
        "appears twice",
    ),
    "bzip2": (zipped(WHOLE, zipfile.ZIP_BZIP2), "not every installer reads"),
    "lzma": (zipped(WHOLE, zipfile.ZIP_LZMA), "not every installer reads"),
    "too many files": (
        zipped({f"regression_model/{number}": b"" for number in range(20_001)}, 0),
        "holds 20001 files",
    ),
}
