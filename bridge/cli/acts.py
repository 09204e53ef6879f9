"""The acts of whoever can read the database: the same addresses and words as over HTTP."""

import getpass
from collections.abc import Callable
from typing import Annotated, Literal

from fastapi import APIRouter, Body
from pydantic import BaseModel
from sqlmodel import Session

from bridge import operator, pausing, recall
from bridge.bootstrap import Bridge
from bridge.cli.asked import Done
from bridge.delivery import Delivery
from bridge.errors import Reason, Refused
from bridge.facts import Allowance
from bridge.kit.clock import ToldMoment, system_clock
from bridge.notice import Notice
from bridge.pausing import Button
from bridge.release import Release
from bridge.sentences import say
from bridge.store import Store

Work = Callable[[Session], Reason]
Row = type[Delivery] | type[Notice]
OfRelease = Literal["retry", "rollback", "quarantine", "release-quarantine"]


class Words(BaseModel):
    """Why, and what else an act may be told."""

    reason: str
    dry_run: bool = False
    allow: list[Allowance] = []
    until: ToldMoment | None = None


Told = Annotated[Words, Body()]


def hands(bridge: Bridge) -> APIRouter:
    """What may be done to releases, pipelines and deliveries, by the user of this machine."""
    router, who, store = APIRouter(prefix="/api/v1"), getpass.getuser(), bridge.store
    known = [one.name for one in bridge.settings.pipeline]

    @router.post("/releases/{identifier}/{act}")
    async def to_release(identifier: int, act: OfRelease, told: Told) -> Done:
        row = await store.read(lambda session: session.get(Release, identifier))
        if row is None:
            raise Refused(say("no_release", package="number", version=identifier))
        return await _done(store, told, *_to_version(act, row, told, who))

    @router.post("/everything/{act}")
    @router.post("/pipelines/{name}/{act}")
    async def to_pipeline(act: Button, told: Told, name: str | None = None) -> Done:
        why, now = told.reason, system_clock()
        return await _done(
            store,
            told,
            lambda session: pausing.may(session, act, name, known, who=who, why=why),
            lambda session: pausing.press(session, act, name, known, who=who, why=why, now=now),
        )

    async def to_row(of: Row, identifier: int, act: operator.Act, told: Words) -> Done:
        why, now = told.reason, system_clock()
        return await _done(
            store,
            told,
            lambda session: operator.may(session, act, identifier, who=who, why=why, of=of),
            lambda session: operator.do(session, act, identifier, who=who, why=why, now=now, of=of),
        )

    @router.post("/deliveries/out/{identifier}/{act}")
    async def to_notice(identifier: int, act: operator.Act, told: Told) -> Done:
        return await to_row(Notice, identifier, act, told)

    @router.post("/deliveries/{identifier}/{act}")
    async def to_delivery(identifier: int, act: operator.Act, told: Told) -> Done:
        return await to_row(Delivery, identifier, act, told)

    return router


async def _done(store: Store, told: Words, may: Work, do: Work) -> Done:
    """What was done, or would be."""
    reason = await (store.read(may) if told.dry_run else store.write(do))
    return Done(done=not told.dry_run, code=reason.code, sentence=reason.sentence)


def _to_version(act: OfRelease, row: Release, told: Words, who: str) -> tuple[Work, Work]:
    """What an act would do to every release of the row's version, and what does it."""
    of, why, now = (row.package, row.version), told.reason, system_clock()
    match act:
        case "retry":
            allow = told.allow
            return (
                lambda session: operator.may_retry(session, *of, allow, who=who, why=why, now=now),
                lambda session: operator.retry(session, *of, allow, who=who, why=why, now=now),
            )
        case "rollback":
            return (
                lambda session: recall.may_roll_back(session, *of, who=who, why=why),
                lambda session: recall.roll_back(session, *of, who=who, why=why, now=now),
            )
        case "quarantine":
            end = told.until
            return (
                lambda session: recall.may_quarantine(session, *of, end, who=who, why=why),
                lambda session: recall.quarantine(session, *of, end, who=who, why=why, now=now),
            )
        case "release-quarantine":
            return (
                lambda session: recall.may_lift(session, *of, who=who, why=why, now=now),
                lambda session: recall.lift(session, *of, who=who, why=why, now=now),
            )
