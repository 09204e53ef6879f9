"""The rehearsal: the whole journey, twice, on this machine. Ends 0 only if it is all proven."""

import contextlib
import json
import signal
import time
from collections import Counter
from collections.abc import Collection, Iterator

import httpx

from bridge.errors import BridgeError, Misconfigured
from bridge.rehearsal.circleci.webhook import WorkflowRun
from bridge.rehearsal.faults import (
    FAULTS,
    LOST,
    Killer,
    changes,
    forge,
    prepare,
    press_merge_button,
)
from bridge.rehearsal.people import People, Yourself, policy_for, stands
from bridge.rehearsal.played import VERSIONS, Played
from bridge.rehearsal.process import tail
from bridge.rehearsal.show import Show, Told
from bridge.rehearsal.timing import measure
from bridge.rehearsal.town import PACKAGE, Town, checkout

INTERRUPTS = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
VERSION_FILE = "regression_model/regression_model/VERSION"
LOOK_EVERY = 0.1


class Failed(BridgeError):
    """The rehearsal cannot go on; `log` is the tail of the log that tells why."""

    def __init__(self, why: str, log: str = "") -> None:
        super().__init__(why)
        self.log = log


def play(*, stay: bool, as_json: bool, faults: Collection[str], seed: int, yourself: bool) -> int:
    """Play it and show it; the exit code. Everything that was started is ended again."""
    show = Show(as_json)
    if "list" in faults:
        show.faults(FAULTS)
        return 0
    if unknown := set(faults) - FAULTS.keys():
        raise Misconfigured(f"no such fault: {', '.join(sorted(unknown))}; --fault list tells all")
    if yourself and as_json:
        raise Misconfigured("--yourself tells where to click, and --json keeps silent")
    policy, played = policy_for(faults, yourself), Played()
    for number in INTERRUPTS:
        signal.signal(number, signal.default_int_handler)
    try:
        with _town(show, faults, policy) as town:
            people = Yourself(town, faults, show) if yourself else People(town, faults)
            _journey(town, show, played, people, faults, seed)
            _curtain(town, show, played)
            if stay:
                _stay(town, show, played, people)
    except Failed as failure:
        show.log("The log that matters", failure.log)
        show.verdict(False, str(failure))
        show.json({"proven": False, "why": str(failure)})
        return 1
    except KeyboardInterrupt:
        show.verdict(False, "Interrupted; everything is stopped and removed.")
        return 1
    show.json(played.as_json())
    return 0 if played.proven else 1


@contextlib.contextmanager
def _town(show: Show, faults: Collection[str], policy: tuple[str, str]) -> Iterator[Town]:
    show.heading("Setting the stage")
    lost = LOST if "lost-webhooks" in faults else ()
    strangers = "foreign-package" in faults
    town = Town(show.say, lost, strangers=strangers, policy=policy)
    try:
        town.bridge.start()
        show.say(f"Bridge      {town.bridge.url}")
        show.say(f"Repository  git clone {town.github.bare}")
        show.say(f"API         {town.api_url}/api/v1/health")
        yield town
    finally:
        for number in INTERRUPTS:
            signal.signal(number, signal.SIG_IGN)
        town.stop()


def _journey(
    town: Town, show: Show, played: Played, people: People, faults: Collection[str], seed: int
) -> None:
    if "forged-webhook" in faults:
        played.forged = forge(town)
        show.say(f"A forged webhook got {played.forged}")
    prepare(town, faults)
    killer = Killer(town, seed) if "kill-bridge" in faults else None
    try:
        for version in VERSIONS:
            show.heading(f"{PACKAGE} {version}")
            played.healths.append(_health(town))
            _tag(town, show, version, faults)
            played.releases.append(_follow(town, show, version, killer, people))
            played.timings.append(measure(played.releases[-1], town))
    finally:
        if killer:
            killer.stop()
            played.kills = killer.kills
    if stands(played.releases[-1]):
        played.merge_button = press_merge_button(town)
        show.say(f"rosa pressed the merge button, and GitHub said: {played.merge_button}")
    played.healths.append(_health(town))
    played.pulls = Counter(pull.head for pull in town.github.pulls.values())
    played.builds = Counter(build.source.version or "" for build in town.heroku.builds)
    played.chain = json.loads(town.bridge.ask("audit", "verify", "--json").stdout)


