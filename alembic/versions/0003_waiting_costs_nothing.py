"""Indexes, so that a step looks at no release that only waits."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0003"
down_revision: str | None = "0001"
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

CLAIMED = sa.text("claimed_until IS NOT NULL")


def upgrade() -> None:
    op.create_index(
        "release_claimed",
        "release",
        ["claimed_until"],
        sqlite_where=CLAIMED,
        postgresql_where=CLAIMED,
    )
    op.create_index("release_stage", "release", ["pipeline", "stage", "since"])


def downgrade() -> None:
    op.drop_index("release_stage", "release")
    op.drop_index("release_claimed", "release")
