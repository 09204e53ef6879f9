"""What a build gets: a gzipped tarball of a Python app, checked as Heroku's buildpack checks it.

See https://devcenter.heroku.com/articles/python-support and …/procfile.
"""

import hashlib
import io
import re
import tarfile
import zlib
from pathlib import Path

import httpx
from starlette.types import ASGIApp

from bridge.rehearsal.heroku.problem import Problem
from bridge.rehearsal.heroku.records import SourceBlob

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


async def fetch(app: ASGIApp, home: str, source: SourceBlob) -> bytes:
    """The tarball that a build is made of, out of one of the slots of `app`, which is at `home`."""
    if not source.url.startswith(f"{home}/"):
        raise Problem(422, "invalid_params", "The rehearsal fetches from its own slots only.")
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app)) as client:
        try:
            answer = (await client.get(source.url)).raise_for_status()
        except httpx.HTTPError as error:
            raise Problem(422, "invalid_params", "Could not fetch the source.") from error
    found = f"SHA256:{hashlib.sha256(answer.content).hexdigest()}"
    if source.checksum and source.checksum.lower() != found.lower():
        raise Problem(422, "invalid_params", "The checksum of the source does not match.")
    return answer.content