def _tag(town: Town, show: Show, version: str, faults: Collection[str]) -> None:
    """A data scientist raises VERSION, with another alpha for the Lasso, and tags."""
    commit = town.first_commit
    if version != VERSIONS[0]:
        change = {VERSION_FILE: f"{version}\n".encode(), **changes(faults, checkout())}
        commit = town.github.commit("main", change, f"Release {version}", "dana")
    town.github.tag(f"v{version}", commit, "dana")
    show.say(f"dana pushed the tag v{version} at {commit[:8]}; CI trains, tests and publishes")


def _follow(town: Town, show: Show, version: str, killer: Killer | None, people: People) -> Told:
    """Watch one version until it has an end; raises Failed when it cannot come to one."""
    end = time.monotonic() + people.patience
    while time.monotonic() < end:
        people.look()
        told = _ask(town, version)
        if told:
            show.lines(told)
            if people.wait_for_nothing(told):
                if killer:
                    killer.under_way.clear()
                return told
            if killer:
                killer.under_way.set()
        elif broken := _broken_run(town, version):
            job = next((job for job in broken.jobs if job.status != "success"), broken.jobs[0])
            raise Failed(f"CI could not publish {version}: job {job.name}", tail(job.log))
        time.sleep(LOOK_EVERY)
    raise Failed(f"{version} did not end within {people.patience:.0f} s", tail(town.bridge.log))


def _ask(town: Town, version: str) -> Told | None:
    """The release of a version as the running bridge tells it; None while there is none."""
    try:
        with httpx.Client(base_url=town.bridge.url, trust_env=False, timeout=5) as client:
            items = client.get("/api/v1/releases").json()["items"]
            known = next((item for item in items if item["version"] == version), None)
            if known is None:
                return None
            return Told.model_validate(client.get(f"/api/v1/releases/{known['id']}").json())
    except httpx.TransportError:
        return None


def _broken_run(town: Town, version: str) -> WorkflowRun | None:
    runs = [run for run in town.ci.runs if run.ref == f"refs/tags/v{version}"]
    return next((run for run in runs if run.status in ("failed", "canceled")), None)


def _health(town: Town) -> dict[str, object]:
    answer = httpx.get(f"{town.api_url}/api/v1/health", trust_env=False, timeout=5)
    if answer.status_code != 200:
        return {"status": answer.status_code, "detail": "nothing is deployed"}
    told: dict[str, object] = answer.json()
    return told


def _curtain(town: Town, show: Show, played: Played) -> None:
    show.heading("What came of it")
    show.table(played.releases)
    for pull in list(town.github.pulls.values())[-1:]:
        text = town.github.git.diff(pull.base_sha, pull.head_sha)
        show.diff(f"Pull request #{pull.number}: {pull.title}", text)
    show.pair("GET /api/v1/health", played.healths[0], played.healths[-1])
    for told, timing in zip(played.releases, played.timings, strict=True):
        if told.lead_time_s is not None:
            show.say(f"{told.version}: {timing.sentence()}")
    for told in played.releases:
        if told.alarms:
            show.say(f"{told.version}: alarm {', '.join(told.alarms)}")
    if played.kills:
        show.say(f"The bridge was killed {played.kills} times and started again")
    chain = played.chain
    show.say(f"Audit: {chain['lines']} lines, chain {'whole' if chain['holds'] else 'BROKEN'}")
    for told in played.releases:
        if told.stage == "failed" and told.reason.code == "build_failed":
            show.log("Heroku's build", "\n".join(town.heroku.builds[-1].output[-25:]))
    last = played.releases[-1]
    words = f"{PACKAGE} {last.version} is {last.stage}. {last.reason.sentence}"
    show.verdict(played.proven, words)


def _stay(town: Town, show: Show, played: Played, people: People) -> None:
    show.heading("Staying")
    show.say(f"Releases       {town.bridge.url}/releases")
    for pull in town.github.pulls.values():
        show.say(f"Pull request   {town.github.shapes.page}/pull/{pull.number}")
    last = played.releases[-1]
    show.say(f"Roll it back   {town.bridge.url}/releases/{last.id}, and lift its quarantine there")
    show.say(f"Prediction API {town.api_url}/")
    show.say("Ctrl-C stops and removes everything")
    with contextlib.suppress(KeyboardInterrupt):
        while True:
            people.look()
            time.sleep(LOOK_EVERY)
