"""The catalog's tables as SQLAlchemy sees them; ``migrations/`` makes a database look like this."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text, text

HEAD = "0001"
"""Revision of the newest migration: what a database must be at before it is used."""

metadata = MetaData()

records = Table(
    "records",
    metadata,
    Column("kind", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("subject", Text, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("revision", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Index("records_by_subject", "kind", "subject", "at"),
    Index("records_by_time", "kind", "at"),
)
"""One row a record: ``place`` orders the records of one commit, ``body`` is the record as msgpack (JSON has no NaN)."""

links = Table(
    "links",
    metadata,
    Column("source", Text, primary_key=True),
    Column("target", Text, primary_key=True),
    Column("role", Text, primary_key=True),
    Column("revision", BigInteger, nullable=False),
    Column("place", Integer, nullable=False),
    Index("links_by_target", "target"),
)
"""The lineage; the primary key serves look-ups by source, the index those by target."""

revision = Table(
    "revision",
    metadata,
    Column("name", Text, primary_key=True),
    Column("value", BigInteger, nullable=False, server_default=text("0")),
)
"""One row named ``catalog``: how many commits there were. Locking it is what puts commits in a row."""

leases = Table(
    "leases",
    metadata,
    Column("name", Text, primary_key=True),
    Column("holder", Text, nullable=False),
    Column("token", BigInteger, nullable=False),
    Column("expires", BigInteger, nullable=False),
)
"""One row a name, never deleted, so that tokens only grow; ``holder`` is empty after a release."""
