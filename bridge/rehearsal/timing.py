"""Where the time of a release went: to the neighbours, or to the bridge itself."""

from dataclasses import asdict, dataclass
from datetime import datetime

from bridge.rehearsal.show import Told
from bridge.rehearsal.town import Town
from bridge.sentences import span

Interval = tuple[datetime, datetime]


@dataclass(frozen=True)
class Timing:
    """Seconds from announcement to verified; `checks` and `building` overlap with nothing else."""

    total: float
    checks: float
    building: float

    @property
    def own(self) -> float:
        """What is left for the bridge."""
        return self.total - self.checks - self.building

    def sentence(self) -> str:
        """For people."""
        return (
            f"announced to verified in {span(self.total)}: checks {span(self.checks)}, "
            f"build and boot {span(self.building)}, the bridge itself {span(self.own)}"
        )

    def as_json(self) -> dict[str, float]:
        """For programs."""
        return {**asdict(self), "own": self.own}


def measure(told: Told, town: Town) -> Timing:
    """Take the neighbours' own time out of a release's time.

    The neighbours' time is CI's run on the pull request's branch, and Heroku's from the build's
    request until its new dyno answers.
    """
    moves = {line.to: line.recorded_at for line in told.transitions if line.kind == "move"}
    began, ended = moves.get("announced"), moves.get(told.stage)
    if began is None or ended is None:
        return Timing(0.0, 0.0, 0.0)
    head = (told.pull_request or {}).get("head_sha")
    runs = [(r.started, r.stopped) for r in town.ci.runs if r.revision == head and r.stopped]
    builds = [(start, up) for commit, start, up in town.heroku.swaps if commit == told.merge_sha]
    return Timing(
        (ended - began).total_seconds(),
        _within(runs, began, ended),
        _within(builds, began, ended),
    )


def _within(intervals: list[Interval], began: datetime, ended: datetime) -> float:
    clipped = [(max(start, began), min(end, ended)) for start, end in intervals]
    return sum(max((end - start).total_seconds(), 0.0) for start, end in clipped)
