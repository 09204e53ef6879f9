"""Who tells the bridge, by webhook, what becomes of builds and releases."""

from collections.abc import Callable
from dataclasses import asdict
from datetime import datetime
from typing import Literal

from bridge.rehearsal.heroku.letters import letter
from bridge.rehearsal.heroku.records import (
    App,
    Build,
    Release,
    build_json,
    moment,
    release_json,
    slug_json,
)
from bridge.rehearsal.letters import Post

Action = Literal["create", "update"]
Told = dict[str, object]


class Teller:
    """Of one app; `previous` is what an update has changed."""

    def __init__(
        self, about: App, url: str, secret: str, post: Post, clock: Callable[[], datetime]
    ) -> None:
        self._about, self._url = about, url
        self._secret, self._post, self._clock = secret, post, clock

    def build(self, build: Build, action: Action, previous: Told | None = None) -> None:
        """A build began or ended."""
        data = build_json(build, self._about, self._url) | {"app": asdict(self._about)}
        self._tell("build", action, data, previous or {}, build.user)

    def release(self, release: Release, action: Action, previous: Told | None = None) -> None:
        """A release came or changed."""
        data = release_json(release, self._about, self._url)
        if release.slug:
            data["slug"] = slug_json(release.slug, self._url)
        self._tell("release", action, data, previous or {}, release.user)

    def _tell(
        self,
        resource: Literal["build", "release"],
        action: Action,
        data: Told,
        previous: Told,
        by: str,
    ) -> None:
        at, secret = moment(self._clock()), self._secret
        self._post(letter(resource, action, data, previous, by=by, at=at, secret=secret))
