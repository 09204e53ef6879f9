"""What a person can do, and which of it this person may do now. The command line does the same, by
the same functions; approving and merging happen at GitHub (docs/decisions/0018)."""

from collections.abc import Callable, Collection
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Generic, Literal, TypedDict, TypeVar

from sqlmodel import Session

from bridge import operator, pausing, recall
from bridge.delivery import Delivery
from bridge.errors import Reason, Refused
from bridge.facts import Allowance
from bridge.notice import Notice
from bridge.pause import EVERYTHING, Pause
from bridge.pausing import Button
from bridge.person import Person
from bridge.quarantine import quarantined
from bridge.release import Release
from bridge.sentences import say

T = TypeVar("T")
FRESH = timedelta(minutes=1)
ALLOWS = {
    "yanked": Allowance.YANKED,
    "prerelease": Allowance.PRERELEASE,
    "local_version": Allowance.LOCAL,
    "downgrade": Allowance.DOWNGRADE,
    "frozen": Allowance.FREEZE,
}
"""What a person may allow, by the reason that holds a version up."""


@dataclass(frozen=True)
class Ask:
    """One field of an act's form; of a choice, any number of `choices`."""

    name: str
    label: str
    kind: Literal["text", "moment", "choice"] = "text"
    required: bool = False
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class Act:
    """A button: POST to `path` what it `asks`. `why_not` says why this person cannot, now."""

    path: str
    label: str
    explain: str
    danger: bool
    asks: tuple[Ask, ...]
    why_not: str | None = None


class Words(TypedDict):
    """Who does it, and why."""

    who: Person
    why: str


@dataclass(frozen=True)
class Said:
    """What a person says with an act."""

    who: Person
    why: str
    now: datetime
    until: datetime | None = None
    allow: tuple[Allowance, ...] = ()

    @property
    def words(self) -> Words:
        """What stands in every sentence about it."""
        return {"who": self.who, "why": self.why}


@dataclass(frozen=True)
class Message:
    """One that was delivered, or goes out: its number."""

    id: int
    of: type[Delivery] | type[Notice]


@dataclass(frozen=True)
class Line:
    """One pipeline, or all of them: its name, and the names of all."""

    name: str | None
    known: Collection[str]


@dataclass(frozen=True)
class Doing(Generic[T]):
    """One act: what it is called, and how it is asked about and done; both raise Refused."""

    name: str
    label: str
    explain: str
    may: Callable[[Session, T, Said], Reason]
    do: Callable[[Session, T, Said], Reason]
    danger: bool = False
    asks: tuple[Ask, ...] = ()


REASON = Ask("reason", "Why", required=True)
UNTIL = Ask("until", "Until, in UTC; else a person lifts it", "moment")
ALLOW = Ask("allow", "Allow, for this version only", "choice", choices=tuple(Allowance))
RETRY: Doing[Release] = Doing(
    "retry",
    "Try again",
    "act_retry",
    lambda session, row, said: operator.may_retry(
        session, row.package, row.version, said.allow, now=said.now, **said.words
    ),
    lambda session, row, said: operator.retry(
        session, row.package, row.version, said.allow, now=said.now, **said.words
    ),
    asks=(ALLOW,),
)
ROLL_BACK: Doing[Release] = Doing(
    "rollback",
    "Roll back",
    "act_rollback",
    lambda session, row, said: recall.may_roll_back(
        session, row.package, row.version, now=said.now, **said.words
    ),
    lambda session, row, said: recall.roll_back(
        session, row.package, row.version, now=said.now, **said.words
    ),
    danger=True,
)
QUARANTINE: Doing[Release] = Doing(
    "quarantine",
    "Put into quarantine",
    "act_quarantine",
    lambda session, row, said: recall.may_quarantine(
        session, row.package, row.version, said.until, **said.words
    ),
    lambda session, row, said: recall.quarantine(
        session, row.package, row.version, said.until, now=said.now, **said.words
    ),
    danger=True,
    asks=(UNTIL,),
)
LIFT: Doing[Release] = Doing(
    "release-quarantine",
    "Lift the quarantine",
    "act_lift",
    lambda session, row, said: recall.may_lift(
        session, row.package, row.version, now=said.now, **said.words
    ),
    lambda session, row, said: recall.lift(
        session, row.package, row.version, now=said.now, **said.words
    ),
)
RELEASE_ACTS = (RETRY, ROLL_BACK, QUARANTINE, LIFT)


