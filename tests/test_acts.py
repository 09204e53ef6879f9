"""The acts over HTTP: which buttons a person gets, what they do, and what stands in the record."""

import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from sqlmodel import Session

from bridge import audit
from bridge.bootstrap import Bridge
from bridge.delivery import DeliveryState
from bridge.facts import Allowance, Facts, HerokuDeployment
from bridge.notice import Notice
from bridge.person import By, Person, Role
from bridge.release import Release, Stage
from bridge.store import deliveries, outbox, pauses, record
from bridge.web import acts
from bridge.web.people.who import SOMEBODY_HERE
from tests.bridge_kit import NOW, a_bridge, begin, keep, told
from tests.people_kit import CAROL, OWN_PAGE, ROSA, TOKENS, acts_of, asking, carrying
from tests.web_kit import EVIL, Page

KNOWN = ["house-prices"]
CAROL_HERSELF = Person("carol", "carol", Role.VIEWER, By.TOKEN)
BECAUSE = {"reason": "Angry customers."}


@pytest.fixture
async def bridge(tmp_path: Path, url: str) -> AsyncIterator[Bridge]:
    async with a_bridge(tmp_path, database_url=url, web=TOKENS) as made:
        yield made


async def standing(
    bridge: Bridge, version: str, stage: Stage, code: str = "", **facts: object
) -> int:
    """A release that stands there, for that reason."""

    def work(session: Session) -> int:
        row = begin(session, version)
        row.stage, row.facts = stage, Facts.model_validate(facts)
        row.code = code or row.code
        row.due_at = None
        session.add(row)
        return row.key

    return await bridge.store.write(work)


def release(bridge: Bridge, key: int) -> Release:
    return bridge.store.read_now(lambda session: session.get_one(Release, key))


async def offered(bridge: Bridge, key: int, person: Person = SOMEBODY_HERE) -> dict[str, acts.Act]:
    """The buttons of a release, by the last word of their path."""

    def look(session: Session) -> list[acts.Act]:
        return acts.of_release(session, session.get_one(Release, key), person, NOW)

    return {one.path.rsplit("/", 1)[1]: one for one in await bridge.store.read(look)}


# which buttons


async def test_a_release_offers_what_makes_sense_and_says_why_not_the_rest(bridge: Bridge) -> None:
    await standing(bridge, "0.1.0", Stage.VERIFIED)
    failed = await offered(bridge, await standing(bridge, "0.1.1", Stage.FAILED, "build_failed"))
    assert {"retry", "rollback", "quarantine"} == failed.keys()
    assert failed["retry"].why_not is failed["quarantine"].why_not is None
    assert "does not serve" in f"{failed['rollback'].why_not}"
    assert [("reason", True)] == [(ask.name, ask.required) for ask in failed["retry"].asks]
    assert ["reason", "until"] == [ask.name for ask in failed["quarantine"].asks]
    assert (False, True) == (failed["retry"].danger, failed["quarantine"].danger)
    serving = await standing(
        bridge, "0.1.2", Stage.VERIFIED, heroku=HerokuDeployment(build="b", release=42)
    )
    assert (await offered(bridge, serving))["rollback"].why_not is None


@pytest.mark.parametrize(("code", "allowance"), acts.ALLOWS.items())
async def test_what_a_person_may_allow_is_what_holds_it_up(
    bridge: Bridge, code: str, allowance: Allowance
) -> None:
    stage = Stage.PROPOSED if code == "frozen" else Stage.FAILED
    retry = (await offered(bridge, await standing(bridge, "0.1.1", stage, code)))["retry"]
    assert retry.why_not is None
    assert [(allowance,)] == [ask.choices for ask in retry.asks if ask.name == "allow"]


async def test_of_quarantine_and_its_end_there_is_one(bridge: Bridge) -> None:
    held = {"by": "rosa", "why": "x", "since": NOW, "until": NOW + timedelta(hours=1)}
    key = await standing(bridge, "0.1.1", Stage.CONFIRMED, quarantine=held)
    names = (await offered(bridge, key)).keys()
    assert ("release-quarantine" in names, "quarantine" in names) == (True, False)


