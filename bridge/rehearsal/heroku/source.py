"""What a build gets: a gzipped tarball of a Python app, checked as Heroku's buildpack checks it.

See https://devcenter.heroku.com/articles/python-support and …/procfile.
"""

import io
import re
import tarfile
import zlib
from pathlib import Path

INSTALLED_FROM = ("requirements.txt", "Pipfile.lock", "poetry.lock", "uv.lock")
PROCESS = re.compile(r"^([A-Za-z0-9_-]+):\s*(\S.*)$", re.MULTILINE)


class SourceRejected(Exception):
    """Not an app that can be built; the message is the line of the build's output."""


def unpack(source: bytes, folder: Path) -> Path:
    """The app's root below `folder`; one directory around everything is left out, as Heroku does.

    Raises SourceRejected where the tarball is damaged or has a member that leaves the folder.
    """
    try:
        with tarfile.open(fileobj=io.BytesIO(source), mode="r:gz") as tarball:
            tarball.extractall(folder, filter="data")
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise SourceRejected(f"The source is not a sound gzipped tarball: {error}") from error
    inside = list(folder.iterdir())
    return inside[0] if len(inside) == 1 and inside[0].is_dir() else folder


def check(root: Path) -> None:
    """Raise SourceRejected unless `root` has one requirements.txt and a Procfile."""
    found = [name for name in INSTALLED_FROM if (root / name).is_file()]
    if len(found) > 1:
        raise SourceRejected(f"Multiple Python package manager files were found: {found}")
    if found != ["requirements.txt"]:
        raise SourceRejected("There is no requirements.txt at the root of the source.")
    if not (root / "Procfile").is_file():
        raise SourceRejected("There is no Procfile at the root of the source.")


def process_types(root: Path) -> dict[str, str]:
    """The Procfile: process type → command."""
    return dict(PROCESS.findall((root / "Procfile").read_text()))


def wanted_python(root: Path) -> str | None:
    """What .python-version asks for, if it is there."""
    file = root / ".python-version"
    return file.read_text().strip() if file.is_file() else None
