"""What pages ask for beside the record: what serves, counts by day, and who moved a release last.

The record is read once, from its first line on; some minutes for ten million lines.
"""

import json
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import datetime
from itertools import islice

import sqlalchemy as sa

from alembic import op
from bridge.columns import written
from bridge.pause import EVERYTHING
from bridge.served import Served, Told, history
from bridge.store.postgresql import take_your_time
from bridge.tally import CAME, Count, recount

revision: str = "0006"
down_revision: str | None = "0005"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

INDEXES = {
    "release_by_pipeline": ("release", "pipeline", "id", "stage", "actor"),
    "release_by_stage": ("release", "stage", "id", "pipeline", "actor"),
    "release_by_actor": ("release", "actor", "id", "pipeline", "stage"),
    "release_by_version": ("release", "canonical", "id"),
    "transition_by_actor": ("transition", "actor", "seq", "code", "kind"),
    "transition_by_code": ("transition", "code", "seq", "actor", "kind"),
    "transition_by_kind": ("transition", "kind", "seq", "actor", "code"),
    "delivery_by_state": ("delivery", "state", "id"),
    "outbox_by_state": ("outbox", "state", "id"),
}
LINES = """
SELECT t.seq, t.release_id, r.pipeline, r.version, t.kind, t.from_stage, t.to_stage, t.code,
  t.recorded_at AS at,
  CASE WHEN t.to_stage IN ('rolled_back', 'verified') THEN t.evidence END AS evidence
FROM transition t JOIN release r ON r.id = t.release_id ORDER BY t.seq
"""
MOVED_LAST = """
UPDATE release SET actor = coalesce((SELECT t.actor FROM transition t
  WHERE t.release_id = release.id AND t.kind = 'move' ORDER BY t.seq DESC LIMIT 1), ''),
reason_since = coalesce((SELECT max(t.recorded_at) FROM transition t
  WHERE t.release_id = release.id AND t.kind <> 'intent' AND t.code = release.code), since)
"""
RECEIVED = """
SELECT substr(received_at, 1, 10), source, count(*) FROM delivery
WHERE source <> 'operator' GROUP BY 1, 2
"""
REPAIR = sa.text("kind = 'repair'")
TOGETHER = 1000


def upgrade() -> None:
    take_your_time(op.get_bind())
    op.add_column("release", sa.Column("actor", sa.String(), nullable=False, server_default=""))
    op.add_column("release", sa.Column("reason_since", sa.String(24)))
    tally = op.create_table(
        "tally",
        sa.Column("pipeline", sa.String(), primary_key=True),
        sa.Column("what", sa.String(), primary_key=True),
        sa.Column("day", sa.String(), primary_key=True),
        sa.Column("bucket", sa.Integer(), primary_key=True),
        sa.Column("count", sa.Integer(), nullable=False),
        sqlite_with_rowid=False,
    )
    served = op.create_table(
        "served",
        sa.Column("pipeline", sa.String(), primary_key=True),
        sa.Column("seq", sa.Integer(), primary_key=True),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("release_id", sa.Integer()),
        sa.Column("version", sa.String()),
        sa.Column("since", sa.String(24)),
        sa.Column("proven", sa.SmallInteger(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("was_proven", sa.SmallInteger(), nullable=False),
        sa.Column("broken_since", sa.String(24)),
    )
    op.execute(MOVED_LAST)
    _fill(tally, served)
    for name, (table, *columns) in INDEXES.items():
        op.create_index(name, table, columns)
    op.drop_index("transition_repair", "transition")


def _fill(tally: sa.Table, served: sa.Table) -> None:
    """As `store.books` would have, had it been there from the first line on."""
    connection = op.get_bind()
    counts = Counter(recount(_lines(connection)))
    for day, source, count in connection.execute(sa.text(RECEIVED)):
        counts[Count(EVERYTHING, CAME + source, day, 0)] = count
    rows = ({**one._asdict(), "count": count} for one, count in counts.items())
    changes = (_row(one) for one in history(_lines(connection)))
    for table, some in ((tally, rows), (served, changes)):
        while together := list(islice(some, TOGETHER)):
            connection.execute(table.insert(), together)


def _lines(connection: sa.Connection) -> Iterator[Told]:
    rows = connection.execute(sa.text(LINES), execution_options={"yield_per": TOGETHER})
    for row in rows:
        evidence = json.loads(row.evidence or "{}")
        put_back = (evidence.get("rollback") or {}).get("to")
        tagged_at = evidence.get("tagged_at")
        tagged_at = datetime.fromisoformat(tagged_at) if tagged_at else None
        moment = datetime.fromisoformat(row.at)
        yield Told._make((*row[:8], moment, put_back, tagged_at))


def _row(one: Served) -> dict[str, object]:
    """Moments as text and yes as 1, as `bridge.columns` writes them."""
    plain = one.model_dump()
    for name, value in plain.items():
        if isinstance(value, datetime):
            plain[name] = written(value)
        elif isinstance(value, bool):
            plain[name] = int(value)
    return plain


def downgrade() -> None:
    op.create_index(
        "transition_repair", "transition", ["code"], sqlite_where=REPAIR, postgresql_where=REPAIR
    )
    for name, (table, *_) in INDEXES.items():
        op.drop_index(name, table)
    op.drop_table("served")
    op.drop_table("tally")
    op.drop_column("release", "reason_since")
    op.drop_column("release", "actor")
