"""A private index and a bridge, as the publication meets them: one small real HTTP server."""

import email
import email.message
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True)
class Request:
    """What arrived."""

    method: str
    path: str
    headers: dict[str, str]
    body: bytes

    def form(self) -> dict[str, tuple[str | None, bytes]]:
        """The parts of a multipart form: field → file name and content."""
        head = f"Content-Type: {self.headers['content-type']}\r\n\r\n".encode()
        parts = email.message_from_bytes(head + self.body).get_payload()
        assert isinstance(parts, list)
        form: dict[str, tuple[str | None, bytes]] = {}
        for part in parts:
            assert isinstance(part, email.message.Message)
            name = part.get_param("name", header="content-disposition")
            content = part.get_payload(decode=True)
            assert isinstance(content, bytes)
            form[str(name)] = (part.get_filename(), content)
        return form


@dataclass
class Neighbours:
    """What they will answer, and what they were asked."""

    url: str
    upload: tuple[int, str] = (200, '[{"UploadResult":{}}]')
    listing: tuple[int, str] = (200, "")
    bridge: list[int] = field(default_factory=lambda: [202])
    requests: list[Request] = field(default_factory=list)

    def answer(self, request: Request) -> tuple[int, str]:
        self.requests.append(request)
        if request.path == "/webhooks/publisher":
            return (self.bridge.pop(0) if len(self.bridge) > 1 else self.bridge[0]), ""
        if request.method == "POST" and request.path == "/acme/":
            return self.upload
        if request.method == "GET" and request.path == "/simple/regression-model/":
            return self.listing
        return 404, ""

    def asked(self, path: str) -> list[Request]:
        return [request for request in self.requests if request.path == path]


@contextmanager
def neighbours() -> Iterator[Neighbours]:
    """Serve on a free port of this machine until the end of the block."""

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            self._answer(body)

        def do_GET(self) -> None:
            self._answer(b"")

        def _answer(self, body: bytes) -> None:
            headers = {name.lower(): value for name, value in self.headers.items()}
            status, text = town.answer(Request(self.command, self.path, headers, body))
            self.send_response(status)
            self.send_header("Content-Length", str(len(text.encode())))
            self.end_headers()
            self.wfile.write(text.encode())

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 -- its name there
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    town = Neighbours(f"http://127.0.0.1:{server.server_port}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield town
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
