"""A release's way, whole: read this first.

    announced ► confirmed ► proposed ► merged ► deployed ► verified

Each stage has the step that leaves it, the stage that the step earns, and where a refusal leads.
"""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass

from bridge.release import Release, Stage
from bridge.steps.confirm import confirm
from bridge.steps.deploy import deploy
from bridge.steps.guard import guard
from bridge.steps.merge import merge
from bridge.steps.propose import propose
from bridge.steps.provenance import with_late_attestations
from bridge.steps.revert import revert
from bridge.steps.rollback import rollback
from bridge.steps.shown import shown
from bridge.steps.undone import undone
from bridge.steps.verify import verify
from bridge.steps.world import Outcome, World

Step = Callable[[Release, World], Awaitable[Outcome]]


@dataclass(frozen=True)
class Leg:
    """One step of the way."""

    step: Step
    earns: Stage
    refused: Stage = Stage.FAILED


PIPELINE: dict[Stage, Leg] = {
    Stage.ANNOUNCED: Leg(confirm, earns=Stage.CONFIRMED),
    Stage.CONFIRMED: Leg(propose, earns=Stage.PROPOSED),
    Stage.PROPOSED: Leg(with_late_attestations(merge), earns=Stage.MERGED),
    Stage.MERGED: Leg(shown(deploy), earns=Stage.DEPLOYED),
    Stage.DEPLOYED: Leg(shown(verify), earns=Stage.VERIFIED, refused=Stage.ROLLING_BACK),
    Stage.ROLLING_BACK: Leg(shown(rollback), earns=Stage.ROLLED_BACK),
}

AFTERCARE: dict[Stage, Leg] = {
    Stage.VERIFIED: Leg(shown(guard), earns=Stage.VERIFIED, refused=Stage.ROLLING_BACK),
    Stage.FAILED: Leg(undone, earns=Stage.FAILED, refused=Stage.ROLLING_BACK),
    Stage.ROLLED_BACK: Leg(revert, earns=Stage.ROLLED_BACK),
}
"""Ends that are looked after until nothing is left to do: the release stays where it stands."""
