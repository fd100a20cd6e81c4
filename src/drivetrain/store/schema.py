"""The catalog's tables as SQLAlchemy sees them; ``migrations/`` makes a database look like this."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Double,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    text,
)

HEAD = "0002"
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

metrics = Table(
    "metrics",
    metadata,
    Column("run", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("step", BigInteger, primary_key=True, autoincrement=False),
    Column("at", BigInteger, primary_key=True, autoincrement=False),
    Column("value", Double, primary_key=True),
    Column("nan", Boolean, primary_key=True),
    Column("about", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""One row a point of a metric's history, only ever added to. A NaN is a 0 with ``nan``: SQLite has none, and keeps null
apart from null in a key."""

latest_metrics = Table(
    "latest_metrics",
    metadata,
    Column("run", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("step", BigInteger, nullable=False),
    Column("at", BigInteger, nullable=False),
    Column("value", Double, nullable=False),
    Column("nan", Boolean, nullable=False),
    Column("about", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""The newest point of each: what runs are searched by."""

run_facts = Table(
    "run_facts",
    metadata,
    Column("run", Text, primary_key=True),
    Column("sort", Text, primary_key=True),
    Column("key", Text, primary_key=True),
    Column("value", Text, nullable=False),
    sqlite_with_rowid=False,
)
"""Parameters and tags; ``sort`` says which."""
