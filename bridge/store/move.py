"""A database moves with its chain: everything in one transaction, proven before it is kept."""

from sqlalchemy import (
    ColumnClause,
    Connection,
    TextClause,
    column,
    func,
    inspect,
    select,
    table,
    text,
)
from sqlmodel import Session, SQLModel

from bridge import audit
from bridge.errors import Misconfigured
from bridge.store import record
from bridge.store.postgresql import take_your_time

TOGETHER = 500


def must_be_empty(target: Connection) -> None:
    """Raises Misconfigured if anything is there that is not an empty schema of ours."""
    ours = {"alembic_version", *SQLModel.metadata.tables}
    there = set(inspect(target).get_table_names())
    full = [
        name
        for name in sorted(there & SQLModel.metadata.tables.keys())
        if target.execute(select(func.count()).select_from(table(name))).scalar_one()
    ]
    if full or not there <= ours:
        found = ", ".join(full or sorted(there - ours))
        raise Misconfigured(f"the target is not empty: it has {found}")


def copy(source: Connection, target: Connection) -> audit.Verdict:
    """Copy every row of ours, as it is written, and verify the chain on the other side.

    Both schemas are up to date and both transactions are open, so that nobody writes meanwhile.
    Raises Misconfigured, with nothing kept, if the chain does not hold there or is another one.
    """
    take_your_time(source)
    take_your_time(target)
    for model in SQLModel.metadata.sorted_tables:
        # Without types, so that text stays the text that was hashed.
        plain = table(model.name, *(column(one.name) for one in model.columns))
        order: list[ColumnClause[object]] = [column(one.name) for one in model.primary_key]
        rows = source.execute(select(plain).order_by(*order)).mappings()
        for some in rows.partitions(TOGETHER):
            target.execute(plain.insert(), [dict(row) for row in some])
        if target.dialect.name == "postgresql" and "id" in model.columns:
            target.execute(_go_on(model.name))
    with Session(source) as before, Session(target) as after:
        verdict = audit.verify(record.chain(after))
        if not verdict.holds or verdict.head != record.head(before):
            raise Misconfigured(f"the chain does not hold: {verdict.problem or 'it is cut short'}")
    return verdict


def _go_on(name: str) -> TextClause:
    """The next id follows the last one."""
    return text(
        f"SELECT setval(pg_get_serial_sequence('{name}', 'id'), max(id)) "  # noqa: S608
        f"FROM {name} HAVING max(id) IS NOT NULL"
    )
