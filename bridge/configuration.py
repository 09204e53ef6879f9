"""What `bridge.toml` says of each pipeline. Pure."""

import re
from collections.abc import Sequence
from datetime import timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit

from packaging.utils import canonicalize_name
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge import pins
from bridge.approvals import Approvals
from bridge.freeze import Freeze
from bridge.gates import Gate
from bridge.notice import About
from bridge.provenance.trust import Trust

HOSTS = {"gh": "github", "bb": "bitbucket"}
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
REPOSITORY = r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"
REVIEWER = r"^[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$"
"""A person's login, or `organisation/team`."""


def duration(said: object) -> object:
    """`200ms`, `2s`, `10m`, `3h` or `7d` as a timedelta; anything else is left to pydantic."""
    if isinstance(said, str) and (match := re.fullmatch(r"(\d+(?:\.\d+)?)(ms|s|m|h|d)", said)):
        try:
            return timedelta(seconds=float(match[1]) * UNITS[match[2]])
        except OverflowError as error:
            raise ValueError("longer than anybody waits") from error
    return said


Duration = Annotated[timedelta, BeforeValidator(duration)]


class _Table(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Verification(_Table):
    """How the running API is asked: readings in a row, how often, and for how long at most; and
    for how long it is watched after that."""

    matches: int = Field(default=3, ge=1)
    every: Duration = timedelta(seconds=2)
    within: Duration = timedelta(minutes=10)
    watch: Duration = timedelta(minutes=10)


def address(said: str) -> str:
    """An http address without user and password; raises ValueError."""
    parts = urlsplit(said)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError("an address begins with https:// or http:// and names a host")
    if parts.username or parts.password:
        raise ValueError("no user or password in an address; BRIDGE_INDEX__TOKEN is for that")
    return said


Address = Annotated[str, AfterValidator(address)]


def inside(said: str) -> str:
    """A file of the repository that may hold a pin: no way out of it, no hidden folder, which is
    where CI and git keep theirs; raises ValueError."""
    parts = said.split("/")
    if any(part == "" or part.startswith(".") for part in parts) or not said.isprintable():
        raise ValueError("a path in the repository, without hidden folders, `..` and a leading /")
    if "\\" in said or ":" in said:
        raise ValueError("a path in the repository is written with / and without a drive")
    if not pins.is_known(said):
        raise ValueError("a requirements file (.txt, .in) or a pyproject.toml")
    return said


PinFile = Annotated[str, AfterValidator(inside)]


class Policy(_Table):
    """Who approves and merges, how the API is verified, who rolls back, what a model must keep to,
    and when nothing is merged; whether pre-releases are carried, and whether the whole requirements
    file is resolved before it is proposed. An open pull request stays for `replace_after` before a
    newer version takes its place, so that fifty versions in five minutes do not set off CI fifty
    times. `overtake` is which older merged version a newer one takes the place of.
    """

    merge: Literal["human", "auto"] = "human"
    verify: Verification = Verification()
    rollback: Literal["auto", "ask"] = "auto"
    replace_after: Duration = timedelta(minutes=2)
    overtake: Literal["never", "waiting", "building"] = "waiting"
    prereleases: bool = False
    resolve: bool = True
    gates: dict[str, Gate] = {}
    freeze: list[Freeze] = []
    approvals: Approvals | None = None


class CiJob(_Table):
    """The CI project and workflow that publish the package."""

    project: str
    workflow: str
    publish_job: str | None = None

    @property
    def slug(self) -> str:
        """The project as webhooks spell it: `gh/…` is `github/…` there."""
        host, _, rest = self.project.partition("/")
        return f"{HOSTS.get(host, host)}/{rest}"


class Tell(_Table):
    """Whom to tell of what; of a release that waits for a person, once it has for so long."""

    to: str
    about: tuple[About, ...] = Field(min_length=1)
    after: Duration = timedelta(hours=4)


class Target(_Table):
    """Somebody who is told. Its address stands in the environment, for it holds secrets."""

    name: str = Field(pattern=r"^[a-z][a-z0-9-]*$")
    kind: Literal["apprise", "webhook"] = "apprise"


class Pipeline(_Table):
    """One model on its way into one app."""

    name: str = Field(pattern=r"^[a-z0-9][a-z0-9-]*$")
    package: Annotated[str, BeforeValidator(lambda name: canonicalize_name(str(name)))]
    index: Address
    repository: str = Field(pattern=REPOSITORY)
    branch: str = "main"
    requirements: PinFile = "requirements.txt"
    also: tuple[PinFile, ...] = Field(default=(), max_length=9)
    strategy: Literal["pin", "compile"] = "pin"
    app: str
    app_root: str = "."
    api_url: Address
    deploy: Literal["build", "watch"] = "build"
    circleci: CiJob | None = None
    policy: Policy = Policy()
    provenance: Trust = Trust()
    labels: list[str] = []
    reviewers: list[Annotated[str, Field(pattern=REVIEWER)]] = []
    notify: tuple[Tell, ...] = ()
    after: str | None = None

    def __hash__(self) -> int:
        return hash(self.name)

    @property
    def files(self) -> tuple[str, ...]:
        """All that a pull request may change, the file that is deployed first."""
        return tuple(dict.fromkeys((self.requirements, *self.also)))

    @property
    def looks_at(self) -> tuple[str, ...]:
        """All that a look brings: `files`, what the first is compiled from, and what says which
        Python the app runs on."""
        root = PurePosixPath(self.app_root)
        python = (str(root / name) for name in ("runtime.txt", ".python-version"))
        return tuple(dict.fromkeys((*self.files, self.source, *python)))

    def branch_for(self, version: str) -> str:
        """The branch of this version's pull request: always the same, so that it is made once."""
        return f"bridge/{self.name}/{self.package}-{version}"

    def branch_back_from(self, version: str) -> str:
        """The branch of the pull request that puts the pin back after this version's rollback."""
        return f"bridge/{self.name}/back-from-{self.package}-{version}"

    @property
    def source(self) -> str:
        """What the requirements file is compiled from: the same name, ending in `.in`."""
        return str(PurePosixPath(self.requirements).with_suffix(".in"))


def in_sequence(pipelines: Sequence[Pipeline]) -> None:
    """Each that comes `after` another carries the same package, and none waits for itself; raises
    ValueError."""
    by_name = {pipeline.name: pipeline for pipeline in pipelines}
    for pipeline in pipelines:
        before, passed = pipeline, {pipeline.name}
        while before.after is not None:
            if before.after not in by_name or by_name[before.after].package != before.package:
                raise ValueError(f"{before.name} comes after no pipeline of its package")
            before = by_name[before.after]
            if before.name in passed:
                raise ValueError(f"{pipeline.name} waits for itself")
            passed.add(before.name)
