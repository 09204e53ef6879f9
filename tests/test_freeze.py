"""Freezes: the clocks of a place, also on the days when they are put forward or back."""

from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError

from bridge.freeze import DAYS, Freeze, frozen_until, next_freeze

CHANGES = {
    "Europe/Berlin": ["2026-03-29T01:00", "2026-10-25T01:00"],
    "America/New_York": ["2026-03-08T07:00", "2026-11-01T06:00"],
    "Australia/Lord_Howe": ["2026-04-04T15:00", "2026-10-03T15:30"],
    "Africa/Casablanca": ["2026-02-15T02:00", "2026-03-22T02:00"],
    "Asia/Kathmandu": ["2026-06-07T00:00"],
}
AROUND = st.sampled_from([(zone, at) for zone, moments in CHANGES.items() for at in moments])
OF_THE_WEEK = st.builds(
    lambda day, minute: f"{day} {minute // 60:02}:{minute % 60:02}",
    st.sampled_from(DAYS),
    st.integers(0, 1439),
)
NEAR_SUNDAY = st.builds(
    lambda day, minute: f"{day} {minute // 60:02}:{minute % 60:02}",
    st.sampled_from(["Sat", "Sun"]),
    st.integers(0, 239),
)


def freeze(begin: str, end: str, tz: str = "Europe/Berlin") -> Freeze:
    return Freeze.model_validate({"from": begin, "to": end, "tz": tz})


def at(moment: str) -> datetime:
    return datetime.fromisoformat(moment).replace(tzinfo=UTC)


def reads_frozen(one: Freeze, now: datetime) -> bool:
    """What somebody says who looks at the clock on the wall and the words in bridge.toml."""
    wall = now.astimezone(ZoneInfo(one.tz))
    clock = f"{wall.weekday()} {wall:%H:%M}"
    begin, end = (f"{DAYS.index(said[:3])} {said[4:]}" for said in (one.begin, one.end))
    return begin <= clock < end if begin < end else clock >= begin or clock < end


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-27T14:59", None),
        ("2026-11-27T15:00", "2026-11-30T07:00"),
        ("2026-11-29T12:00", "2026-11-30T07:00"),
        ("2026-11-30T06:59", "2026-11-30T07:00"),
        ("2026-11-30T07:00", None),
        ("2026-07-10T14:00", "2026-07-13T06:00"),
        ("2026-10-25T12:00", "2026-10-26T07:00"),
    ],
)
def test_a_weekend_is_frozen_by_its_own_clocks(now: str, until: str | None) -> None:
    found = frozen_until([freeze("Fri 16:00", "Mon 08:00")], at(now))
    assert found == (until and (at(until), "Europe/Berlin"))


def test_a_night_that_does_not_exist_or_comes_twice_is_frozen_whole() -> None:
    night = freeze("Sun 02:30", "Sun 02:45")
    assert frozen_until([night], at("2026-10-25T00:30")) == (at("2026-10-25T01:45"), night.tz)
    assert frozen_until([night], at("2026-03-29T01:00")) == (at("2026-03-29T01:45"), night.tz)


@given(AROUND, st.integers(-2880, 2880), st.one_of(NEAR_SUNDAY, OF_THE_WEEK), NEAR_SUNDAY)
def test_a_freeze_is_never_shorter_than_it_reads(
    change: tuple[str, str], minutes: int, begin: str, end: str
) -> None:
    if begin == end:
        return
    one, now = freeze(begin, end, change[0]), at(change[1]) + timedelta(minutes=minutes)
    found = frozen_until([one], now)
    if reads_frozen(one, now):
        assert found
    elif found:
        # longer only where the clocks have just been changed, and by what they were changed
        around = (now + timedelta(minutes=step) for step in range(-60, 61))
        assert any(reads_frozen(one, moment) for moment in around)
        assert (
            len(
                {
                    moment.astimezone(ZoneInfo(one.tz)).utcoffset()
                    for moment in (now - timedelta(hours=3), now + timedelta(hours=3))
                }
            )
            == 2
        )


@given(AROUND, st.integers(-20160, 20160), OF_THE_WEEK, OF_THE_WEEK)
def test_a_freeze_ends_when_it_says_and_the_next_begins_when_it_says(
    change: tuple[str, str], minutes: int, begin: str, end: str
) -> None:
    if begin == end:
        return
    one, now = freeze(begin, end, change[0]), at(change[1]) + timedelta(minutes=minutes)
    instant = timedelta(microseconds=1)
    following = next_freeze([one], now)
    assert following
    assert now < following <= now + timedelta(days=8)
    assert frozen_until([one], following)
    if found := frozen_until([one], now):
        assert now < found[0] <= now + timedelta(days=8)
        assert frozen_until([one], found[0] - instant)
        after = frozen_until([one], found[0])
        assert after is None or next_freeze([one], found[0] - instant) == found[0]
    else:
        assert frozen_until([one], following - instant) is None


def test_one_freeze_goes_on_with_the_next_and_never_for_ever() -> None:
    week = [freeze("Fri 16:00", "Sat 12:00"), freeze("Sat 10:00", "Mon 08:00")]
    assert frozen_until(week, at("2026-11-27T18:00")) == (at("2026-11-30T07:00"), "Europe/Berlin")
    always = [freeze("Mon 08:00", "Fri 08:00"), freeze("Fri 08:00", "Mon 08:00")]
    assert frozen_until(always, at("2026-11-27T18:00"))


def test_no_freeze_holds_never() -> None:
    now = at("2026-11-27T18:00")
    assert (None, None) == (frozen_until([], now), next_freeze([], now))


@pytest.mark.parametrize(
    "fields",
    [
        {"from": "Fri 16:00", "to": "Fri 16:00", "tz": "UTC"},
        {"from": "Friday 16:00", "to": "Mon 08:00", "tz": "UTC"},
        {"from": "Fri 24:00", "to": "Mon 08:00", "tz": "UTC"},
        {"from": "Fri 16:00", "to": "Mon 8:00", "tz": "UTC"},
        {"from": "Fri 16:00", "to": "Mon 08:00"},
        {"from": "Fri 16:00", "to": "Mon 08:00", "tz": "Europe/Atlantis"},
        {"from": "Fri 16:00", "to": "Mon 08:00", "tz": "../../etc/passwd"},
        {"from": "Fri 16:00", "to": "Mon 08:00", "tz": ""},
        {"from": "Fri 16:00", "to": "Mon 08:00", "tz": "UTC", "why": "weekend"},
    ],
)
def test_a_freeze_that_makes_no_sense_is_refused(fields: dict[str, str]) -> None:
    with pytest.raises(ValidationError):
        Freeze.model_validate(fields)
