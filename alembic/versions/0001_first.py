"""Deliveries, releases and the append-only record."""

from collections.abc import Sequence

import sqlalchemy as sa

from alembic import op

revision: str = "0001"
down_revision: str | None = None
branch_labels: Sequence[str] | None = None
depends_on: Sequence[str] | None = None

STAGES = (
    "announced",
    "confirmed",
    "proposed",
    "merged",
    "deployed",
    "rolling_back",
    "verified",
    "superseded",
    "declined",
    "failed",
    "rolled_back",
)
STATES = ("new", "handled", "ignored", "parked")

DUE = sa.text("due_at IS NOT NULL")
APPEND_ONLY = {
    "transition_no_update": "BEFORE UPDATE ON transition",
    "transition_no_delete": "BEFORE DELETE ON transition",
    "transition_no_replace": "BEFORE INSERT ON transition "
    "WHEN EXISTS (SELECT 1 FROM transition WHERE seq = NEW.seq)",
}

REFUSE = """
CREATE FUNCTION refuse_to_rewrite() RETURNS trigger LANGUAGE plpgsql AS
$$ BEGIN RAISE EXCEPTION 'the record is append-only'; END $$
"""
# By statement: an upsert fires it too, whether or not a row is touched.
ON_REWRITE = """
CREATE TRIGGER transition_append_only BEFORE UPDATE OR DELETE OR TRUNCATE ON transition
FOR EACH STATEMENT EXECUTE FUNCTION refuse_to_rewrite()
"""
EVEN_IF_REPLICATING = "ALTER TABLE transition ENABLE ALWAYS TRIGGER transition_append_only"


def upgrade() -> None:
    op.create_table(
        "delivery",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("source", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("sha256", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("received_at", sa.String(24), nullable=False),
        sa.Column("state", sa.Enum(*STATES, native_enum=False, length=8), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("due_at", sa.String(24)),
        sa.UniqueConstraint("source", "delivery_id"),
        sa.UniqueConstraint("source", "sha256"),
    )
    op.create_index("delivery_due", "delivery", ["due_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_table(
        "release",
        sa.Column("id", sa.Integer(), primary_key=True),
        sa.Column("pipeline", sa.String(), nullable=False),
        sa.Column("package", sa.String(), nullable=False),
        sa.Column("version", sa.String(), nullable=False),
        sa.Column("canonical", sa.String(), nullable=False),
        sa.Column("app", sa.String(), nullable=False),
        sa.Column("stage", sa.Enum(*STAGES, native_enum=False, length=16), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("since", sa.String(24), nullable=False),
        sa.Column("created_at", sa.String(24), nullable=False),
        sa.Column("due_at", sa.String(24)),
        sa.Column("facts", sa.Text(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("fence", sa.Integer(), nullable=False),
        sa.Column("claimed_by", sa.String()),
        sa.Column("claimed_until", sa.String(24)),
        sa.UniqueConstraint("pipeline", "canonical"),
    )
    op.create_index("release_due", "release", ["due_at"], sqlite_where=DUE, postgresql_where=DUE)
    op.create_index("release_lane", "release", ["app", "stage"])
    op.create_table(
        "transition",
        sa.Column("seq", sa.Integer(), primary_key=True, autoincrement=False),
        sa.Column("release_id", sa.Integer(), sa.ForeignKey("release.id"), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("from_stage", sa.String(), nullable=False),
        sa.Column("to_stage", sa.String(), nullable=False),
        sa.Column("code", sa.String(), nullable=False),
        sa.Column("sentence", sa.String(), nullable=False),
        sa.Column("actor", sa.String(), nullable=False),
        sa.Column("delivery_id", sa.Integer()),
        sa.Column("occurred_at", sa.String(24), nullable=False),
        sa.Column("recorded_at", sa.String(24), nullable=False),
        sa.Column("evidence", sa.Text(), nullable=False),
        sa.Column("prev_hash", sa.String(), nullable=False),
        sa.Column("hash", sa.String(), nullable=False),
    )
    op.create_index("ix_transition_release_id", "transition", ["release_id"])
    if op.get_bind().dialect.name == "postgresql":
        op.execute(REFUSE)
        op.execute(ON_REWRITE)
        op.execute(EVEN_IF_REPLICATING)
        return
    for name, when in APPEND_ONLY.items():
        op.execute(
            f"CREATE TRIGGER {name} {when} "
            "BEGIN SELECT RAISE(ABORT, 'the record is append-only'); END"
        )


def downgrade() -> None:
    op.drop_table("transition")
    if op.get_bind().dialect.name == "postgresql":
        op.execute("DROP FUNCTION refuse_to_rewrite()")
    op.drop_table("release")
    op.drop_table("delivery")
