"""The app's folder out of a repository's tarball, as a tarball of its own. Pure.

The same commit gives the same bytes: names are sorted, times and owners are dropped.
"""

import gzip
import io
import tarfile
import zlib
from pathlib import PurePosixPath

from bridge.errors import Refused, Unavailable
from bridge.sentences import say


def pack(tarball: bytes, app_root: str) -> bytes:
    """`app_root` of the one folder in `tarball` (gzip), with its content at the top (gzip).

    Raises Refused(`no_app_root`) when there is no such folder, Unavailable for a torn tarball.
    """
    try:
        return _pack(tarball, PurePosixPath(app_root))
    except (tarfile.TarError, EOFError, OSError, zlib.error) as error:
        raise Unavailable("GitHub sent a tree that cannot be unpacked") from error


def _pack(tarball: bytes, root: PurePosixPath) -> bytes:
    packed = io.BytesIO()
    with (
        tarfile.open(fileobj=io.BytesIO(tarball), mode="r:gz") as source,
        gzip.GzipFile(fileobj=packed, mode="wb", mtime=0, filename="") as zipped,
        tarfile.open(fileobj=zipped, mode="w", format=tarfile.PAX_FORMAT) as target,
    ):
        found = False
        for member in sorted(source.getmembers(), key=lambda member: member.name):
            path = PurePosixPath(*PurePosixPath(member.name).parts[1:])
            if not (member.isfile() or member.issym()) or not path.is_relative_to(root):
                continue
            entry = tarfile.TarInfo(str(path.relative_to(root)))
            entry.mode = 0o755 if member.mode & 0o100 else 0o644
            if member.issym():
                entry.type, entry.linkname = tarfile.SYMTYPE, member.linkname
            entry.size = member.size
            target.addfile(entry, source.extractfile(member) if member.isfile() else None)
            found = True
    if not found:
        raise Refused(say("no_app_root", path=root))
    return packed.getvalue()
