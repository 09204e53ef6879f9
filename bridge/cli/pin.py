"""`bridge bump`: what a pull request does, on the files of this machine."""

import difflib
import io
import os
import posixpath
import re
import shutil
import sys
from pathlib import Path
from typing import Annotated

import typer

from bridge.cli import screen
from bridge.cli.common import RUN, command
from bridge.errors import Reason, Refused
from bridge.sentences import say

DIGEST = re.compile(r"sha256:[0-9a-f]{64}")


@command(
    RUN,
    "bridge bump requirements.txt regression-model 0.1.1 --dry-run",
    "bridge bump requirements.txt regression-model 0.1.1 --hash sha256:" + "0123456789abcdef" * 4,
)
def bump(
    file: Annotated[
        Path, typer.Argument(metavar="FILE", help="The file that is deployed.", exists=True)
    ],
    package: Annotated[str, typer.Argument(metavar="PACKAGE", help="The package whose pin moves.")],
    version: Annotated[
        str, typer.Argument(metavar="VERSION", help="The version that it moves to.")
    ],
    digests: Annotated[
        list[str] | None,
        typer.Option("--hash", metavar="DIGEST", help="sha256:… of the new file; repeatable."),
    ] = None,
    also: Annotated[
        list[Path] | None,
        typer.Option(metavar="FILE", help="A file beside it; repeatable.", exists=True),
    ] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Print the diff, write nothing.")] = (
        False
    ),
) -> None:
    """Move the pin of a package, version and hashes, also in what FILE takes by -r or -c."""
    from bridge import pins

    _must_be(version, digests or [])
    main = posixpath.normpath(file.as_posix())
    files = _read([main, *(posixpath.normpath(path.as_posix()) for path in also or [])])
    bumped = pins.bump_in(files, main, package, version, digests or [])
    where = {"path": bumped.after.path, "line": bumped.after.number}
    names = {"package": package, "version": version}
    if digests and not bumped.after.hashes:
        raise Refused(say("pin_without_hash", package=package, **where))
    if not bumped.files:
        return _tell(say("bumped_already", **where, **names))
    if dry_run:
        return _show(files, bumped.files)
    _write(bumped.files)
    for path in bumped.files:
        old = pins.find(files[path], package, path)
        _tell(say("bumped", path=path, line=old.number, old=old.version, **names))
    return None


def _tell(reason: Reason) -> None:
    screen.tell(reason.sentence)


def _must_be(version: str, digests: list[str]) -> None:
    from packaging.version import InvalidVersion, Version

    try:
        Version(version)
    except InvalidVersion as error:
        raise typer.BadParameter(f"{version} is not a version") from error
    for digest in digests:
        if not DIGEST.fullmatch(digest):
            raise typer.BadParameter(f"{digest} is not sha256: and 64 digits of hex")


def _read(wanted: list[str]) -> dict[str, str]:
    """These files, and all that they take and that are there."""
    from bridge import pins

    files: dict[str, str] = {}
    while wanted:
        path = wanted.pop(0)
        if path in files or not Path(path).is_file():
            continue
        try:
            files[path] = Path(path).read_bytes().decode()
        except UnicodeDecodeError as error:
            raise Refused(say("not_text", path=path)) from error
        wanted += pins.taken(files[path], path)
    return files


def _show(before: dict[str, str], after: dict[str, str]) -> None:
    for path, text in after.items():
        old, new = (list(io.StringIO(it, newline="\n")) for it in (before[path], text))
        for line in difflib.unified_diff(old, new, f"a/{path}", f"b/{path}"):
            whole = line.endswith("\n")
            sys.stdout.write(line if whole else f"{line}\n\\ No newline at end of file\n")


def _write(files: dict[str, str]) -> None:
    """Each file is the old one or the new one, whole, at every moment."""
    ready = []
    for path, text in files.items():
        place = Path(path).resolve()
        beside = place.with_name(f".{place.name}.bump")
        beside.write_bytes(text.encode())
        shutil.copymode(place, beside)
        ready.append((beside, place))
    for beside, place in ready:
        os.replace(beside, place)
