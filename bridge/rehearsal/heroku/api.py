"""The Platform API of the simulated Heroku, and the open addresses of sources and build output.

See https://devcenter.heroku.com/articles/platform-api-reference.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from pydantic import BaseModel, TypeAdapter, ValidationError
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, PlainTextResponse, Response
from starlette.routing import Route

from bridge.rehearsal.gate import Handler
from bridge.rehearsal.heroku.problem import Problem
from bridge.rehearsal.heroku.ranges import BadRange, Item, page
from bridge.rehearsal.heroku.records import (
    Build,
    Release,
    Slug,
    SourceBlob,
    build_json,
    new_id,
    release_json,
    slug_json,
)

if TYPE_CHECKING:
    from bridge.rehearsal.heroku import Heroku

RATE_LIMIT = 4500
API_USER = "deploy@heroku.test"
NO_SUCH_ENDPOINT = (
    "The requested API endpoint was not found. Are you using the right HTTP verb (i.e. `GET` vs."
    " `POST`), and did you specify your intended version with the `Accept` header?"
)


class _NewBuild(BaseModel):
    source_blob: SourceBlob


class _NewRelease(BaseModel):
    slug: str
    description: str | None = None


class _Rollback(BaseModel):
    release: str


RELEASE_BODY: TypeAdapter[_Rollback | _NewRelease] = TypeAdapter(_Rollback | _NewRelease)
CONFIG_BODY = TypeAdapter(dict[str, str | None])


def application(heroku: Heroku) -> Starlette:
    """Every address of the API; the app may be named by its name or its id."""
    api, app = _Api(heroku), "/apps/{app}"
    closed: list[tuple[str, str, str, Handler]] = [
        ("POST", "/sources", "create_source", api.create_source),
        ("POST", f"{app}/builds", "create_build", api.create_build),
        ("GET", f"{app}/builds", "list_builds", api.list_builds),
        ("GET", f"{app}/builds/{{build}}", "get_build", api.get_build),
        ("DELETE", f"{app}/builds/{{build}}", "cancel_build", api.cancel_build),
        ("POST", f"{app}/releases", "create_release", api.create_release),
        ("GET", f"{app}/releases", "list_releases", api.list_releases),
        ("GET", f"{app}/releases/{{release}}", "get_release", api.get_release),
        ("GET", f"{app}/slugs/{{slug}}", "get_slug", api.get_slug),
        ("GET", f"{app}/formation/{{type}}", "get_formation", api.get_formation),
        ("GET", f"{app}/config-vars", "get_config", api.get_config),
        ("PATCH", f"{app}/config-vars", "set_config", api.set_config),
    ]
    routes: list[Route] = [
        heroku.route(method, path, name, api.authorised(handler))
        for method, path, name, handler in closed
    ]
    routes += [
        heroku.route("PUT", "/slots/{slot}", "put_source", api.put_source),
        heroku.route("GET", "/slots/{slot}", "get_source", api.get_source),
        heroku.route("GET", "/streams/{build}", "build_output", api.build_output),
    ]
    return Starlette(routes=routes)


class _Api:
    def __init__(self, heroku: Heroku) -> None:
        self.heroku, self.calls_left = heroku, RATE_LIMIT

    def authorised(self, handler: Handler) -> Handler:
        async def checked(request: Request) -> Response:
            self.calls_left = max(0, self.calls_left - 1)
            try:
                self._check(request)
                response = await handler(request)
            except Problem as no:
                response = JSONResponse({"id": no.code, "message": no.message}, no.status)
            except (ValidationError, BadRange) as error:
                response = JSONResponse({"id": "invalid_params", "message": str(error)}, 422)
            response.headers["RateLimit-Remaining"] = str(self.calls_left)
            response.headers["Request-Id"] = new_id()
            return response

        return checked

    def _check(self, request: Request) -> None:
        accept = request.headers.get("accept", "")
        if "application/vnd.heroku+json" not in accept or "version=3" not in accept:
            raise Problem(404, "not_found", NO_SUCH_ENDPOINT)
        if request.headers.get("authorization") != f"Bearer {self.heroku.token}":
            raise Problem(401, "unauthorized", "Invalid credentials provided.")
        about = self.heroku.about
        if request.path_params.get("app", about.name) not in (about.name, about.id):
            raise Problem(404, "not_found", "Couldn't find that app.")

    async def create_source(self, request: Request) -> Response:
        slot = new_id()
        self.heroku.slots[slot] = None
        url = f"{self.heroku.url}/slots/{slot}"
        return JSONResponse({"source_blob": {"get_url": url, "put_url": url}}, 201)

    async def put_source(self, request: Request) -> Response:
        # A slot is a presigned address: its signature covers an empty content type, and excludes
        # any other way to authenticate.
        if "authorization" in request.headers:
            return PlainTextResponse("Only one auth mechanism allowed", 400)
        if "content-type" in request.headers:
            return PlainTextResponse("SignatureDoesNotMatch", 403)
        slot = request.path_params["slot"]
        if slot not in self.heroku.slots:
            return PlainTextResponse("AccessDenied", 403)
        self.heroku.slots[slot] = await request.body()
        return Response()

    async def get_source(self, request: Request) -> Response:
        blob = self.heroku.slots.get(request.path_params["slot"])
        return PlainTextResponse("NoSuchKey", 404) if blob is None else Response(blob)

    async def create_build(self, request: Request) -> Response:
        body = _NewBuild.model_validate_json(await request.body())
        build = self.heroku.create_build(body.source_blob, API_USER)
        return JSONResponse(build_json(build, self.heroku.about, self.heroku.url), 201)

    async def list_builds(self, request: Request) -> Response:
        about, url = self.heroku.about, self.heroku.url
        builds = [build_json(build, about, url) for build in self.heroku.builds]
        return _list(builds, request, ["created_at", "id"])

    async def cancel_build(self, request: Request) -> Response:
        for build in self.heroku.builds:
            if build.id == request.path_params["build"]:
                self.heroku.cancel(build)
                return JSONResponse(build_json(build, self.heroku.about, self.heroku.url))
        raise Problem(404, "not_found", "Couldn't find that build.")

    async def get_build(self, request: Request) -> Response:
        for build in self.heroku.builds:
            if build.id == request.path_params["build"]:
                return JSONResponse(build_json(build, self.heroku.about, self.heroku.url))
        raise Problem(404, "not_found", "Couldn't find that build.")

    async def build_output(self, request: Request) -> Response:
        printed: list[Build | Release] = [*self.heroku.builds, *self.heroku.releases]
        for one in printed:
            if one.id == request.path_params["build"]:
                return PlainTextResponse("".join(f"{line}\n" for line in one.output))
        return PlainTextResponse("Not Found", 404)

    async def create_release(self, request: Request) -> Response:
        body = RELEASE_BODY.validate_json(await request.body())
        if isinstance(body, _Rollback):
            old = next((old for old in self.heroku.releases if old.id == body.release), None)
            release = self.heroku.rollback(old.version if old else 0, API_USER)
        else:
            slug = self._slug(body.slug)
            description = body.description or f"Deploy {(slug.commit or slug.id)[:8]}"
            release = self.heroku.release(description, slug, API_USER)
        return JSONResponse(release_json(release, self.heroku.about, self.heroku.url), 201)

    async def list_releases(self, request: Request) -> Response:
        releases = [
            release_json(release, self.heroku.about, self.heroku.url)
            for release in self.heroku.releases
        ]
        return _list(releases, request, ["version", "id"])

    async def get_release(self, request: Request) -> Response:
        wanted = request.path_params["release"]
        for release in self.heroku.releases:
            if wanted in (release.id, str(release.version)):
                return JSONResponse(release_json(release, self.heroku.about, self.heroku.url))
        raise Problem(404, "not_found", "Couldn't find that release.")

    async def get_slug(self, request: Request) -> Response:
        slug = self._slug(request.path_params["slug"])
        return JSONResponse(slug_json(slug, self.heroku.url))

    async def get_formation(self, request: Request) -> Response:
        if request.path_params["type"] != "web":
            raise Problem(404, "not_found", "Couldn't find that process type.")
        quantity = self.heroku.dynos.quantity
        return JSONResponse({"type": "web", "quantity": quantity, "size": "basic"})

    async def get_config(self, request: Request) -> Response:
        return JSONResponse(self.heroku.config_vars)

    async def set_config(self, request: Request) -> Response:
        self.heroku.set_config(CONFIG_BODY.validate_json(await request.body()), API_USER)
        return JSONResponse(self.heroku.config_vars)

    def _slug(self, wanted: str) -> Slug:
        if wanted not in self.heroku.slugs:
            raise Problem(404, "not_found", "Couldn't find that slug.")
        return self.heroku.slugs[wanted]


def _list(items: Sequence[Item], request: Request, fields: Sequence[str]) -> Response:
    part = page(items, request.headers.get("range"), fields)
    headers = {"Accept-Ranges": ", ".join(fields)}
    if part.next_range:
        headers["Next-Range"] = part.next_range
    return JSONResponse(part.items, 206 if part.next_range else 200, headers)