async def test_a_viewer_gets_none_and_is_told_why(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    for one in (await offered(bridge, key, CAROL_HERSELF)).values():
        assert "carol may look, but not act" in f"{one.why_not}"


async def test_a_pipeline_offers_pause_or_resume(bridge: Bridge) -> None:
    async def look(name: str | None) -> str:
        (one,) = await bridge.store.read(
            lambda session: acts.of_line(session, name, KNOWN, SOMEBODY_HERE, NOW)
        )
        assert one.why_not is None
        return one.path

    assert ("/pipelines/house-prices/pause", "/everything/pause") == (
        await look("house-prices"),
        await look(None),
    )
    async with asking(bridge, {**carrying(ROSA)}) as client:
        await client.post("/api/v1/everything/pause", json=BECAUSE)
    assert ("/pipelines/house-prices/pause", "/everything/resume") == (
        await look("house-prices"),
        await look(None),
    )


# what they do


async def test_a_button_acts_and_leads_back_with_a_word(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        answer = await client.post(f"/releases/{key}/retry", data=BECAUSE)
        assert 303 == answer.status_code
        page, _, number = answer.headers["location"].partition("?done=")
        assert f"/releases/{key}" == page
        assert 200 == (await client.get(page)).status_code
        again = await client.post(f"/releases/{key}/retry", data=BECAUSE)
    assert Stage.ANNOUNCED is release(bridge, key).stage
    word = await bridge.store.read(lambda session: acts.just_done(session, int(number), NOW))
    assert "rosa had regression-model 0.1.1 tried again" in f"{word}"
    assert 409 == again.status_code
    assert f'href="/releases/{key}"' in again.text, "the way back"
    later = NOW + timedelta(minutes=2)
    assert None is await bridge.store.read(lambda s: acts.just_done(s, int(number), later))
    assert None is await bridge.store.read(lambda s: acts.just_done(s, 4711, NOW))


async def test_the_record_names_the_person_for_good(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    async with asking(bridge, carrying(ROSA)) as client:
        done = (await client.post(f"/api/v1/releases/{key}/retry", json=BECAUSE)).json()
        assert {"done": True, "code": "retried"}.items() <= done.items()
        held = await client.post(f"/api/v1/releases/{key}/quarantine", json=BECAUSE)
        assert 200 == held.status_code
    lines = bridge.store.read_now(lambda session: record.of_release(session, key))
    assert ["rosa (token rosa)"] * 2 == [line.actor for line in lines[-2:]]
    assert lines[-1].sentence.startswith("rosa put regression-model 0.1.1 into quarantine")
    quarantine = release(bridge, key).facts.quarantine
    assert "rosa" == (quarantine.by if quarantine else None)
    for told_ in await acts_of(bridge):
        assert ("rosa", "Angry customers.") == (told_["who"], told_["why"])
        assert {"id": "rosa", "by": "token"} == told_["person"]
    verdict = bridge.store.read_now(lambda session: audit.verify(record.chain(session)))
    assert verdict.holds


async def test_to_ask_first_changes_nothing(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    async with asking(bridge, carrying(ROSA)) as client:
        for path in (f"releases/{key}/retry", f"releases/{key}/quarantine", "everything/pause"):
            answer = await client.post(f"/api/v1/{path}", json={**BECAUSE, "dry_run": True})
            assert (200, False, None) == (
                answer.status_code,
                answer.json()["done"],
                answer.json()["delivery"],
            )
            assert "rosa" in answer.json()["sentence"]
    assert Stage.FAILED is release(bridge, key).stage
    assert [] == await acts_of(bridge)
    assert [] == bridge.store.read_now(pauses.all_of_them)


async def test_every_pipeline_or_one_is_paused_and_resumed(bridge: Bridge) -> None:
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        for path, name in (("/everything", "*"), ("/pipelines/house-prices", "house-prices")):
            answer = await client.post(f"{path}/pause", data={"reason": f"Pausing {name}"})
            assert answer.headers["location"].startswith("/?done=")
            assert [(name, "rosa")] == [
                (one.pipeline, one.who) for one in bridge.store.read_now(pauses.all_of_them)
            ]
            assert 409 == (await client.post(f"{path}/pause", data=BECAUSE)).status_code
            answer = await client.post(f"{path}/resume", data={"reason": f"Resuming {name}"})
            assert 303 == answer.status_code
        answer = await client.post("/api/v1/pipelines/other/pause", json=BECAUSE)
        assert (404, "no_such_pipeline") == (answer.status_code, answer.json()["code"])


async def test_a_parked_delivery_is_handled_again_or_put_aside(bridge: Bridge) -> None:
    kept = await keep(bridge.store, told("a", "1"))

    def park(session: Session) -> int:
        (one,) = deliveries.claim(session, NOW, timedelta(seconds=9), 1)
        deliveries.finish(session, [deliveries.End(one, DeliveryState.PARKED, EVIL)])
        notice = Notice(
            target="chain",
            message_id="msg_1",
            about="failed",
            body="{}",
            created_at=NOW,
            state=DeliveryState.PARKED,
        )
        outbox.put(session, notice)
        return notice.key

    notice = await bridge.store.write(park)
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        for path, back in (
            (f"/deliveries/{kept.id}", "/deliveries"),
            (f"/deliveries/out/{notice}", "/deliveries/out"),
        ):
            for act in ("replay", "discard"):
                answer = await client.post(f"{path}/{act}", data=BECAUSE)
                assert answer.headers["location"].startswith(f"{back}?done="), act
            answer = await client.post(f"/api/v1{path}/discard", json=BECAUSE)
            assert (409, "no_discard") == (answer.status_code, answer.json()["code"])
            answer = await client.post(f"/api/v1{back}/4711/discard", json=BECAUSE)
            assert 404 == answer.status_code
    buttons = await bridge.store.read(
        lambda session: acts.of_message(session, acts.Message(notice, Notice), SOMEBODY_HERE, NOW)
    )
    assert [f"/deliveries/out/{notice}/replay", f"/deliveries/out/{notice}/discard"] == [
        one.path for one in buttons
    ]
    assert [True, False] == [one.why_not is None for one in buttons]


async def test_a_quarantine_ends_when_it_was_said(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.CONFIRMED)
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        for until in ("2026-12-01", "2026-12-01T00:00", "2026-12-01T01:00:00+01:00"):
            answer = await client.post(
                f"/releases/{key}/quarantine", data={"reason": f"Until {until}", "until": until}
            )
            assert 303 == answer.status_code
            held = release(bridge, key).facts.quarantine
            assert datetime(2026, 12, 1, tzinfo=UTC) == (held.until if held else None)
        answer = await client.post(
            f"/releases/{key}/quarantine", data={"reason": "For good", "until": ""}
        )
        held = release(bridge, key).facts.quarantine
        assert held is not None
        assert held.until is None


async def test_what_is_allowed_counts(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "yanked")
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        form = {**BECAUSE, "allow": ["yanked", "downgrade"]}
        assert 303 == (await client.post(f"/releases/{key}/retry", data=form)).status_code
    assert ["downgrade", "yanked"] == release(bridge, key).facts.allowed


BAD: dict[str, dict[str, object]] = {
    "no reason": {},
    "an empty reason": {"reason": ""},
    "a blank reason": {"reason": " \t "},
    "a long reason": {"reason": "x" * 501},
    "a date that is none": {"reason": "x", "until": "tomorrow"},
    "a date beyond the calendar": {"reason": "x", "until": "9999-12-31T23:59:59-01:00"},
    "what nobody can allow": {"reason": "x", "allow": ["everything"]},
    "a field that is not asked for": {"reason": "x", "force": "yes"},
}


@pytest.mark.parametrize("case", BAD)
async def test_what_cannot_be_read_is_refused_and_nothing_is_done(
    bridge: Bridge, case: str
) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    act = "quarantine" if "date" in case else "retry"
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        page = await client.post(f"/releases/{key}/{act}", data=BAD[case])
        twin = await client.post(f"/api/v1/releases/{key}/{act}", json=BAD[case])
    assert (422, 422) == (page.status_code, twin.status_code)
    assert "Nothing was done" in page.text
    assert [] == await acts_of(bridge)
    assert Stage.FAILED is release(bridge, key).stage


async def test_what_an_act_does_not_ask_for_is_refused(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    async with asking(bridge, carrying(ROSA)) as client:
        for path, more in (
            (f"releases/{key}/retry", {"until": "2026-12-01"}),
            (f"releases/{key}/quarantine", {"allow": ["yanked"]}),
            ("everything/pause", {"until": "2026-12-01"}),
        ):
            answer = await client.post(f"/api/v1/{path}", json={**BECAUSE, **more})
            assert (409, "not_asked") == (answer.status_code, answer.json()["code"])
    assert [] == await acts_of(bridge)


async def test_the_same_act_twice_in_a_moment_is_kept_twice(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.CONFIRMED)
    async with asking(bridge, carrying(ROSA)) as client:
        for _ in range(2):
            answer = await client.post(f"/api/v1/releases/{key}/quarantine", json=BECAUSE)
            assert 200 == answer.status_code
    assert 2 == len(await acts_of(bridge))


async def test_a_reason_is_one_line_that_reads_as_it_is(bridge: Bridge) -> None:
    async with asking(bridge, carrying(ROSA)) as client:
        told = {"reason": " a\r\n\tb\0c\x1b[31md\u202ee\u200bf "}
        done = await client.post("/api/v1/everything/pause", json=told)
    gone = "\N{REPLACEMENT CHARACTER}"
    assert f"a b{gone}c{gone}[31md{gone}e{gone}f" == (await acts_of(bridge))[0]["why"]
    assert done.json()["sentence"].isprintable()


async def test_hostile_words_are_only_words(bridge: Bridge) -> None:
    key = await standing(bridge, "0.1.1", Stage.FAILED, "build_failed")
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        for path in (f"/releases/{key}/retry", "/pipelines/%3Cscript%3E/pause"):
            answer = await client.post(path, data={"reason": EVIL, EVIL: "x"})
            assert 400 <= answer.status_code < 500
            assert "script" not in Page(answer.text).tags
        assert (
            303 == (await client.post(f"/releases/{key}/retry", data={"reason": EVIL})).status_code
        )
        shown = Page((await client.get(f"/releases/{key}")).text)
        assert 1 == shown.tags.count("img")  # ours
        assert [] == shown.handlers


async def test_whoever_works_is_woken_by_an_act_and_not_by_a_question(bridge: Bridge) -> None:
    rung: list[str] = []
    bridge.worker.heard = lambda: rung.append("ring")  # type: ignore[method-assign]
    async with asking(bridge, carrying(ROSA)) as client:
        await client.post("/api/v1/everything/pause", json={**BECAUSE, "dry_run": True})
        await client.post("/api/v1/everything/resume", json=BECAUSE)
        assert [] == rung
        await client.post("/api/v1/everything/pause", json=BECAUSE)
        assert ["ring"] == rung


async def test_a_body_that_is_too_large_or_no_json_is_a_clear_no(bridge: Bridge) -> None:
    async with asking(bridge, {**OWN_PAGE, **carrying(ROSA)}) as client:
        large = json.dumps({"reason": "x" * 100_000}).encode()
        for content, status in ((large, 413), (b"{", 422), (b"[]", 422), (b"\xff", 400)):
            answer = await client.post(
                "/api/v1/everything/pause",
                content=content,
                headers={"content-type": "application/json"},
            )
            assert status == answer.status_code
        answer = await client.post("/everything/pause", data={"reason": "x" * 100_000})
        assert 413 == answer.status_code
        assert 403 == (await client.post("/everything/pause", headers=carrying(CAROL))).status_code


@pytest.mark.parametrize("number", [2**31, 2**63 - 1, -(2**31) - 1])
@pytest.mark.parametrize("path", ["/releases/{}/retry", "/deliveries/out/{}/replay"])
async def test_a_number_that_no_database_has_is_a_clear_no(
    bridge: Bridge, path: str, number: int
) -> None:
    async with asking(bridge, carrying(ROSA)) as client:
        pressed = await client.post(path.format(number), data=BECAUSE, headers=OWN_PAGE)
        asked = await client.post(f"/api/v1{path.format(number)}", json=BECAUSE)
    assert [422, 422] == [pressed.status_code, asked.status_code]
