"""Readings that say the same are one row."""

from datetime import UTC, datetime, timedelta

from bridge.facts import Reading
from bridge.web.series import series

BEGAN = datetime(2026, 11, 23, 9, tzinfo=UTC)


def test_readings_that_say_the_same_are_one_row() -> None:
    said = [("contradicts", "web.1"), ("contradicts", "web.2"), ("matches", "web.1")]
    said += [("contradicts", "web.1")]
    readings = [
        Reading.model_validate(
            {"at": BEGAN + timedelta(seconds=number), "verdict": verdict, "instance": instance}
        )
        for number, (verdict, instance) in enumerate(said)
    ]
    rows = series(readings)
    assert [("contradicts", 2), ("matches", 1), ("contradicts", 1)] == [
        (row.first.verdict, row.count) for row in rows
    ]
    assert ["web.1", "web.2"] == rows[0].instances
    assert (readings[0].at, readings[1].at) == (rows[0].first.at, rows[0].last.at)
    assert [] == series([])
