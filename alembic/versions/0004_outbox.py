"""Notices that are not sent yet, and how far the record was read for them."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0004"
down_revision: str | None = "0003"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STATES = sa.Enum("new", "handled", "ignored", "parked", "discarded", native_enum=False, length=16)
DUE = sa.text("due_at IS NOT NULL")


def upgrade() -> None:
    op.create_table(
        "outbox",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("target", sa.String(), nullable=False),
        sa.Column("message_id", sa.String(), nullable=False),
        sa.Column("about", sa.String(), nullable=False),
        sa.Column("release_id", sa.Integer()),
        sa.Column("body", sa.String(), nullable=False),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.Column("state", STATES, nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.String(24)),
        sa.UniqueConstraint("target", "message_id"),
    )
    op.create_index("outbox_due", "outbox", ["due_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_table(
        "bookmark",
        sa.Column("name", sa.String(), primary_key=True),
        sa.Column("seq", sa.Integer(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("bookmark")
    op.drop_table("outbox")
