"""Who may work on what, and when: claims, leases, fences, wakes, and one deployment per app."""

import contextlib
import random
from collections.abc import Iterator
from datetime import timedelta
from functools import partial

import pytest
from sqlmodel import Session, col

from bridge import ledger
from bridge.delivery import DeliveryState
from bridge.errors import LeaseLost, Reason
from bridge.release import Release, Stage
from bridge.store import Store, deliveries, record, releases
from tests.bridge_kit import NOW, a_store, begin, keep, told

LEASE = timedelta(seconds=120)
SOON = NOW + timedelta(seconds=5)


@pytest.fixture
def store(url: str) -> Iterator[Store]:
    with a_store(url) as made:
        yield made


async def placed(store: Store, version: str, stage: Stage, since: int = 0, app: str = "a") -> int:
    """A release that stands at `stage` since so many seconds after NOW, due at once."""

    def work(session: Session) -> int:
        row = begin(session, version)
        row.stage, row.app, row.since = stage, app, NOW + timedelta(seconds=since)
        session.add(row)
        return row.key

    return await store.write(work)


async def claimed(store: Store, by: str = "one", after: float = 0) -> list[str]:
    """The versions that a worker gets, so many seconds after NOW."""
    now = NOW + timedelta(seconds=after)
    found = await store.write(lambda session: releases.claim(session, now, by, LEASE, 10))
    return sorted(release.version for release in found)


