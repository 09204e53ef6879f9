"""What the tests of the rehearsal's neighbours share: wheels, tarballs, a real server, a time."""

import asyncio
import base64
import contextlib
import hashlib
import io
import socket
import tarfile
import zipfile
from collections.abc import AsyncIterator, Mapping, Sequence

import uvicorn
from starlette.types import ASGIApp


def wheel(
    name: str, version: str, files: Mapping[str, bytes], metadata: Sequence[str] = ()
) -> tuple[str, bytes]:
    """A sound pure-Python wheel: its file name and its bytes. `metadata` is more of its lines."""
    about = f"{name}-{version}.dist-info"
    told = ["Metadata-Version: 2.1", f"Name: {name}", f"Version: {version}", *metadata, ""]
    content = {
        **files,
        f"{about}/METADATA": "\n".join(told).encode(),
        f"{about}/WHEEL": b"Wheel-Version: 1.0\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
    }
    record = "".join(f"{path},{_digest(data)},{len(data)}\n" for path, data in content.items())
    content[f"{about}/RECORD"] = f"{record}{about}/RECORD,,\n".encode()
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w") as archive:
        for path, data in content.items():
            archive.writestr(zipfile.ZipInfo(path), data)
    return f"{name}-{version}-py3-none-any.whl", packed.getvalue()


def tarball(files: Mapping[str, str]) -> bytes:
    """A gzipped tarball of text files."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w:gz") as archive:
        for path, text in files.items():
            member = tarfile.TarInfo(path)
            member.size = len(text.encode())
            archive.addfile(member, io.BytesIO(text.encode()))
    return packed.getvalue()


def sha256(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


class Skipping(asyncio.SelectorEventLoop):
    """An event loop whose time can be moved on."""

    skipped = 0.0

    def time(self) -> float:
        return super().time() + self.skipped


@contextlib.asynccontextmanager
async def served(app: ASGIApp) -> AsyncIterator[int]:
    """A real server for `app` on a free port of loopback; gives the port."""
    # It listens from the first moment, so that a caller who is early only waits.
    with socket.create_server(("127.0.0.1", 0)) as listening:
        server = uvicorn.Server(uvicorn.Config(app, lifespan="off", log_level="critical"))
        serving = asyncio.create_task(server.serve(sockets=[listening]))
        try:
            yield listening.getsockname()[1]
        finally:
            server.should_exit = True
            await serving


def _digest(data: bytes) -> str:
    return "sha256=" + base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
