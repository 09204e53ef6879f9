"""Builds, releases and slugs as Heroku keeps and shows them.

The JSON has the properties of Heroku's published schema (heroku/platform-api, schema.json).
"""

import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Literal

from pydantic import BaseModel

Status = Literal["pending", "succeeded", "failed", "expired"]
STACK = "heroku-26"


class SourceBlob(BaseModel):
    """Where a build gets its tarball, and what the caller says about it."""

    url: str
    checksum: str | None = None
    version: str | None = None
    version_description: str | None = None


@dataclass(frozen=True)
class App:
    id: str
    name: str


@dataclass(frozen=True)
class Slug:
    """A built app; `handle` is the runner's name for it."""

    id: str
    handle: str
    commit: str | None
    commit_description: str | None
    checksum: str
    process_types: Mapping[str, str]
    created_at: str


@dataclass
class Release:
    """Theirs, v42: a slug with the config vars of that moment."""

    id: str
    version: int
    description: str
    slug: Slug | None
    config: Mapping[str, str]
    user: str
    created_at: str
    updated_at: str
    status: Status = "pending"
    current: bool = False
    output: list[str] = field(default_factory=list)

    @property
    def eligible_for_rollback(self) -> bool:
        return self.status == "succeeded" and self.slug is not None


@dataclass
class Build:
    id: str
    source: SourceBlob
    user: str
    created_at: str
    updated_at: str
    status: Status = "pending"
    slug: Slug | None = None
    release: Release | None = None
    output: list[str] = field(default_factory=list)


def new_id() -> str:
    return str(uuid.uuid4())


def moment(time: datetime) -> str:
    return time.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def user_json(email: str) -> dict[str, object]:
    return {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, f"mailto:{email}")), "email": email}


def build_json(build: Build, app: App, url: str) -> dict[str, object]:
    """A build; `url` is the base of the address of its output."""
    return {
        "app": {"id": app.id},
        "buildpacks": [{"url": "https://buildpack-registry.s3.amazonaws.com/heroku/python.tgz"}],
        "created_at": build.created_at,
        "generation": "cedar",
        "id": build.id,
        "output_stream_url": f"{url}/streams/{build.id}",
        "release": {"id": build.release.id} if build.release else None,
        "slug": {"id": build.slug.id} if build.slug else None,
        "source_blob": build.source.model_dump(),
        "stack": STACK,
        "status": build.status,
        "updated_at": build.updated_at,
        "user": user_json(build.user),
    }


def release_json(release: Release, app: App, url: str) -> dict[str, object]:
    return {
        "addon_plan_names": [],
        "app": {"id": app.id, "name": app.name},
        "artifacts": [{"type": "slug", "id": release.slug.id}] if release.slug else [],
        "created_at": release.created_at,
        "current": release.current,
        "description": release.description,
        "eligible_for_rollback": release.eligible_for_rollback,
        "id": release.id,
        "output_stream_url": f"{url}/streams/{release.id}" if release.output else None,
        "slug": {"id": release.slug.id} if release.slug else None,
        "status": release.status,
        "updated_at": release.updated_at,
        "user": user_json(release.user),
        "version": release.version,
    }


def slug_json(slug: Slug, url: str) -> dict[str, object]:
    return {
        "blob": {"method": "GET", "url": f"{url}/slugs/{slug.id}"},
        "buildpack_provided_description": "Python",
        "checksum": slug.checksum,
        "commit": slug.commit,
        "commit_description": slug.commit_description,
        "created_at": slug.created_at,
        "deleted_at": None,
        "id": slug.id,
        "process_types": dict(slug.process_types),
        "size": None,
        "stack": {"id": str(uuid.uuid5(uuid.NAMESPACE_URL, STACK)), "name": STACK},
        "updated_at": slug.created_at,
    }
