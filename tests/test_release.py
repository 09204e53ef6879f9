"""The graph of stages: every move that is drawn, and no other."""

from datetime import timedelta
from itertools import product

import pytest

from bridge.errors import Reason
from bridge.facts import Facts, PullRequest
from bridge.pipeline import AFTERCARE, PIPELINE
from bridge.release import ENDS, LOOKED_AFTER, MOVES, RETRYABLE, UNMERGED, Release, Stage, move
from tests.bridge_kit import NOW

WHY = Reason("because", "Because.")


def standing(stage: Stage) -> Release:
    return Release(
        pipeline="p",
        package="m",
        version="1",
        canonical="1",
        app="a",
        stage=stage,
        code="old",
        sentence="Old.",
        since=NOW,
        created_at=NOW,
        facts=Facts(),
        attempts=3,
    )


DRAWN = [(here, there) for here, theres in MOVES.items() for there in theres]


@pytest.mark.parametrize(("here", "there"), sorted(DRAWN))
def test_a_drawn_move_changes_everything_that_tells_of_it(here: Stage, there: Stage) -> None:
    release, later = standing(here), NOW + timedelta(minutes=1)
    move(release, there, WHY, later)
    assert (there, WHY, later, 0) == (
        release.stage,
        release.reason,
        release.since,
        release.attempts,
    )
    assert (None if there in ENDS - LOOKED_AFTER else later) == release.due_at


@pytest.mark.parametrize(
    ("here", "there"), sorted({*product(Stage, Stage)} - {*DRAWN}, key=lambda pair: str(pair))
)
def test_any_other_move_is_a_bug_and_changes_nothing(here: Stage, there: Stage) -> None:
    release = standing(here)
    with pytest.raises(ValueError, match="no way"):
        move(release, there, WHY, NOW)
    assert (here, "old") == (release.stage, release.code)


def test_every_stage_is_an_end_or_has_a_step() -> None:
    assert set(Stage) == ENDS | PIPELINE.keys()
    assert not ENDS & PIPELINE.keys()
    assert LOOKED_AFTER == AFTERCARE.keys()
    assert {*PIPELINE, *RETRYABLE, *AFTERCARE} == MOVES.keys()
    assert all(Stage.ANNOUNCED in MOVES[stage] for stage in RETRYABLE)
    assert ENDS == {stage for stage in Stage if stage.is_end}


def test_every_step_leads_where_the_graph_goes() -> None:
    for stage, leg in PIPELINE.items():
        assert {leg.earns, leg.refused} <= MOVES[stage]


def test_only_what_is_not_deployed_can_be_superseded() -> None:
    stages = {stage for stage, theres in MOVES.items() if Stage.SUPERSEDED in theres}
    assert UNMERGED | {Stage.MERGED} == stages


def test_only_what_is_not_merged_can_be_declined() -> None:
    assert not any(Stage.DECLINED in MOVES[stage] for stage in MOVES.keys() - UNMERGED)


def test_what_is_merged_reaches_verified_only_over_deployed() -> None:
    assert [Stage.DEPLOYED] == [stage for stage, to in MOVES.items() if Stage.VERIFIED in to]


def test_a_release_that_was_never_written_has_no_key() -> None:
    with pytest.raises(ValueError, match="never written"):
        assert standing(Stage.ANNOUNCED).key


def test_a_pull_request_reads_githubs_name_and_ours() -> None:
    told = {"id": "PR_1", "number": 1, "url": "https://github.test/1"}
    theirs = PullRequest.model_validate({**told, "headRefOid": "ab"})
    assert theirs == PullRequest.model_validate(theirs.model_dump())
    assert "ab" == theirs.head_sha
