"""Deliveries that a person discarded."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BEFORE = sa.Enum("new", "handled", "ignored", "parked", native_enum=False, length=8)
NOW = sa.Enum("new", "handled", "ignored", "parked", "discarded", native_enum=False, length=16)


def upgrade() -> None:
    with op.batch_alter_table("delivery") as table:
        table.alter_column("state", type_=NOW, existing_type=BEFORE, existing_nullable=False)


def downgrade() -> None:
    op.execute("UPDATE delivery SET state = 'parked' WHERE state = 'discarded'")
    with op.batch_alter_table("delivery") as table:
        table.alter_column("state", type_=BEFORE, existing_type=NOW, existing_nullable=False)
