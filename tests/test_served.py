"""What serves, and whether that is proven, is read from the record alone."""

from datetime import timedelta

import pytest

from bridge.served import Told, history
from tests.bridge_kit import NOW

Line = tuple[int, str, str, str]
"""Which release, the kind of the line, the stages, the code."""


def told(lines: list[Line]) -> list[Told]:
    return [
        Told(
            seq,
            release,
            "p",
            f"0.{release}",
            kind,
            way.partition(">")[0],
            way.partition(">")[2],
            code,
            NOW + timedelta(minutes=seq),
            "0.1" if way.endswith(">rolled_back") else None,
        )
        for seq, (release, kind, way, code) in enumerate(lines, start=1)
    ]


def move(release: int, way: str, code: str = "") -> Line:
    return release, "move", way, code or way.partition(">")[2]


FIRST = [move(1, "merged>deployed"), move(1, "deployed>verified")]
BUILD: Line = (2, "intent", "merged>merged", "intent_build")
WATCH: Line = (2, "note", "merged>merged", "waiting_for_deploy")


@pytest.mark.parametrize(
    ("lines", "serves"),
    [
        ([], []),
        ([move(1, ">announced"), BUILD], []),
        (FIRST, [("0.1", False), ("0.1", True)]),
        ([*FIRST, BUILD], [("0.1", False)]),
        ([*FIRST, WATCH, BUILD], [("0.1", False)]),
        (
            [*FIRST, BUILD, move(2, "merged>failed", "build_failed")],
            [("0.1", False), ("0.1", True)],
        ),
        ([*FIRST, BUILD, move(2, "merged>failed", "taken_over")], [("0.1", False)] * 2),
        ([*FIRST, WATCH, move(2, "merged>superseded", "overtaken")], [("0.1", False)]),
        ([*FIRST, move(2, "merged>failed", "quarantined")], []),
        (
            [*FIRST, BUILD, move(2, "merged>deployed"), move(2, "deployed>verified")],
            [("0.1", False), ("0.2", False), ("0.2", True)],
        ),
        (
            [
                *FIRST,
                move(2, "merged>deployed"),
                move(2, "deployed>rolling_back"),
                move(2, "rolling_back>rolled_back"),
            ],
            [("0.2", False), ("0.2", False), ("0.1", True)],
        ),
        ([*FIRST, move(2, "merged>deployed"), move(2, "deployed>failed")], [("0.2", False)] * 2),
        (
            [
                *FIRST,
                (1, "alarm", "verified>verified", "contradicts_later"),
                (1, "note", "verified>verified", "serves_again"),
            ],
            [("0.1", False), ("0.1", True)],
        ),
        ([*FIRST, (1, "alarm", "verified>verified", "late_digest")], []),
        ([*FIRST, (2, "note", "proposed>proposed", "serves_again")], []),
    ],
)
def test_what_serves_is_said_and_whether_it_is_proven(
    lines: list[Line], serves: list[tuple[str, bool]]
) -> None:
    found = [(one.version, one.proven) for one in history(told(lines))]
    assert serves == (found if lines == FIRST else found[2:])


def test_a_failed_build_after_a_failed_version_proves_nothing() -> None:
    failed = [move(1, "merged>deployed"), move(1, "deployed>failed")]
    lines = [*failed, BUILD, move(2, "merged>failed", "build_failed")]
    assert not any(one.proven for one in history(told(lines)))


def test_a_failed_build_after_one_that_was_taken_over_proves_nothing() -> None:
    """What somebody else deployed in between goes on running, whatever the next build comes to."""
    taken = [*FIRST, BUILD, move(2, "merged>failed", "taken_over")]
    lines = [*taken, (3, *BUILD[1:]), move(3, "merged>failed", "build_failed")]
    found = list(history(told(lines)))
    assert [False] * len(found[2:]) == [one.proven for one in found[2:]]
    assert "taken_over" in [one.code for one in found]


def test_it_is_broken_from_the_failure_to_the_next_proof() -> None:
    lines = [
        *FIRST,
        move(2, "merged>deployed"),
        move(2, "deployed>failed"),
        move(3, "merged>deployed"),
        move(3, "deployed>verified"),
    ]
    broken = NOW + timedelta(minutes=4)
    assert [None, None, None, broken, broken, None] == [
        one.broken_since for one in history(told(lines))
    ]


def test_pipelines_do_not_mix() -> None:
    mine = told(FIRST)
    others = [one._replace(pipeline="q", seq=one.seq + 2, version="7") for one in mine]
    found = {one.pipeline: one.version for one in history([*mine, *others])}
    assert {"p": "0.1", "q": "7"} == found
