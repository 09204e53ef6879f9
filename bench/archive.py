"""A SQLite database of so many releases and lines, made in bulk: what years of use would leave.

What is kept beside the record is kept as `store.books` would. Its chain is not one, but for the
lines at the end, which are written by the bridge itself: nothing here walks more than those.
"""

import asyncio
import json
import math
import random
from collections import Counter
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from pysqlite3 import dbapi2
from sqlmodel import Session

from bridge import ledger
from bridge.columns import written
from bridge.errors import Reason
from bridge.event import Published
from bridge.release import Release, Stage
from bridge.served import Served, Told, after
from bridge.settings import Settings
from bridge.store import Store, releases
from bridge.tally import Count, counted

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)
DAYS = 5 * 365
LINES_EACH = 10
PLAIN = ("announced", "confirmed", "proposed", "merged", "deployed", "verified")
WAYS = {
    PLAIN: 80,
    ("announced", "confirmed", "proposed", "superseded"): 10,
    ("announced", "confirmed", "failed"): 4,
    ("announced", "confirmed", "proposed", "declined"): 2,
    (*PLAIN[:5], "failed"): 1,
    (*PLAIN[:5], "rolling_back", "rolled_back"): 3,
}
PEOPLE = ("rosa", "imani", "li", "tomas", "ada")
RARE = "karla"
WITH_DELIVERIES = 5
BLOCK = 10_000
"""So many releases are made one by one; what follows repeats them, later and later."""
FACTS = {
    "commit": "a" * 40,
    "digest": f"sha256:{'0' * 64}",
    "model_digest": f"sha256:{'1' * 64}",
    "file": "regression_model-1.0.0-py3-none-any.whl",
    "merge_sha": "b" * 40,
    "previous_version": "1.0.0",
    "card": {
        "name": "regression-model",
        "version": "1.0.0",
        "metrics": {"rmse": 44868.02, "mse": 2013139216.0, "r2": 0.69},
        "features": [{"name": f"feature_{number}", "type": "number"} for number in range(20)],
    },
    "readings": [
        {"at": written(NOW), "verdict": "matches", "version": "1.0.0", "instance": f"web.{number}"}
        for number in range(3)
    ],
}


def made(path: Path, settings: Settings, releases: int) -> None:
    """Make it, unless it is there."""
    if path.exists():
        return
    new = path.with_suffix(".new")
    new.unlink(missing_ok=True)
    store = Store(f"sqlite:///{new}")
    store.migrate()
    store.close()
    _fill(new, [pipeline.name for pipeline in settings.pipeline], releases)
    asyncio.run(_go_on(Store(f"sqlite:///{new}"), settings))
    new.rename(path)


