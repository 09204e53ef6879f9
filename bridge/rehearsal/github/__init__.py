"""GitHub for the rehearsal and the story tests: its API over a real bare git repository.

    app → door (token, faults, journal) → GraphQL or REST → pulls and refs → git

People act by the methods of Pulls and Refs, the bridge by `app`; both end in the same place.
"""

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from starlette.applications import Starlette

from bridge.rehearsal.gate import Fault
from bridge.rehearsal.github.access import APP_ID, CLIENT_ID, INSTALLATION, Access
from bridge.rehearsal.github.accounts import Json
from bridge.rehearsal.github.buttons import Buttons
from bridge.rehearsal.github.deployments import Deployment, Deployments
from bridge.rehearsal.github.door import Door
from bridge.rehearsal.github.letters import letter
from bridge.rehearsal.github.oauth import OAuth
from bridge.rehearsal.github.pulls import Pulls
from bridge.rehearsal.github.rest import Rest
from bridge.rehearsal.github.shapes import Shapes
from bridge.rehearsal.github.state import (
    Before,
    Call,
    Comment,
    CommitStatus,
    Pull,
    Refusal,
    State,
)
from bridge.rehearsal.letters import Post

__all__ = [
    "APP_ID",
    "BOT",
    "CLIENT_ID",
    "INSTALLATION",
    "Call",
    "Comment",
    "CommitStatus",
    "Fault",
    "GitHub",
    "Pull",
    "Refusal",
    "State",
]

BOT = "house-prices-bridge[bot]"  # who holds the token: an App, not a person


class GitHub(Pulls):
    """One repository, `owner/name`, with a webhook and an App that may write to it.

    `before(name)` is asked for a fault: first with the name of the call (a GraphQL operation, or
    tarball, codeload, createStatus, combinedStatus, listStatuses, pull, addLabels,
    requestReviewers, installation, accessToken, createDeployment and the like), then with each
    mutation field. A fault at a field ends the document there.
    """

    def __init__(
        self,
        folder: Path,
        *,
        repository: str,
        token: str,
        webhook_secret: str,
        post: Post,
        clock: Callable[[], datetime],
        url: str = "http://github.test",
    ) -> None:
        def send(event: str, body: Json) -> None:
            post(letter(event, body, webhook_secret))

        shapes = Shapes(url, repository, clock())
        super().__init__(folder / f"{shapes.name}.git", shapes, clock, send)
        self.calls: list[Call] = []
        self.before: Before = lambda name: None
        self._access = Access(token, clock)
        door = Door(self._access, clock, self.calls, lambda name: self.before(name))
        self._deployments = Deployments(self, door, BOT, clock)
        self.oauth = OAuth(shapes, clock)
        routes = Rest(self, door, BOT).routes() + self._deployments.routes()
        routes += self.oauth.routes(door) + Buttons(self).routes()
        self.app = Starlette(routes=routes)

    @property
    def deployments(self) -> list[Deployment]:
        """Every deployment, oldest first."""
        return self._deployments.all

    @property
    def app_public_key(self) -> str | None:
        """PEM of the key that belongs to the App's private one; None: no App has been made."""
        return self._access.public_key

    @app_public_key.setter
    def app_public_key(self, pem: str | None) -> None:
        self._access.public_key = pem
