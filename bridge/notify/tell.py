"""Who is told of what: notices, made of what is on record. Functions of one open transaction."""

from collections.abc import Iterable, Sequence
from datetime import datetime

import structlog
from sqlalchemy.exc import DBAPIError
from sqlmodel import Session

from bridge.columns import written
from bridge.configuration import Pipeline
from bridge.delivery import Delivery, DeliveryState
from bridge.notice import About, Notice
from bridge.notify import letter
from bridge.release import Release, Transition
from bridge.sentences import say
from bridge.store import outbox

log = structlog.get_logger()
LINES = 100


class Teller:
    """Knows who wants to hear of what. `public_url` begins every link."""

    def __init__(self, pipelines: Iterable[Pipeline], public_url: str) -> None:
        self._pipelines = {pipeline.name: pipeline for pipeline in pipelines}
        self._url = public_url.rstrip("/")
        self.tells = any(pipeline.notify for pipeline in self._pipelines.values())

    def read_on(self, session: Session, now: datetime) -> None:
        """Make notices of the lines that were written since; see `store.outbox.read_on`.

        A line that cannot be told is left out: it must not silence all that follow it.
        """
        for line in outbox.read_on(session, LINES):
            if letter.about(line) is None and not letter.asks_for_help(line):
                continue
            try:
                with session.begin_nested():
                    self._tell(session, line, now)
            except DBAPIError:
                raise  # a disk that is full is no line's fault: all are read again
            except Exception as bug:  # noqa: BLE001 - nor may a traceback keep the database waiting
                log.error("bug", line=line.seq, error=type(bug).__name__)

    def parked(self, session: Session, delivery: Delivery, why: str, now: datetime) -> None:
        """A delivery was parked. Nobody knows whose it is, so everybody who asked is told; and
        again, should it be replayed and parked again."""
        body = letter.of_delivery(delivery, why, now, self._url)
        message = letter.message_id("delivery", delivery.sha256, written(now))
        for target in dict.fromkeys(
            tell.to
            for pipeline in self._pipelines.values()
            for tell in pipeline.notify
            if About.PARKED in tell.about
        ):
            outbox.put(session, _notice(target, message, About.PARKED, body, now))

    def settle(self, session: Session, due: Sequence[Notice], now: datetime) -> Sequence[Notice]:
        """Those of `due` that are still true, with the words of this moment: who was to be asked
        for help is left alone if it came."""
        true = []
        for notice in due:
            if notice.about == About.WAITING and notice.attempts == 0:
                release = session.get_one(Release, notice.release_id)
                if not letter.waits_for_a_person(release):
                    notice.state, notice.due_at = DeliveryState.IGNORED, None
                    notice.sentence = say("waits_no_more").sentence
                    session.add(notice)
                    continue
                notice.body = letter.of_wait(release, notice.created_at, now, self._url)
            true.append(notice)
        return true

    def _tell(self, session: Session, line: Transition, now: datetime) -> None:
        release = session.get_one(Release, line.release_id)
        pipeline = self._pipelines.get(release.pipeline)
        if pipeline is None:
            return
        if letter.asks_for_help(line):
            self._ask_later(session, pipeline, line, release)
        news = letter.about(line)
        if news is None:
            return
        body = letter.of_line(news, line, release, self._url)
        message = letter.message_id(line.hash, news)
        for tell in pipeline.notify:
            if news in tell.about:
                outbox.put(session, _notice(tell.to, message, news, body, now, release.key))

    def _ask_later(
        self, session: Session, pipeline: Pipeline, line: Transition, release: Release
    ) -> None:
        """A row that is due when it has waited long enough; until then it costs nothing. What it
        says is written then."""
        since = line.recorded_at
        for tell in sorted(pipeline.notify, key=lambda one: one.after):
            if About.WAITING not in tell.about:
                continue
            if outbox.waits_already(session, tell.to, release.key):
                continue
            message = letter.message_id(line.hash, About.WAITING)
            body = letter.of_wait(release, since, since + tell.after, self._url)
            row = _notice(tell.to, message, About.WAITING, body, since, release.key)
            row.due_at = since + tell.after
            outbox.put(session, row)


def _notice(
    target: str, message: str, news: About, body: str, at: datetime, release: int | None = None
) -> Notice:
    return Notice(
        target=target,
        message_id=message,
        about=news.value,
        release_id=release,
        body=body,
        created_at=at,
        due_at=at,
    )
