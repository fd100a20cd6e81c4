"""Alembic's environment for the catalog, and one module a migration under ``versions``."""