async def test_a_claim_gives_a_lease_and_a_higher_fence(store: Store) -> None:
    await placed(store, "0.1.0", Stage.ANNOUNCED)
    (release,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    assert ("one", NOW + LEASE, NOW + LEASE) == (
        release.claimed_by,
        release.claimed_until,
        release.due_at,
    )
    assert (1, 1) == (release.fence, release.attempts)


async def test_whoever_slept_past_the_lease_never_writes(store: Store) -> None:
    """A hundred times: somebody takes over, does more or less, and then the sleeper wakes up."""
    key = await placed(store, "0.1.0", Stage.ANNOUNCED)
    chance = random.Random(1)  # noqa: S311 - chaos, not secrets

    def move(session: Session, claim: Release) -> None:
        row = releases.held(session, claim)
        releases.give_back(row, NOW)
        session.add(row)
        ledger.note(session, row, "note", Reason("c", claim.claimed_by or ""), NOW)

    claim = partial(releases.claim, lease=LEASE, limit=1)
    for turn in range(100):
        begins, lapses = NOW + turn * LEASE, NOW + (turn + 1) * LEASE
        (sleeper,) = await store.write(partial(claim, now=begins, worker="sleeper"))
        (other,) = await store.write(partial(claim, now=lapses, worker="other"))
        late = partial(move, claim=sleeper)
        acts = [partial(move, claim=other), late, late][chance.randrange(2) :]
        for act in chance.sample(acts, len(acts)):
            with contextlib.suppress(LeaseLost):
                await store.write(act)
        await store.write(partial(releases.take_back, now=lapses, worker="other"))
    lines = await store.read(lambda session: record.of_release(session, key))
    assert {"other"} == {line.sentence for line in lines if line.kind == "note"}


async def test_a_busy_repository_leaves_room_for_the_others(store: Store) -> None:
    whose = dict.fromkeys(("busy-1", "busy-2"), "acme/busy") | {"quiet": "acme/quiet"}
    names = [f"busy-{1 + number % 2}" for number in range(40)] + ["quiet", "nobodys"]

    def crowd(session: Session) -> None:
        for number, name in enumerate(names):
            row = begin(session, f"0.1.{number}", name=name)
            row.due_at = NOW + timedelta(milliseconds=number)
            session.add(row)

    def claim(session: Session, limit: int) -> list[str]:
        found = releases.claim(session, SOON, "one", LEASE, limit, whose)
        return sorted(release.pipeline for release in found)

    await store.write(crowd)
    assert ["busy-1", "nobodys", "quiet"] == await store.write(lambda s: claim(s, 3))
    assert 5 == len(await store.write(lambda s: claim(s, 10))), "six of the busy one in all"
    assert [] == await store.write(lambda s: claim(s, 10))
    other = await store.write(lambda s: releases.claim(s, SOON, "two", LEASE, 10, whose))
    assert 6 == len(other), "another process has a share of its own"


async def test_a_lapsed_lease_is_due_again_and_its_holder_cannot_write(store: Store) -> None:
    await placed(store, "0.1.0", Stage.ANNOUNCED)
    (first,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    assert [] == await claimed(store, "two", after=119)
    assert ["0.1.0"] == await claimed(store, "two", after=120)
    with pytest.raises(LeaseLost):
        await store.write(lambda session: releases.held(session, first))


async def test_the_same_worker_cannot_write_on_its_older_lease(store: Store) -> None:
    await placed(store, "0.1.0", Stage.ANNOUNCED)
    (first,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    (second,) = await store.write(lambda s: releases.claim(s, NOW + LEASE, "one", LEASE, 10))
    with pytest.raises(LeaseLost):
        await store.write(lambda session: releases.held(session, first))
    assert await store.write(lambda session: releases.held(session, second).version)


async def give_back(store: Store, release: int, after: float | None) -> None:
    def work(session: Session) -> None:
        row = session.get_one(Release, release)
        releases.give_back(row, None if after is None else NOW + timedelta(seconds=after))
        session.add(row)

    await store.write(work)


async def due(store: Store) -> float | None:
    moment = store.read_now(releases.next_due)
    return None if moment is None else (moment - NOW).total_seconds()


async def test_a_wake_during_a_step_is_not_slept_over(store: Store) -> None:
    key = await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    assert 1 == await store.write(lambda session: releases.wake(session, SOON))
    await give_back(store, key, after=300)
    assert 5 == await due(store)
    assert ["0.1.0"] == await claimed(store, after=6)


async def test_a_wake_during_a_step_does_not_start_it_twice(store: Store) -> None:
    await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    await store.write(lambda session: releases.wake(session, SOON))
    assert [] == await claimed(store, "two", after=6)
    assert 120 == await due(store), "a worker that cannot claim it must not spin"


async def test_without_a_wake_the_steps_own_wish_counts(store: Store) -> None:
    key = await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store)
    await give_back(store, key, after=300)
    assert 300 == await due(store)
    assert [] == await claimed(store, after=299)


async def at_rest(store: Store, version: str, stage: Stage) -> int:
    """A release at an end, of which nothing is looked after."""
    key = await placed(store, version, stage)

    def rest(session: Session) -> None:
        session.get_one(Release, key).due_at = None

    await store.write(rest)
    return key


async def test_an_end_is_not_woken(store: Store) -> None:
    for place, stage in enumerate(stage for stage in Stage if stage.is_end):
        await at_rest(store, f"0.{place}", stage)
    assert 0 == await store.write(lambda session: releases.wake(session, NOW))


async def slept(store: Store, key: int) -> None:
    """The release is looked at again in two days."""
    await claimed(store)
    await give_back(store, key, after=2 * 86400)


async def newer_is_proposed(store: Store) -> None:
    """0.1.1 was proposed five seconds after NOW."""

    def work(session: Session) -> None:
        newer = releases.of_version(session, "house-prices", "0.1.1")
        assert newer is not None
        ledger.wake_older(session, newer, SOON)

    await store.write(work)


@pytest.mark.parametrize("stage", [Stage.ANNOUNCED, Stage.CONFIRMED, Stage.PROPOSED])
async def test_a_newer_proposal_wakes_what_is_not_merged(store: Store, stage: Stage) -> None:
    await slept(store, await placed(store, "0.1.0", stage))
    await slept(store, await placed(store, "0.1.1", Stage.PROPOSED))
    await newer_is_proposed(store)
    assert ["0.1.0"] == await claimed(store, after=6)
    (woken,) = store.read_now(lambda s: releases.find(s, "regression-model", "0.1.0"))
    assert stage is woken.stage, "each ends itself"


@pytest.mark.parametrize("stage", [Stage.MERGED, Stage.DEPLOYED, Stage.ROLLING_BACK])
async def test_a_newer_proposal_leaves_what_is_merged_alone(store: Store, stage: Stage) -> None:
    await slept(store, await placed(store, "0.1.0", stage))
    await slept(store, await placed(store, "0.1.1", Stage.PROPOSED))
    await newer_is_proposed(store)
    assert [] == await claimed(store, after=6)


async def test_what_a_dead_process_held_is_due_at_start(store: Store) -> None:
    await placed(store, "0.1.0", Stage.PROPOSED)
    await claimed(store, "one")
    await store.write(lambda session: releases.take_back(session, SOON))
    assert 5 == await due(store)
    assert ["0.1.0"] == await claimed(store, "two", after=6)


async def test_a_holder_cannot_write_what_was_taken_back(store: Store) -> None:
    await placed(store, "0.1.0", Stage.PROPOSED)
    (first,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    await store.write(lambda session: releases.take_back(session, SOON))
    with pytest.raises(LeaseLost):
        await store.write(lambda session: releases.held(session, first))


async def test_what_one_worker_held_is_taken_back_from_it_alone(store: Store) -> None:
    for worker, version in (("one", "0.1.0"), ("two", "0.1.1")):
        await placed(store, version, Stage.PROPOSED)
        assert [version] == await claimed(store, worker)
    await store.write(lambda session: releases.take_back(session, SOON, "one"))
    assert ["0.1.0"] == await claimed(store, "three", after=6)


async def test_an_end_is_not_taken_back(store: Store) -> None:
    await at_rest(store, "0.1.0", Stage.VERIFIED)
    await store.write(lambda session: releases.take_back(session, SOON))
    assert await due(store) is None


async def test_longest_due_comes_first_and_no_more_than_asked_for(store: Store) -> None:
    for version in ("0.1.0", "0.1.1", "0.1.2"):
        await placed(store, version, Stage.ANNOUNCED)

    def later(session: Session) -> None:
        row = releases.of_version(session, "house-prices", "0.1.0")
        assert row is not None
        row.due_at = SOON
        session.add(row)

    await store.write(later)
    found = await store.write(lambda s: releases.claim(s, SOON, "one", LEASE, 2))
    assert ["0.1.1", "0.1.2"] == sorted(release.version for release in found)
    assert ["0.1.0"] == await claimed(store, after=10)
    assert [] == await claimed(store, after=10)


async def test_one_deployment_per_app_first_merged_first(store: Store) -> None:
    await placed(store, "0.1.0", Stage.MERGED, since=1)
    await placed(store, "0.1.1", Stage.MERGED, since=2)
    await placed(store, "0.1.2", Stage.MERGED, since=0, app="another-app")
    assert ["0.1.0", "0.1.2"] == await claimed(store, after=9)
    assert [] == await claimed(store, after=9)


@pytest.mark.parametrize("busy", [Stage.DEPLOYED, Stage.ROLLING_BACK])
async def test_a_merge_waits_for_what_is_under_way(store: Store, busy: Stage) -> None:
    key = await placed(store, "0.1.0", busy, since=9)
    await placed(store, "0.1.1", Stage.MERGED, since=1)
    assert ["0.1.0"] == await claimed(store, after=10)

    def end(session: Session) -> None:
        row = session.get_one(Release, key)
        row.stage, row.due_at = Stage.VERIFIED, None
        session.add(row)

    await store.write(end)
    assert ["0.1.1"] == await claimed(store, after=11)


@pytest.mark.parametrize("stage", [Stage.ANNOUNCED, Stage.CONFIRMED, Stage.PROPOSED])
async def test_the_lane_holds_up_nothing_before_the_merge(store: Store, stage: Stage) -> None:
    await placed(store, "0.1.0", Stage.DEPLOYED)
    await placed(store, "0.1.1", stage)
    assert ["0.1.0", "0.1.1"] == await claimed(store)


async def test_merged_in_the_same_moment_the_first_one_goes(store: Store) -> None:
    await placed(store, "0.1.0", Stage.MERGED)
    await placed(store, "0.1.1", Stage.MERGED)
    assert ["0.1.0"] == await claimed(store)


async def test_a_delivery_is_kept_once_by_its_id_and_by_its_body(store: Store) -> None:
    first = await keep(store, told("a", "1"))
    assert first.is_new
    for again in (told("a", "2"), told("b", "1"), told("a", "1")):
        kept = await keep(store, again)
        assert (first.id, False) == (kept.id, kept.is_new)
    assert (await keep(store, told("a", "1", source="heroku"))).is_new


async def test_a_redelivery_of_something_unfinished_is_due_again(store: Store) -> None:
    await keep(store, told("a", "1"))
    (taken,) = await store.write(lambda s: deliveries.claim(s, NOW, LEASE, 9))
    await store.write(lambda s: deliveries.retry(s, taken, NOW + timedelta(hours=1), "not now"))
    await keep(store, told("a", "1", at=60))
    assert NOW + timedelta(seconds=60) == store.read_now(deliveries.next_due)


@pytest.mark.parametrize("state", ["handled", "ignored", "parked"])
async def test_a_redelivery_of_something_finished_changes_nothing(store: Store, state: str) -> None:
    await keep(store, told("a", "1"))
    (taken,) = await store.write(lambda s: deliveries.claim(s, NOW, LEASE, 9))
    end = deliveries.End(taken, DeliveryState(state), "Done.")
    await store.write(lambda s: deliveries.finish(s, [end]))
    await keep(store, told("a", "1", at=60))
    assert store.read_now(deliveries.next_due) is None
    (row,) = store.read_now(lambda s: deliveries.newest(s, 9))
    assert (state, "Done.", 1) == (row.state.value, row.sentence, row.attempts)


async def test_an_attempt_is_counted_before_it_is_made(store: Store) -> None:
    await keep(store, told("a", "1"))
    for attempt in (1, 2, 3):
        now = NOW + attempt * LEASE
        (taken,) = await store.write(partial(deliveries.claim, now=now, lease=LEASE, limit=9))
        assert attempt == taken.attempts


async def test_a_renewed_lease_holds_and_what_woke_it_is_not_forgotten(store: Store) -> None:
    for version in ("0.1.0", "0.1.1"):
        await placed(store, version, Stage.PROPOSED)
    held = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    woken = next(release for release in held if release.version == "0.1.1")
    await store.write(lambda s: releases.wake(s, SOON, col(Release.id) == woken.key))
    await store.write(partial(releases.renew, claimed=held, until=NOW + 2 * LEASE))
    assert [] == await claimed(store, "two", after=239)
    rows = store.read_now(lambda s: releases.newest(s, 9))
    assert {"0.1.0": NOW + 2 * LEASE, "0.1.1": SOON} == {row.version: row.due_at for row in rows}
    await give_back(store, woken.key, after=1000)
    assert ["0.1.1"] == await claimed(store, "two", after=239)
    assert ["0.1.0"] == await claimed(store, "three", after=240)


async def test_a_lease_that_another_has_is_not_renewed(store: Store) -> None:
    await placed(store, "0.1.0", Stage.PROPOSED)
    held = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    assert ["0.1.0"] == await claimed(store, "two", after=120)
    await store.write(partial(releases.renew, claimed=held, until=NOW + 99 * LEASE))
    assert ["0.1.0"] == await claimed(store, "three", after=240)


async def test_what_was_tried_before_is_claimed_alone_and_no_other_is_blamed(store: Store) -> None:
    for name in ("a", "b", "c"):
        await keep(store, told(name, name))
    claim = partial(deliveries.claim, lease=LEASE, limit=9)
    assert 3 == len(await store.write(partial(claim, now=NOW)))
    await keep(store, told("d", "d", at=240))
    for attempts in (2, 3, 4):
        (first,) = await store.write(partial(claim, now=NOW + attempts * LEASE / 2))
        assert ("a", attempts) == (first.delivery_id, first.attempts)
        await store.write(partial(deliveries.retry, delivery=first, at=NOW, sentence="Again."))
    rows = store.read_now(lambda s: deliveries.newest(s, 9))
    assert {"a": 4, "b": 1, "c": 1, "d": 0} == {row.delivery_id: row.attempts for row in rows}


async def test_a_delivery_that_another_has_cannot_be_finished(store: Store) -> None:
    await keep(store, told("a", "1"))
    claim = partial(deliveries.claim, lease=LEASE, limit=9)
    (mine,) = await store.write(partial(claim, now=NOW))
    await keep(store, told("b", "2", at=1))
    (first,) = await store.write(partial(claim, now=NOW + LEASE))
    (second,) = await store.write(partial(claim, now=NOW + LEASE))
    odd = [deliveries.End(one, DeliveryState.PARKED, "Odd.") for one in (second, mine)]
    with pytest.raises(LeaseLost):
        await store.write(lambda s: deliveries.finish(s, odd))
    with pytest.raises(LeaseLost):
        await store.write(lambda s: deliveries.retry(s, mine, SOON, "Odd."))
    ends = [deliveries.End(one, DeliveryState.HANDLED, "Done.") for one in (first, second)]
    await store.write(lambda s: deliveries.finish(s, ends))
    assert ["Done."] * 2 == [
        row.sentence for row in store.read_now(lambda s: deliveries.newest(s, 9))
    ]
    with pytest.raises(LeaseLost):
        await store.write(lambda s: deliveries.finish(s, ends))


@pytest.mark.parametrize("worker", [None, "one"])
async def test_what_may_have_taken_effect_waits_for_its_lease(
    store: Store, worker: str | None
) -> None:
    await placed(store, "0.1.0", Stage.MERGED)
    (held,) = await store.write(lambda s: releases.claim(s, NOW, "one", LEASE, 10))
    why = Reason("intent_build", "About to build.")
    await store.write(lambda s: ledger.note(s, releases.held(s, held), "intent", why, NOW))
    await store.write(lambda session: releases.take_back(session, SOON, worker))
    assert [] == await claimed(store, "two", after=6)
    assert ["0.1.0"] == await claimed(store, "two", after=LEASE.total_seconds())
