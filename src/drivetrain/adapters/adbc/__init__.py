"""Databases and warehouses through ADBC: their rows arrive as Arrow columns, with no Python object a value."""

from drivetrain.adapters.adbc.connection import Connection

connection = Connection

__all__ = ["connection"]
