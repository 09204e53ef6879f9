"""What came of a rehearsal, and whether it proves what it should."""

from dataclasses import dataclass, field

from bridge.rehearsal.show import Told
from bridge.rehearsal.timing import Timing

VERSIONS = ("0.1.0", "0.1.1")


@dataclass
class Played:
    """What came of it."""

    releases: list[Told] = field(default_factory=list)
    healths: list[dict[str, object]] = field(default_factory=list)
    timings: list[Timing] = field(default_factory=list)
    forged: int | None = None
    merge_button: str | None = None
    kills: int = 0
    pulls: dict[str, int] = field(default_factory=dict)
    builds: dict[str, int] = field(default_factory=dict)
    chain: dict[str, object] = field(default_factory=dict)

    @property
    def proven(self) -> bool:
        """Both versions verified, each by one pull request and one build, the second one serving,
        and the record whole."""
        return (
            [release.stage for release in self.releases] == ["verified"] * len(VERSIONS)
            and self.healths[-1].get("model_version") == VERSIONS[-1]
            and self.chain.get("holds") is True
            and set(self.pulls.values()) == set(self.builds.values()) == {1}
            and self.forged in (None, 401)
        )

    def as_json(self) -> dict[str, object]:
        """For programs."""
        return {
            "proven": self.proven,
            "releases": [release.model_dump(mode="json") for release in self.releases],
            "health": {"before": self.healths[0], "after": self.healths[-1]},
            "timings": [timing.as_json() for timing in self.timings],
            "audit": self.chain,
            "kills": self.kills,
            "pull_requests": self.pulls,
            "builds": self.builds,
            "alarms": {told.version: told.alarms for told in self.releases},
            "forged": self.forged,
            "merge_button": self.merge_button,
        }
