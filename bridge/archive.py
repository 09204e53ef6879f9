"""Read a zip archive in the one way in which everybody reads it, or not at all. Pure.

A zip has two tables of contents: a directory at its end, and a header before each member. pip reads
the first, others the second, and both may lie. Here they have to agree, and every byte belongs to
something, so that whoever unpacks it gets what we looked at.
Source: https://pkware.cachefly.net/webdocs/casestudies/APPNOTE.TXT
"""

import io
import re
import stat
import struct
import unicodedata
import zipfile
import zlib

UNPACKED_CAP = 1 << 30
RATIO_CAP = 200
COUNT_CAP = 20_000
END = struct.Struct("<4s4H2LH")
HEADER = struct.Struct("<4s5H3L2H")
DESCRIPTOR = b"PK\x07\x08"
IN_DESCRIPTOR, KNOWN_FLAGS = 0x0008, 0x0008 | 0x0006 | 0x0800
PACKED = (zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED)
UNSPOKEN = 0xFFFFFFFF
ODD = re.compile(r"[\x00-\x1f\x7f\\:]")
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    EOFError,
    OSError,
    NotImplementedError,
    RuntimeError,
    ValueError,
    struct.error,
)


class Odd(ValueError):
    """What is wrong with the archive, as the end of a sentence."""


def unpack(data: bytes) -> dict[str, bytes]:
    """Every file in the archive by its path, without folders; raises Odd."""
    try:
        archive = zipfile.ZipFile(io.BytesIO(data))
    except UNREADABLE as error:
        raise Odd("it is not a zip archive") from error
    with archive:
        members = archive.infolist()
        if len(members) > COUNT_CAP:
            raise Odd(f"it holds {len(members)} files")
        unpacked = sum(member.file_size for member in members)
        if unpacked > UNPACKED_CAP or unpacked > RATIO_CAP * max(len(data), 1):
            raise Odd(f"it unpacks to {unpacked} bytes")
        for member in members:
            _must_be_plain(member)
        files = [member for member in members if not member.is_dir()]
        _must_not_collide([member.orig_filename for member in files])
        try:
            begins = _must_be_one_reading(data, archive.start_dir, members)
            return {one.filename: _unpacked(data, begins[one.filename], one) for one in files}
        except Odd:
            raise
        except UNREADABLE as error:
            raise Odd("a member cannot be read") from error


def _must_be_plain(member: zipfile.ZipInfo) -> None:
    """A file or a folder with a plain relative path, and nothing else."""
    name, kind = member.orig_filename, stat.S_IFMT(member.external_attr >> 16)
    parts = name.removesuffix("/").split("/")
    if ODD.search(name):
        raise Odd(f"{name!r} holds a character that is no part of a path")
    if name.startswith("/") or ".." in parts:
        raise Odd(f"{name!r} climbs out of its folder")
    if "" in parts or "." in parts:
        raise Odd(f"{name!r} is no plain path")
    if kind == stat.S_IFLNK:
        raise Odd(f"{name!r} is a link to somewhere else")
    if kind not in (0, stat.S_IFDIR if member.is_dir() else stat.S_IFREG):
        raise Odd(f"{name!r} is neither a file nor a folder")
    if member.is_dir() and member.file_size:
        raise Odd(f"{name!r} is a folder that holds bytes")
    if member.compress_type not in PACKED:
        raise Odd(f"{name!r} is packed in a way that not every installer reads")
    if member.flag_bits & ~KNOWN_FLAGS:
        raise Odd(f"{name!r} is encrypted, or marked in a way that not everybody reads")


def _must_not_collide(names: list[str]) -> None:
    """Also where case or the spelling of an accent makes no difference."""
    folded: set[str] = set()
    for name in names:
        plain = unicodedata.normalize("NFC", name).casefold()
        if plain in folded:
            raise Odd(f"{name!r} appears twice")
        folded.add(plain)
    for name in folded:
        parents = name.split("/")[:-1]
        for depth in range(1, len(parents) + 1):
            if (parent := "/".join(parents[:depth])) in folded:
                raise Odd(f"{parent!r} is a file and a folder")


def _must_be_one_reading(
    data: bytes, directory: int, members: list[zipfile.ZipInfo]
) -> dict[str, int]:
    """Members, directory and end follow each other without a gap, and each member's own header
    says what the directory says. Where each member's bytes begin."""
    end = len(data) - END.size
    magic, _, _, _, count, size, start, comment = END.unpack_from(data, end)
    if magic != b"PK\x05\x06" or comment:
        raise Odd("something follows its end")
    if data[max(end - 20, 0) : end].startswith(b"PK\x06\x07"):
        raise Odd("it is written as if it were larger than 4 GiB")
    if (start, start + size, count) != (directory, end, len(members)):
        raise Odd("its directory is not where its end says")
    at, begins = 0, {}
    for member in sorted(members, key=lambda one: one.header_offset):
        if member.header_offset != at:
            raise Odd(f"there are bytes before {member.orig_filename!r} that belong to nothing")
        begins[member.filename], at = _place_of(data, member)
    if at != directory:
        raise Odd("there are bytes before its directory that belong to nothing")
    return begins


def _place_of(data: bytes, member: zipfile.ZipInfo) -> tuple[int, int]:
    """Where a member's bytes begin, and where what belongs to it ends, by its own header; raises
    Odd where that says otherwise."""
    magic, _, flags, method, _, _, crc, packed, size, name, extra = HEADER.unpack_from(
        data, member.header_offset
    )
    at = member.header_offset + HEADER.size
    begin = at + name + extra
    encoding = "utf-8" if flags & 0x0800 else "cp437"
    told = (member.CRC, member.compress_size, member.file_size)
    if UNSPOKEN in (packed, size):
        size, packed = _large(data[at + name : begin])
    if (
        magic != b"PK\x03\x04"
        or (flags, method) != (member.flag_bits, member.compress_type)
        or data[at : at + name].decode(encoding) != member.orig_filename
        or (crc, packed, size) not in (told, (0, 0, 0) if flags & IN_DESCRIPTOR else told)
    ):
        raise Odd(f"{member.orig_filename!r} is another member by its own header")
    at = begin + member.compress_size
    if not flags & IN_DESCRIPTOR:
        return begin, at
    at += len(DESCRIPTOR) if data[at : at + 4] == DESCRIPTOR else 0
    for shape in (struct.Struct("<LLL"), struct.Struct("<LQQ")):
        if shape.unpack_from(data, at) == told:
            return begin, at + shape.size
    raise Odd(f"{member.orig_filename!r} is another member by its own descriptor")


def _large(extra: bytes) -> tuple[int, int]:
    """Size and packed size, where they are written as if the member were larger than 4 GiB."""
    kind, length = struct.unpack_from("<HH", extra)
    if (kind, length) != (1, 16):
        raise Odd("a member does not say how long it is")
    size, packed = struct.unpack_from("<QQ", extra, 4)
    return size, packed


def _unpacked(data: bytes, begin: int, member: zipfile.ZipInfo) -> bytes:
    """All of a member, and no byte more than it says."""
    packed = data[begin : begin + member.compress_size]
    content, whole = packed, True
    if member.compress_type == zipfile.ZIP_DEFLATED:
        inflate = zlib.decompressobj(-zlib.MAX_WBITS)
        content = inflate.decompress(packed, member.file_size + 1)
        whole = inflate.eof and not inflate.unused_data
    if not whole or len(content) != member.file_size or zlib.crc32(content) != member.CRC:
        raise Odd(f"{member.filename!r} is not what its header says")
    return content
