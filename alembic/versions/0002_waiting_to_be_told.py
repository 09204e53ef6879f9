"""Deliveries that a person discarded; releases that wait to be told, and who sweeps for them."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0002"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

BEFORE = sa.Enum("new", "handled", "ignored", "parked", native_enum=False, length=8)
NOW = sa.Enum("new", "handled", "ignored", "parked", "discarded", native_enum=False, length=16)
CLAIMED = sa.text("claimed_until IS NOT NULL")
REPAIR = sa.text("kind = 'repair'")


def upgrade() -> None:
    with op.batch_alter_table("delivery") as table:
        table.alter_column("state", type_=NOW, existing_type=BEFORE, existing_nullable=False)
    op.add_column(
        "release", sa.Column("failures", sa.Integer(), nullable=False, server_default="0")
    )
    op.add_column("release", sa.Column("seen", sa.String()))
    op.create_index(
        "release_claimed",
        "release",
        ["claimed_until"],
        sqlite_where=CLAIMED,
        postgresql_where=CLAIMED,
    )
    op.create_index("release_stage", "release", ["pipeline", "stage", "since"])
    op.create_index(
        "transition_repair", "transition", ["code"], sqlite_where=REPAIR, postgresql_where=REPAIR
    )
    op.create_table(
        "duty",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("holder", sa.String(), nullable=False),
        sa.Column("until", sa.String(24), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("duty")
    op.drop_index("transition_repair", "transition")
    op.drop_index("release_stage", "release")
    op.drop_index("release_claimed", "release")
    op.drop_column("release", "seen")
    op.drop_column("release", "failures")
    op.execute("UPDATE delivery SET state = 'parked' WHERE state = 'discarded'")
    with op.batch_alter_table("delivery") as table:
        table.alter_column("state", type_=BEFORE, existing_type=NOW, existing_nullable=False)
