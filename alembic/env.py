"""Migrations: over the connection that the bridge hands us, or over the configured database."""

from sqlalchemy import Connection
from sqlmodel import SQLModel

import bridge.delivery
import bridge.drift
import bridge.notice
import bridge.pause
import bridge.release
import bridge.served
import bridge.store.duties
import bridge.tally  # noqa: F401
from alembic import context


def migrate(connection: Connection) -> None:
    """Run what is asked for over this connection."""
    context.configure(
        connection=connection,
        target_metadata=SQLModel.metadata,
        render_as_batch=True,
        user_module_prefix="bridge.columns.",
    )
    with context.begin_transaction():
        context.run_migrations()


given = context.config.attributes.get("connection")
if given is not None:
    migrate(given)
else:
    from bridge.settings import database_url
    from bridge.store.engine import engine_for

    with engine_for(database_url(), "write").begin() as own:
        migrate(own)
