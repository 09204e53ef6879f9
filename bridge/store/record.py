"""The record's queries. Lines are only ever appended, in the transaction of what they tell."""

from collections.abc import Iterator, Sequence
from contextlib import closing
from datetime import datetime

from pydantic import JsonValue
from sqlmodel import Session, col, select

from bridge import audit
from bridge.columns import written
from bridge.errors import Reason
from bridge.release import Evidence, Release, Transition
from bridge.store import books

END = select(Transition.seq, Transition.hash).order_by(col(Transition.seq).desc()).limit(1)
"""The last line's number and hash."""


def append(
    session: Session,
    release: Release,
    kind: str,
    was: str,
    reason: Reason,
    *,
    actor: str,
    occurred_at: datetime,
    now: datetime,
    delivery: int | None = None,
    evidence: dict[str, JsonValue] | None = None,
) -> Transition:
    """Add one line about `release`, tied to the line before it, and to what is counted of it."""
    if kind != "intent" and reason.code == release.code:
        release.reason_since = now
    if kind == "move":
        release.actor = actor
    session.add(release)
    count, head = session.exec(END).first() or (0, audit.GENESIS)
    line = Transition(
        seq=(count or 0) + 1,
        release_id=release.key,
        kind=kind,
        from_stage=was,
        to_stage=release.stage.value,
        code=reason.code,
        sentence=reason.sentence,
        actor=actor,
        delivery_id=delivery,
        occurred_at=occurred_at,
        recorded_at=now,
        evidence=Evidence({k: v for k, v in (evidence or {}).items() if v is not None}),
        prev_hash=head,
        hash="",
    )
    line.hash = audit.link(line.prev_hash, body(line))
    books.keep(session, release, line)
    session.add(line)
    session.flush()
    return line


def act(
    session: Session, row: Release, reason: Reason, now: datetime, *, actor: str, delivery: int
) -> None:
    """Add a line of what a person did about a release without moving it."""
    append(
        session,
        row,
        "act",
        row.stage,
        reason,
        actor=actor,
        occurred_at=now,
        now=now,
        delivery=delivery,
        evidence={"allowed": [*row.facts.allowed]} if row.facts.allowed else None,
    )


def body(line: Transition) -> dict[str, JsonValue]:
    """What a line's hash speaks for: everything but the hashes."""
    return {
        "seq": line.seq,
        "release": line.release_id,
        "kind": line.kind,
        "from": line.from_stage,
        "to": line.to_stage,
        "code": line.code,
        "sentence": line.sentence,
        "actor": line.actor,
        "delivery": line.delivery_id,
        "occurred_at": written(line.occurred_at),
        "recorded_at": written(line.recorded_at),
        "evidence": line.evidence.root,
    }


def chain(session: Session, since: int = 0, limit: int | None = None) -> Iterator[audit.Line]:
    """Every line after `since` in order, or the first few of them, read in batches."""
    lines = select(Transition).where(col(Transition.seq) > since).order_by(col(Transition.seq))
    rows = session.exec(lines.limit(limit), execution_options={"yield_per": 1000})
    with closing(rows):
        for row in rows:
            yield audit.Line(row.seq or 0, body(row), row.prev_hash, row.hash)


def last_seq(session: Session) -> int:
    """The number of the last line, or 0."""
    seq, _ = session.exec(END).first() or (0, "")
    return seq or 0


def head(session: Session) -> str:
    """The hash of the last line, or the genesis."""
    _, last = session.exec(END).first() or (0, audit.GENESIS)
    return last


def of_release(session: Session, release: int) -> Sequence[Transition]:
    """One release's lines, oldest first."""
    return session.exec(
        select(Transition).where(Transition.release_id == release).order_by(col(Transition.seq))
    ).all()


def after(session: Session, seq: int, limit: int) -> Sequence[Transition]:
    """The lines that follow `seq`, oldest first."""
    return session.exec(
        select(Transition)
        .where(col(Transition.seq) > seq)
        .order_by(col(Transition.seq))
        .limit(limit)
    ).all()
