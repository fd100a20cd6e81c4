"""What Alembic runs to migrate: the caller hands over an open connection and owns its transaction."""

from __future__ import annotations

from alembic import context


def migrate() -> None:
    """Brings the caller's connection to the revision that was asked for."""
    context.configure(connection=context.config.attributes["connection"])
    with context.begin_transaction():
        context.run_migrations()


if __name__ == "env_py":  # the name Alembic loads this file under; anybody else only imports it
    migrate()