def _pressing(button: Button, label: str, explain: str, danger: bool) -> Doing[Line]:
    return Doing(
        button.value,
        label,
        explain,
        lambda session, line, said: pausing.may(
            session, button, line.name, line.known, **said.words
        ),
        lambda session, line, said: pausing.press(
            session, button, line.name, line.known, now=said.now, **said.words
        ),
        danger,
    )


def _handling(act: operator.Act, label: str, explain: str, danger: bool) -> Doing[Message]:
    return Doing(
        act.value,
        label,
        explain,
        lambda session, one, said: operator.may(session, act, one.id, of=one.of, **said.words),
        lambda session, one, said: operator.do(
            session, act, one.id, of=one.of, now=said.now, **said.words
        ),
        danger,
    )


PAUSE = _pressing(Button.PAUSE, "Pause", "act_pause", danger=True)
RESUME = _pressing(Button.RESUME, "Resume", "act_resume", danger=False)
MESSAGE_ACTS = (
    _handling(operator.Act.REPLAY, "Handle again", "act_replay", danger=False),
    _handling(operator.Act.DISCARD, "Discard", "act_discard", danger=True),
)


def of_release(session: Session, row: Release, person: Person, now: datetime) -> list[Act]:
    """What this person can do about a release. Of quarantine and its end one is there."""
    idle = QUARANTINE if quarantined(row.facts, now) else LIFT
    allow = (ALLOWS[row.code],) if row.code in ALLOWS else ()
    said = Said(person, "", now, allow=allow)
    offered = [doing for doing in RELEASE_ACTS if doing is not idle]
    return [_offer(session, doing, row, f"/releases/{row.key}", said) for doing in offered]


def of_line(
    session: Session, name: str | None, known: Collection[str], person: Person, now: datetime
) -> list[Act]:
    """What this person can do about a pipeline, or without a name about everything."""
    doing = RESUME if session.get(Pause, name or EVERYTHING) else PAUSE
    path = f"/pipelines/{name}" if name else "/everything"
    offered = _offer(session, doing, Line(name, known), path, Said(person, "", now))
    return [replace(offered, label=f"{offered.label} {name or 'everything'}")]


def of_message(session: Session, one: Message, person: Person, now: datetime) -> list[Act]:
    """What this person can do about a delivery, or about a notice that goes out."""
    path = f"/deliveries/{'out/' if one.of is Notice else ''}{one.id}"
    said = Said(person, "", now)
    return [_offer(session, doing, one, path, said) for doing in MESSAGE_ACTS]


def _offer(session: Session, doing: Doing[T], target: T, path: str, said: Said) -> Act:
    why_not = None
    if not said.who.is_operator:
        why_not = say("viewers_only_look", name=said.who.name).sentence
    else:
        try:
            doing.may(session, target, said)
        except Refused as error:
            why_not = error.reason.sentence
    asks = tuple(
        Ask(ask.name, ask.label, ask.kind, choices=said.allow) if ask is ALLOW else ask
        for ask in doing.asks
        if ask is not ALLOW or said.allow
    )
    where, told = f"{path}/{doing.name}", say(doing.explain).sentence
    return Act(where, doing.label, told, doing.danger, (REASON, *asks), why_not)


def just_done(session: Session, number: int, now: datetime) -> str | None:
    """The sentence of an act of the last minute, for the page that its button leads back to."""
    kept = session.get(Delivery, number)
    if kept is None or kept.source != operator.OPERATOR or now - kept.received_at > FRESH:
        return None
    return kept.sentence
