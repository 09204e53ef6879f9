"""What `bridge.toml` says of each pipeline, and the decisions that follow from it. Pure."""

import re
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import PurePosixPath
from typing import Annotated, Literal
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from packaging.utils import canonicalize_name
from packaging.version import Version
from pydantic import AfterValidator, BaseModel, BeforeValidator, ConfigDict, Field

from bridge import pins
from bridge.attestation import Provenance
from bridge.errors import Reason
from bridge.freeze import Freeze, frozen_until, next_freeze
from bridge.gates import Gate, headline, judge, not_passed
from bridge.provenance.trust import Trust
from bridge.release import Allowance, Facts, Release
from bridge.sentences import say

HOSTS = {"gh": "github", "bb": "bitbucket"}
UNITS = {"ms": 0.001, "s": 1, "m": 60, "h": 3600, "d": 86400}
REPOSITORY = r"^[A-Za-z0-9._-]+/[A-Za-z0-9._-]+$"
REVIEWER = r"^[A-Za-z0-9-]+(/[A-Za-z0-9._-]+)?$"
"""A person's login, or `organisation/team`."""
ASK_SOON = timedelta(seconds=1)
ASK_LATE = timedelta(minutes=1)
LOOK_ANYWAY = timedelta(days=1)
"""So late a release looks again by itself where a webhook or the sweep would tell it sooner."""
INDEX_PATIENCE = timedelta(minutes=30)


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
    """How the running API is asked: readings in a row, how often, and for how long at most."""

    matches: int = Field(default=3, ge=1)
    every: Duration = timedelta(seconds=2)
    within: Duration = timedelta(minutes=10)


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
    """Who merges, how the API is verified, who rolls back, what a model must keep to, and when
    nothing is merged; whether pre-releases are carried, and whether the whole requirements file is
    resolved before it is proposed. An open pull request stays for `replace_after` before a newer
    version takes its place, so that fifty versions in five minutes do not set off CI fifty times.
    """

    merge: Literal["human", "auto"] = "human"
    verify: Verification = Verification()
    rollback: Literal["auto", "ask"] = "auto"
    replace_after: Duration = timedelta(minutes=2)
    prereleases: bool = False
    resolve: bool = True
    gates: dict[str, Gate] = {}
    freeze: list[Freeze] = []


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

    @property
    def source(self) -> str:
        """What the requirements file is compiled from: the same name, ending in `.in`."""
        return str(PurePosixPath(self.requirements).with_suffix(".in"))


def next_look(since: datetime, now: datetime) -> datetime:
    """When to ask again for something that nobody will tell us: soon at first, then ever later."""
    return now + min(max((now - since) / 4, ASK_SOON), ASK_LATE)


def other_file(facts: Facts) -> Reason | None:
    """Why this is not the file that CI built, or None. An announcement may come after the file was
    found, so every later step asks again."""
    announced, found = facts.announced_digest, facts.digest
    if announced and found and announced != found:
        return say(
            "digest_mismatch", where="index", found=found, expected=announced, told="announced"
        )
    return not_proven(facts.provenance)


def not_proven(known: Provenance | None) -> Reason | None:
    """Why a pipeline that requires to know who built the file does not know it, or None."""
    if known and known.mode == "require" and known.verdict != "proven":
        return Reason(known.code, known.sentence)
    return None


def carries(policy: Policy, version: Version) -> bool:
    """Whether versions of this kind are carried to production without a person's word."""
    early = version.is_devrelease or (version.is_prerelease and not policy.prereleases)
    return not early and version.local is None


def unwanted(release: Release, policy: Policy, served: Release | None) -> Reason | None:
    """Why this version is not carried unless a person has allowed it, or None. `served` is the
    version verified last; one that was announced after it goes backwards on purpose."""
    version, allowed = Version(release.version), release.facts.allowed
    names = {"package": release.package, "version": release.version}
    if version.local and Allowance.LOCAL not in allowed:
        return say("local_version", **names)
    if (
        version.is_prerelease
        and not carries(policy, version)
        and Allowance.PRERELEASE not in allowed
    ):
        return say("prerelease", **names)
    if served and served.key < release.key and goes_back(release, served.version):
        return say("downgrade", served=served.version, **names)
    return None


def goes_back(release: Release, other: str) -> bool:
    """Whether `other` is newer, and nobody has allowed to go back."""
    return (
        Version(other) > Version(release.version)
        and Allowance.DOWNGRADE not in release.facts.allowed
    )


@dataclass(frozen=True)
class Ruling:
    """Whether policy lets a version be merged now: the commit status `bridge/gate`.

    `until` is when the clock alone may change it.
    """

    state: Literal["success", "failure", "pending"]
    because: Reason
    until: datetime | None = None


def ruling(policy: Policy, facts: Facts, before: Release | None, now: datetime) -> Ruling:
    """What the gate says at `now`; `before` is the version verified last.

    The version itself comes first (its file, its quarantine once there is one, its metrics), then
    the time: only the last ends by itself, so only that is `pending`.
    """
    if wrong := other_file(facts) or not_passed(judge(policy.gates, facts.card, before)):
        return Ruling("failure", wrong)
    if frozen := frozen_until(policy.freeze, now):
        end, tz = frozen
        until = f"{end.astimezone(ZoneInfo(tz)):%a %d %b %H:%M} ({tz})"
        return Ruling("pending", say("frozen", until=until), end)
    open_until = next_freeze(policy.freeze, now)
    return Ruling("success", headline(policy.gates, facts.card, before), open_until)


def may_merge(
    policy: Policy, number: int, checks: str | None, review: str | None, gate: Ruling
) -> Reason | None:
    """None when the bridge itself may merge now, or the reason why not.

    `checks` is GitHub's rollup of what others say: SUCCESS, PENDING, EXPECTED, FAILURE, ERROR, or
    None for no check at all, which is not good news either. `review` is GitHub's decision, of which
    only CHANGES_REQUESTED says no here.
    """
    if gate.state != "success":
        return gate.because
    if checks in ("FAILURE", "ERROR"):
        return say("checks_failed", number=number, state=checks.lower())
    if review == "CHANGES_REQUESTED":
        return say("changes_requested", number=number)
    if policy.merge == "human":
        return say("waiting_for_reviewer", number=number)
    if checks != "SUCCESS":
        return say("waiting_for_checks", number=number, state=(checks or "none yet").lower())
    return None
