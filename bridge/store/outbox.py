"""The outbox's queries: read the record on, claim what is due, say what became of it."""

from collections.abc import Collection, Sequence
from datetime import datetime

from sqlmodel import Session, col, delete, func, select, update

from bridge.delivery import DeliveryState
from bridge.errors import LeaseLost
from bridge.notice import About, Bookmark, Notice
from bridge.release import Transition
from bridge.store.record import END

RECORD = "record"
TELLING = ("move", "note", "alarm")


def open_book(session: Session, is_read: bool) -> None:
    """Read the record from here on, or from where it was left. Where nobody is to be told, it is
    not read, so that who is named later is not told of everything that happened until then."""
    if not is_read:
        session.execute(delete(Bookmark).where(col(Bookmark.name) == RECORD))
    elif session.get(Bookmark, RECORD) is None:
        session.add(Bookmark(name=RECORD, seq=_end(session)))


def is_unread(session: Session) -> bool:
    """Whether there is a line that was not read yet."""
    mark = session.get(Bookmark, RECORD)
    return mark is None or mark.seq < _end(session)


def has_news(session: Session, now: datetime) -> bool:
    """Whether a line was not read yet, or a notice is due."""
    first = next_due(session)
    return is_unread(session) or (first is not None and first <= now)


def read_on(session: Session, limit: int) -> Sequence[Transition]:
    """The lines that nobody has made notices of, oldest first; they count as read from now on."""
    open_book(session, is_read=True)
    mark = session.get_one(Bookmark, RECORD)
    lines = session.exec(
        select(Transition)
        .where(col(Transition.seq) > mark.seq)
        .order_by(col(Transition.seq))
        .limit(limit)
    ).all()
    if lines:
        mark.seq = lines[-1].seq or mark.seq
        session.add(mark)
    return [line for line in lines if line.kind in TELLING]


def put(session: Session, notice: Notice) -> None:
    """Keep it, unless this target is told of it already.

    Nobody can put one between the look and the write: one transaction writes at a time.
    """
    same = Notice.target == notice.target, Notice.message_id == notice.message_id
    if session.exec(select(Notice.id).where(*same)).first() is None:
        session.add(notice)
        session.flush()


def waits_already(session: Session, target: str, release: int) -> bool:
    """Whether a notice will ask this target for help with the release, unless help comes."""
    pending = select(Notice.id).where(
        col(Notice.due_at).is_not(None),
        Notice.release_id == release,
        Notice.target == target,
        Notice.about == About.WAITING,
    )
    return session.exec(pending).first() is not None


def due(session: Session, now: datetime, limit: int, busy: Collection[str]) -> Sequence[Notice]:
    """What is due for targets that are not busy, oldest first."""
    return session.exec(
        select(Notice)
        .where(col(Notice.due_at) <= now, col(Notice.target).not_in(busy))
        .order_by(col(Notice.due_at), col(Notice.id))
        .limit(limit)
    ).all()


def claim(session: Session, notices: Sequence[Notice], until: datetime) -> None:
    """Take these until then; the attempt is counted before it is made."""
    for notice in notices:
        notice.attempts, notice.due_at = notice.attempts + 1, until
        session.add(notice)


def finish(session: Session, notice: Notice, state: DeliveryState, sentence: str) -> None:
    """Nothing more is done about it, or a person has to. Raises LeaseLost."""
    _write(session, notice, state=state, sentence=sentence, due_at=None)


def retry(session: Session, notice: Notice, at: datetime, sentence: str) -> None:
    """Try again later. Raises LeaseLost."""
    _write(session, notice, sentence=sentence, due_at=at)


def _write(session: Session, notice: Notice, **values: object) -> None:
    """The number of attempts is a notice's fence."""
    result = session.execute(
        update(Notice)
        .where(
            col(Notice.id) == notice.key,
            col(Notice.attempts) == notice.attempts,
            col(Notice.state) == DeliveryState.NEW,
        )
        .values(**values)
        .execution_options(synchronize_session=False)
    )
    if not getattr(result, "rowcount", 0):
        raise LeaseLost(f"notice {notice.id}")


def next_due(session: Session) -> datetime | None:
    """When the next notice wants attention."""
    return session.exec(select(func.min(Notice.due_at))).one()


def newest(
    session: Session, limit: int, after: int | None = None, state: DeliveryState | None = None
) -> Sequence[Notice]:
    """Notices, newest first; `after` is the id of the last one seen."""
    query = select(Notice).order_by(col(Notice.id).desc()).limit(limit)
    if after is not None:
        query = query.where(col(Notice.id) < after)
    if state is not None:
        query = query.where(Notice.state == state)
    return session.exec(query).all()


def _end(session: Session) -> int:
    seq, _ = session.exec(END).first() or (0, "")
    return seq or 0
