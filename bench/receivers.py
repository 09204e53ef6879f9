"""What `bench.ingest` compares the bridge with: `python -m bench.receivers NAME PORT FOLDER`."""

import asyncio
import hashlib
import hmac
import os
import sys
from collections.abc import Callable
from pathlib import Path

from starlette.types import ASGIApp, Receive, Scope, Send

SECRET = os.environ.get("SECRET", "").encode()


def floor(folder: Path) -> ASGIApp:
    """Append the body to a file and fdatasync it, each request by itself; nothing is verified."""
    file = os.open(folder / "floor", os.O_WRONLY | os.O_APPEND | os.O_CREAT)
    head = {"type": "http.response.start", "status": 202, "headers": [(b"content-length", b"0")]}

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        more = scope["type"] == "http"
        body = b""
        while more:
            message = await receive()
            body += message["body"]
            more = message["more_body"]
        os.write(file, body)
        os.fdatasync(file)
        await send(head)
        await send({"type": "http.response.body", "body": b""})

    return app


def plain(folder: Path) -> ASGIApp:
    """What one writes first: FastAPI, SQLModel, a commit per request, SQLite as safe as ours."""
    from typing import Annotated

    from fastapi import Depends, FastAPI, Header, HTTPException, Request
    from sqlalchemy import create_engine, event
    from sqlalchemy.engine.interfaces import DBAPIConnection
    from sqlmodel import Field, Session, SQLModel

    class Hook(SQLModel, table=True):
        id: int | None = Field(default=None, primary_key=True)
        delivery_id: str = Field(unique=True)
        sha256: str = Field(unique=True)
        body: bytes

    engine = create_engine(f"sqlite:///{folder / 'plain.db'}")

    @event.listens_for(engine, "connect")
    def settle(connection: DBAPIConnection, entry: object) -> None:
        for pragma in ("journal_mode = wal", "synchronous = FULL", "busy_timeout = 10000"):
            connection.cursor().execute(f"PRAGMA {pragma}")

    SQLModel.metadata.create_all(engine)
    app = FastAPI()

    async def raw(request: Request) -> bytes:
        return await request.body()

    @app.post("/hook", status_code=202)
    def receive(
        body: Annotated[bytes, Depends(raw)],
        x_github_delivery: Annotated[str, Header()],
        x_hub_signature_256: Annotated[str, Header()],
    ) -> dict[str, str]:
        made = "sha256=" + hmac.digest(SECRET, body, "sha256").hex()
        if not hmac.compare_digest(made, x_hub_signature_256):
            raise HTTPException(401)
        digest = hashlib.sha256(body).hexdigest()
        with Session(engine) as session:
            session.add(Hook(delivery_id=x_github_delivery, sha256=digest, body=body))
            session.commit()
        return {"status": "stored"}

    return app


def serve(make: Callable[[Path], ASGIApp], port: int, folder: Path) -> None:
    """Under uvicorn, as the bridge is."""
    import uvicorn

    app = make(folder)
    uvicorn.run(app, port=port, access_log=False, log_level="warning", lifespan="off")


def gidgethub(port: int) -> None:
    """aiohttp and gidgethub: verifies and parses, stores nothing."""
    import uvloop
    from aiohttp import web
    from gidgethub.sansio import Event

    async def receive(request: web.Request) -> web.Response:
        body = await request.read()
        Event.from_http(request.headers, body, secret=SECRET.decode())
        return web.Response(status=202)

    async def run() -> None:
        app = web.Application()
        app.router.add_post("/hook", receive)
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        await asyncio.Event().wait()

    uvloop.run(run())


if __name__ == "__main__":
    name, at, where = sys.argv[1], int(sys.argv[2]), Path(sys.argv[3])
    if name == "gidgethub":
        gidgethub(at)
    else:
        serve({"floor": floor, "plain": plain}[name], at, where)
