"""Small indexes for uv: tiny wheels, listed in JSON with their sizes, for who has the token."""

import asyncio
import base64
import contextlib
import hashlib
import io
import tarfile
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pydantic import SecretStr
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from bridge.rehearsal.gemfury.page import JSON_TYPE
from bridge.uv.client import Resolver
from tests.rehearsal_kit import served, wheel

TOKEN = "made-up-read-token-0000"
PYTHON = "3.13"


def small(
    name: str, version: str, *needs: str, python: str = "", tag: str = "py3-none-any"
) -> tuple[str, bytes]:
    """A wheel with nothing in it but what it needs: its file name and its bytes."""
    told = [*(f"Requires-Dist: {need}" for need in needs)]
    told += [f"Requires-Python: {python}"] if python else []
    file, data = wheel(name, version, {}, told)
    return file.replace("py3-none-any", tag), data


def source(name: str, version: str, setup: str) -> tuple[str, bytes]:
    """A source distribution whose `setup.py` is `setup`."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        member = tarfile.TarInfo(f"{name}-{version}/setup.py")
        member.size = len(setup)
        archive.addfile(member, io.BytesIO(setup.encode()))
    return f"{name}-{version}.tar.gz", packed.getvalue()


@dataclass
class SmallIndex:
    """A simple index. `status` is what it answers instead, `asked` which pages were asked for,
    `sizes` what it claims; it says nothing before it `goes_on`."""

    files: dict[str, bytes] = field(default_factory=dict)
    token: str | None = None
    status: int = 200
    goes_on: asyncio.Event = field(default_factory=asyncio.Event)
    asked: list[str] = field(default_factory=list)
    sizes: dict[str, int] = field(default_factory=dict)

    @property
    def app(self) -> Starlette:
        return Starlette(routes=[Route("/{name}/", self._page), Route("/files/{file}", self._file)])

    def add(self, *files: tuple[str, bytes]) -> None:
        self.files |= dict(files)

    def digest(self, file: str) -> str:
        return f"sha256:{hashlib.sha256(self.files[file]).hexdigest()}"

    def pinned(self, *pins: str) -> str:
        """A hashed requirements file; each of `pins` is `name==version`."""
        files = {
            pin: f"{pin.replace('-', '_').replace('==', '-')}-py3-none-any.whl" for pin in pins
        }
        return "".join(f"{pin} --hash={self.digest(file)}\n" for pin, file in files.items())

    async def _page(self, request: Request) -> Response:
        name = request.path_params["name"]
        self.asked.append(name)
        await self.goes_on.wait()
        if self.token and not self._knows(request):
            return Response("who are you?", 401)
        listed = [file for file in self.files if file.split("-")[0].replace("_", "-") == name]
        if self.status != 200 or not listed:
            return Response("no", self.status if self.status != 200 else 404)
        files = [self._listed(file) for file in listed]
        page = {"meta": {"api-version": "1.1"}, "name": name, "versions": [], "files": files}
        return JSONResponse(page, headers={"cache-control": "max-age=600"}, media_type=JSON_TYPE)

    async def _file(self, request: Request) -> Response:
        if self.token and not self._knows(request):
            return Response("who are you?", 401)
        return Response(self.files[request.path_params["file"]])

    def _knows(self, request: Request) -> bool:
        said = base64.b64encode(f"{self.token}:".encode()).decode()
        return request.headers.get("authorization") == f"Basic {said}"

    def _listed(self, file: str) -> dict[str, object]:
        data = self.files[file]
        size = self.sizes.get(file, len(data))
        hashes = {"sha256": hashlib.sha256(data).hexdigest()}
        return {"filename": file, "url": f"/files/{file}", "hashes": hashes, "size": size}


@dataclass
class Indexes:
    """A private and a public index on ports of their own, and who resolves against them."""

    folder: Path
    private: SmallIndex
    public: SmallIndex
    private_url: str
    public_url: str

    def resolver(
        self, *, token: str = TOKEN, within: float = 30, private_url: str = ""
    ) -> Resolver:
        return Resolver(
            private_url or self.private_url,
            SecretStr(token),
            self.public_url,
            environ=environment(self.folder),
            within=within,
        )

    def hashed(self, *pins: str) -> str:
        """A hashed requirements file of files of either index."""
        both = SmallIndex(files={**self.public.files, **self.private.files})
        return both.pinned(*pins)


def environment(folder: Path, **more: str) -> dict[str, str]:
    """A machine with an empty home and an empty cache, which does not try again for long."""
    return {"HOME": str(folder), "UV_CACHE_DIR": str(folder / "cache"), **more}


@contextlib.asynccontextmanager
async def indexes(
    folder: Path, private: Sequence[tuple[str, bytes]], public: Sequence[tuple[str, bytes]]
) -> AsyncIterator[Indexes]:
    """Both indexes, served until the block ends."""
    ours, theirs = SmallIndex(token=TOKEN), SmallIndex()
    ours.add(*private)
    theirs.add(*public)
    ours.goes_on.set()
    theirs.goes_on.set()
    async with served(ours.app) as one, served(theirs.app) as other:
        yield Indexes(
            folder, ours, theirs, f"http://127.0.0.1:{one}/", f"http://127.0.0.1:{other}/"
        )
