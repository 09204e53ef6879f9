"""A private package index shaped like Gemfury: accounts, tokens, upload; behind it, pypiserver.

See https://gemfury.com/help/upload-packages. The pages and files are pypiserver's own. Gemfury
has no webhook, so this one sends none.
"""

import base64
import binascii
import hashlib
import os
from pathlib import Path

import httpx
import pypiserver
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
    parse_wheel_filename,
)
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.datastructures import UploadFile
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response

from bridge.rehearsal.gate import Gate
from bridge.rehearsal.gemfury.page import (
    JSON_TYPE,
    as_json,
    links,
    prefers_json,
    without,
    yanked,
)

DUPLICATE = "Version already exists"
PASSED_ON = ("content-type", "content-length", "last-modified")


class Gemfury(Gate):
    """One account of the index, which everybody may read where there is no read token.

    A file whose name is in `hidden` is not shown, uploaded or not; one in `yanked` is shown with
    the reason (which Gemfury itself has no way to say, and other indexes have).
    """

    def __init__(
        self,
        folder: Path,
        *,
        account: str,
        push_token: str,
        read_token: str | None,
        url: str = "http://index.test",
    ) -> None:
        super().__init__()
        folder.mkdir(parents=True, exist_ok=True)
        self.folder, self.account = folder.resolve(), account
        self.push_url, self.index_url = f"{url}/push/{account}/", f"{url}/{account}/"
        self.hidden: set[str] = set()
        self.yanked: dict[str, str] = {}
        self._push_token, self._read_token = push_token, read_token
        self._server = _pypiserver(self.folder, account, url)
        self.app = Starlette(
            routes=[
                self.route("POST", f"/push/{account}/", "push", self._push),
                self.route("GET", f"/{account}/packages/{{filename}}", "file", self._file),
                self.route("GET", f"/{account}/{{name}}/", "page", self._page),
            ]
        )

    def files(self) -> dict[str, str]:
        """Every file that was uploaded, hidden ones too: file name → sha256 in hex."""
        return {
            path.name: hashlib.sha256(path.read_bytes()).hexdigest()
            for path in sorted(self.folder.iterdir())
            if not path.name.startswith(".")
        }

    def replace(self, filename: str, data: bytes) -> None:
        """Somebody deletes a file and uploads other bytes under its name, which Gemfury allows."""
        if filename not in self.files():
            raise FileNotFoundError(filename)
        self._write(filename, data)

    async def _push(self, request: Request) -> Response:
        if not self._speaks_for(request, self._push_token, bearer=True):
            return _unauthorized()
        plain = "application/json" not in request.headers.get("accept", "")
        status, results, lines = 200, [], ["~~> Processing package upload"]
        async with request.form() as form:
            for file in (value for value in form.values() if isinstance(value, UploadFile)):
                answer, result = self._store(file.filename or "", await file.read())
                status = max(status, answer)
                results.append({"UploadResult": result})
                lines.append(f"{file.filename} … {result.get('error', 'ok')}")
        if not results:
            return JSONResponse(_upload_error("InvalidGemFile", "No file"), 400)
        if plain:
            return PlainTextResponse("\n".join(lines), status)
        return JSONResponse(results, status)

    def _store(self, filename: str, data: bytes) -> tuple[int, dict[str, object]]:
        if filename != Path(filename).name:
            return 400, _upload_error("InvalidGemFile", "Not a file name")
        try:
            if filename.endswith(".whl"):
                name, version = parse_wheel_filename(filename)[:2]
            else:
                name, version = parse_sdist_filename(filename)
        except (InvalidWheelFilename, InvalidSdistFilename) as error:
            return 400, _upload_error("InvalidGemFile", str(error))
        if (self.folder / filename).exists():
            return 409, _upload_error("DupeVersion", DUPLICATE)
        self._write(filename, data)
        return 200, {"name": name, "version": str(version), "filename": filename}

    def _write(self, filename: str, data: bytes) -> None:
        # pypiserver lists the folder while we write: it skips dot files, and a rename is whole.
        half = self.folder / f".{filename}"
        half.write_bytes(data)
        os.replace(half, self.folder / filename)

    async def _page(self, request: Request) -> Response:
        if not self._speaks_for(request, self._read_token):
            return _unauthorized()
        name = canonicalize_name(request.path_params["name"])
        answer = await run_in_threadpool(self._server.get, f"/simple/{name}/")
        page = yanked(without(answer.text, self.hidden), self.yanked)
        shown = links(page) if answer.status_code == 200 else []
        if not shown:
            return PlainTextResponse("Not Found", 404)
        if prefers_json(request.headers.get("accept", "")):
            return JSONResponse(as_json(name, shown), media_type=JSON_TYPE)
        return Response(page, media_type="text/html")

    async def _file(self, request: Request) -> Response:
        if not self._speaks_for(request, self._read_token):
            return _unauthorized()
        filename = request.path_params["filename"]
        if filename in self.hidden:
            return PlainTextResponse("Not Found", 404)
        # Whole files only: for a part of one, pypiserver leaves the file open.
        path = f"/packages/{filename}"
        answer = await run_in_threadpool(self._server.request, request.method, path)
        kept = {key: answer.headers[key] for key in PASSED_ON if key in answer.headers}
        return Response(answer.content, answer.status_code, kept)

    def _speaks_for(self, request: Request, token: str | None, *, bearer: bool = False) -> bool:
        if token is None:
            return True
        scheme, _, word = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return bearer and word == token
        if scheme.lower() != "basic":
            return False
        try:
            user, _, password = base64.b64decode(word, validate=True).decode().partition(":")
        except (binascii.Error, UnicodeDecodeError):
            return False
        # USER:TOKEN also proves that USER owns TOKEN: the right token of another user is refused.
        return user == token or (user == self.account and password == token)


def _pypiserver(folder: Path, account: str, url: str) -> httpx.Client:
    options = {
        "roots": [folder],
        "disable_fallback": True,
        "hash_algo": "sha256",
        "authenticate": [],
        "password_file": ".",
    }
    server = pypiserver.app(**options)
    # pypiserver writes links below the name it is mounted at: they are right for who sees us only.
    transport = httpx.WSGITransport(app=server, script_name=f"/{account}")
    return httpx.Client(transport=transport, base_url=url)


def _upload_error(kind: str, message: str) -> dict[str, object]:
    return {"errors": {"base": message}, "error": {"type": kind, "message": message}}


def _unauthorized() -> Response:
    body = {"error": {"type": "Unauthorized", "message": "Unauthorized"}}
    return JSONResponse(body, 401, {"WWW-Authenticate": 'Basic realm="index"'})