def _fill(path: Path, pipelines: list[str], count: int) -> None:
    """A block of some days is made release by release, and then repeated later and later."""
    connection = dbapi2.connect(path, isolation_level=None)
    for pragma in ("journal_mode=OFF", "synchronous=OFF", "cache_size=-400000"):
        connection.execute(f"PRAGMA {pragma}")
    later = connection.execute(
        "SELECT type, name, sql FROM sqlite_master WHERE type IN ('index', 'trigger') AND sql > ''"
    ).fetchall()
    for kind, name, _ in later:
        connection.execute(f"DROP {kind} {name}")
    connection.execute("BEGIN")
    blocks = max(1, count // BLOCK)
    rows = _Rows(pipelines, count // blocks, DAYS // blocks, DAYS // blocks * blocks)
    for day in range(DAYS // blocks):
        for table, some in rows.of_day(day).items():
            marks = ", ".join("?" * len(some[0])) if some else ""
            query = f"INSERT INTO {table} ({COLUMNS[table]}) VALUES ({marks})"  # noqa: S608
            connection.executemany(query, some)
    releases, lines, days = count // blocks, count // blocks * LINES_EACH, DAYS // blocks
    for table in AGAIN:
        connection.execute(f"CREATE TEMP TABLE block_{table} AS SELECT * FROM {table}")  # noqa: S608
    for number in range(1, blocks):
        words = {
            "more": number * releases,
            "on": number * lines,
            "later": f"+{number * days} days",
            "mark": f"{number:06d}",
        }
        for table, query in AGAIN.items():
            again = f"INSERT INTO {table} ({COLUMNS[table]}) {query} FROM block_{table}"
            connection.execute(again, {name: words[name] for name in words if f":{name}" in query})
    connection.execute("COMMIT")
    for _, _, sql in later:
        connection.execute(sql)
    connection.execute("PRAGMA journal_mode=WAL")
    connection.close()


LATER = "strftime('%Y-%m-%dT%H:%M:%fZ', {}, :later)"
SINCE, CREATED, TOLD, RECEIVED, AT, BROKEN = (
    LATER.format(name)
    for name in ("since", "created_at", "reason_since", "received_at", "at", "broken_since")
)
VERSION = "'1.' || (release_id + :more) || '.0'"
AGAIN = {
    "release": "SELECT id + :more, pipeline, package, '1.' || (id + :more) || '.0', "
    f"'1.' || (id + :more), app, stage, code, sentence, {SINCE}, {CREATED}, NULL, facts, 0, 0, 6, "
    f"CASE WHEN actor = 'karla' THEN 'bridge' ELSE actor END, {TOLD}",
    "transition": "SELECT seq + :on, release_id + :more, kind, from_stage, to_stage, code, "
    "sentence, actor, strftime('%Y-%m-%dT%H:%M:%fZ', occurred_at, :later), "
    "strftime('%Y-%m-%dT%H:%M:%fZ', recorded_at, :later), evidence, prev_hash, hash",
    "served": f"SELECT pipeline, seq + :on, {AT}, release_id + :more, {VERSION}, {SINCE}, proven, "
    f"code, was_proven, {BROKEN}",
    "tally": "SELECT pipeline, what, date(day, :later), bucket, count",
    "delivery": "SELECT source, :mark || substr(delivery_id, 7), :mark || substr(sha256, 7), "
    f"event, body, {RECEIVED}, state, sentence, attempts",
}
COLUMNS = {
    "release": "id, pipeline, package, version, canonical, app, stage, code, sentence, since, "
    "created_at, due_at, facts, attempts, failures, fence, actor, reason_since",
    "transition": "seq, release_id, kind, from_stage, to_stage, code, sentence, actor, "
    "occurred_at, recorded_at, evidence, prev_hash, hash",
    "served": "pipeline, seq, at, release_id, version, since, proven, code, was_proven, "
    "broken_since",
    "tally": "pipeline, what, day, bucket, count",
    "delivery": "source, delivery_id, sha256, event, body, received_at, state, sentence, attempts",
}


class _Rows:
    """Everything that happened on a day, day by day."""

    def __init__(self, pipelines: list[str], count: int, days: int, ago: int) -> None:
        self._pipelines = pipelines
        self._count = count
        self._days = days
        self._begin = NOW.replace(hour=0) - timedelta(days=ago)
        self._chance = random.Random(7)  # noqa: S311
        self._seq = self._release = self._delivery = 0
        self._served: dict[str, Served] = {}
        self._hash = "0" * 64

    def of_day(self, day: int) -> dict[str, list[tuple[object, ...]]]:
        found: dict[str, list[tuple[object, ...]]] = {name: [] for name in COLUMNS}
        counts: Counter[Count] = Counter()
        last = math.ceil(self._count * (day + 1) / self._days)
        begin = self._begin + timedelta(days=day)
        whole = timedelta(hours=20) / max(1, last - self._release)
        for number in range(self._release, last):
            at = begin + whole * (number - self._release)
            self._journey(number + 1, at, found, counts)
        self._release = last
        found["tally"] = [(*one, count) for one, count in counts.items()]
        return found

    def _journey(
        self,
        key: int,
        at: datetime,
        found: dict[str, list[tuple[object, ...]]],
        counts: Counter[Count],
    ) -> None:
        chance = self._chance
        pipeline = self._pipelines[key % len(self._pipelines)]
        version = f"1.{key}.0"
        (way,) = chance.choices(list(WAYS), list(WAYS.values()))
        began, since, was = at, None, ""
        actor = "publisher"
        for step, to in enumerate(way):
            if step:
                at += timedelta(seconds=min(chance.lognormvariate(4, 1), 900))
                actor = chance.choice(PEOPLE) if to == "merged" else "bridge"
            code = "build_failed" if to == "failed" and was == "merged" else to
            told = self._line(found, key, "move", was, to, code, actor, at, pipeline, version)
            counts.update(counted(told, since, began, self._served.get(pipeline)))
            if change := after(self._served.get(pipeline), told):
                self._served[pipeline] = change
                found["served"].append(_served(change))
            since, was = at, to
        for number in range(LINES_EACH - len(way)):
            code = ("reading", "intent_status", "waiting_for_merge")[number % 3]
            kind = "intent" if code == "intent_status" else "note"
            self._line(found, key, kind, was, was, code, "bridge", at, pipeline, version)
        stage, moment = way[-1], written(at)
        mover = RARE if key == 7 else actor
        app, name = pipeline.replace("model", "app"), "regression-model"
        row = (key, pipeline, name, version, f"1.{key}", app, stage, stage, f"It is {stage}.")
        found["release"].append(
            (*row, moment, written(began), None, _facts(key), 0, 0, 6, mover, moment)
        )
        for _ in range(WITH_DELIVERIES if key % 10 == 0 else 0):
            self._delivery += 1
            name, state = (
                f"{self._delivery:064x}",
                "handled" if self._delivery % 9_999 else "parked",
            )
            found["delivery"].append(
                ("github", name, name, "check_run", b"{}" * 500, moment, state, "It woke one.", 1)
            )

    def _line(
        self,
        found: dict[str, list[tuple[object, ...]]],
        key: int,
        kind: str,
        was: str,
        to: str,
        code: str,
        actor: str,
        at: datetime,
        pipeline: str,
        version: str,
    ) -> Told:
        self._seq += 1
        before, self._hash = self._hash, f"{self._seq * 2654435761:064x}"
        sentence = f"{version} is {to} ({code}), as everybody can see who looks at the record."
        moment = written(at)
        row = (self._seq, key, kind, was, to, code, sentence, actor, moment, moment, EVIDENCE)
        found["transition"].append((*row, before, self._hash))
        put_back = f"1.{key - len(self._pipelines)}.0" if to == "rolled_back" else None
        return Told(self._seq, key, pipeline, version, kind, was, to, code, at, put_back)


EVIDENCE = json.dumps({"digest": f"sha256:{'0' * 64}", "commit": "a" * 40})


def _served(one: Served) -> tuple[object, ...]:
    broken = written(one.broken_since) if one.broken_since else None
    since = written(one.since) if one.since else None
    told: tuple[Any, ...] = (one.pipeline, one.seq, written(one.at), one.release_id, one.version)
    return (*told, since, int(one.proven), one.code, int(one.was_proven), broken)


def _facts(key: int) -> str:
    url = f"https://github.com/acme/model-deployment/pull/{key}"
    pull = {"id": f"PR_{key}", "number": key, "url": url, "head_sha": "c" * 40}
    return json.dumps({**FACTS, "pull_request": pull})


async def _go_on(store: Store, settings: Settings) -> None:
    """Two releases on their way in each pipeline, told by the bridge itself."""

    def work(session: Session) -> None:
        for pipeline in settings.pipeline:
            for number, stages in enumerate(([Stage.CONFIRMED], [])):
                told = Published(package=pipeline.package, version=f"2.{number}.0")
                ledger.begin(session, pipeline, told, by="publisher", now=NOW)
                row = releases.of_version(session, pipeline.name, told.version)
                assert isinstance(row, Release)
                for to in stages:
                    ledger.transit(session, row, to, Reason(to.value, "It is."), NOW)

    await store.write(work)
    store.close()
