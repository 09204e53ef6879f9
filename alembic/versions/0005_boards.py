"""What the sweep saw last of each pipeline."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0005"
down_revision: str | None = "0004"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None


def upgrade() -> None:
    op.create_table(
        "board",
        sa.Column("pipeline", sa.String(), primary_key=True),
        sa.Column("at", sa.String(24), nullable=False),
        sa.Column("found", sa.Text(), nullable=False),
        sa.Column("told", sa.String(), nullable=False),
    )


def downgrade() -> None:
    op.drop_table("board")
