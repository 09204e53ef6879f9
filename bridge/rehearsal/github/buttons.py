"""What the rehearsal's reviewer presses on a pull request's page: she approves it, or merges it."""

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response
from starlette.routing import Route

from bridge.rehearsal.github.page import REVIEWER, page
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.state import Refusal


class Buttons:
    """Each ends where the API's own act does, so that the same rules hold for it."""

    def __init__(self, pulls: Pulls) -> None:
        self.pulls = pulls

    def routes(self) -> list[Route]:
        path = f"/{self.pulls.shapes.full_name}/pull/{{number:int}}"
        return [
            Route(f"{path}/approve", self.approve, methods=["POST"]),
            Route(f"{path}/merge", self.merge, methods=["POST"]),
        ]

    async def approve(self, request: Request) -> Response:
        return self._done(request, lambda n: self.pulls.review(n, REVIEWER, "APPROVED"))

    async def merge(self, request: Request) -> Response:
        return self._done(request, lambda n: self.pulls.merge(n, REVIEWER))

    def _done(self, request: Request, act: Callable[[int], object]) -> Response:
        number = int(request.path_params["number"])
        if number not in self.pulls.pulls:
            return HTMLResponse("Not Found", 404)
        back = f"/{self.pulls.shapes.full_name}/pull/{number}"
        try:
            act(number)
        except Refusal as refusal:
            told = [f"<p>{escape(refusal.message)}</p>", f'<p><a href="{back}">Back</a></p>']
            title = f"Not done to #{number}"
            return HTMLResponse(page(self.pulls, title, title, told), 422)
        return RedirectResponse(back, 303)
