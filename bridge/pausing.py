"""Pause and resume: a person's stop button, for one pipeline or for all of them."""

from collections.abc import Collection
from datetime import datetime
from enum import StrEnum

from sqlmodel import Session, col

from bridge.errors import Reason, Refused
from bridge.operator import keep
from bridge.pause import EVERYTHING, Pause, what
from bridge.person import Who, actor
from bridge.release import Release
from bridge.sentences import say
from bridge.store import pauses, record, releases


class Button(StrEnum):
    """What a person can do."""

    PAUSE = "pause"
    RESUME = "resume"


def may(
    session: Session,
    button: Button,
    pipeline: str | None,
    known: Collection[str],
    *,
    who: Who,
    why: str,
) -> Reason:
    """What it would do, in a sentence; raises Refused. No `pipeline` means everything; `known` are
    the names of all."""
    if pipeline and pipeline not in known:
        raise Refused(say("no_such_pipeline", name=pipeline, names=", ".join(sorted(known))))
    name = pipeline or EVERYTHING
    pause = session.get(Pause, name)
    if button is Button.PAUSE:
        if pause:
            raise Refused(say("paused_already", what=what(name), who=pause.who, why=pause.why))
        return say("paused", what=what(name), who=who, why=why)
    if pause is None:
        raise Refused(say("not_paused", what=what(name)))
    return say("resumed", what=what(name), who=who, why=why)


def press(
    session: Session,
    button: Button,
    pipeline: str | None,
    known: Collection[str],
    *,
    who: Who,
    why: str,
    now: datetime,
) -> Reason:
    """Do it, wake whom it concerns, and write it down at each of them; raises Refused."""
    reason = may(session, button, pipeline, known, who=who, why=why)
    name = pipeline or EVERYTHING
    if button is Button.PAUSE:
        pauses.begin(session, name, who=str(who), why=why, now=now)
    else:
        pauses.end(session, name)
    kept = keep(session, button.value, {"pipeline": name}, reason, who=who, why=why, now=now)
    names = [pipeline] if pipeline else sorted(known)
    for row in pauses.concerned(session, names):
        record.act(session, row, reason, now, actor=actor(who), delivery=kept.key)
    releases.wake(session, now, col(Release.pipeline).in_(names))
    return reason
