from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path

import pytest
from alembic import command
from alembic.config import Config
from sqlalchemy import inspect, text

from drivetrain.core.protocols import RunLog
from drivetrain.store import migrate as migration
from drivetrain.store.database import Database
from drivetrain.store.memory import MemoryRunLog
from drivetrain.store.migrate import migrate
from drivetrain.store.run_log import SqlRunLog
from drivetrain.store.schema import HEAD, metadata
from drivetrain.testing.kill import run_killed
from drivetrain.testing.run_log import RunLogConformance


@contextmanager
def opened(database: Database) -> Iterator[SqlRunLog]:
    migrate(database)
    try:
        yield SqlRunLog(database)
    finally:
        database.close()


class TestMemoryRunLog(RunLogConformance):
    @contextmanager
    def fresh(self) -> Iterator[RunLog]:
        yield MemoryRunLog()


class TestSqliteRunLog(RunLogConformance):
    examples = 20

    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.paths = (tmp_path / str(number) for number in itertools.count())

    def fresh(self) -> AbstractContextManager[RunLog]:
        return opened(Database("sqlite:///catalog.db", next(self.paths)))


@pytest.mark.services
class TestPostgresRunLog(RunLogConformance):
    examples = 6

    @pytest.fixture(autouse=True)
    def server(self, postgres, tmp_path):
        self.postgres = postgres
        self.folder = tmp_path

    def fresh(self) -> AbstractContextManager[RunLog]:
        return opened(Database(self.postgres.fresh(), self.folder))


def test_a_catalog_of_before_is_migrated_and_keeps_what_it_had(tmp_path):
    database = Database("sqlite:///catalog.db", tmp_path)
    config = Config()
    config.set_main_option("script_location", str(Path(migration.__file__).parent / "migrations"))
    with database.writing() as connection:
        config.attributes["connection"] = connection
        command.upgrade(config, "0001")
        connection.execute(text("INSERT INTO leases VALUES ('a', 'b', 1, 2)"))
    migrate(database)
    with database.writing() as connection:
        assert connection.execute(text("SELECT version_num FROM alembic_version")).scalar() == HEAD
        assert connection.execute(text("SELECT holder FROM leases")).scalar() == "b"
        there = inspect(connection)
        for table in metadata.tables.values():
            assert {one["name"] for one in there.get_columns(table.name)} == set(table.columns.keys())
            assert set(there.get_pk_constraint(table.name)["constrained_columns"]) == set(
                table.primary_key.columns.keys()
            )
    database.close()


def test_what_was_acknowledged_outlives_a_kill(tmp_path):
    ending = run_killed(
        """
import sys
from pathlib import Path
from drivetrain.core.records import Metric
from drivetrain.store import migrate as migration
from drivetrain.store.database import Database
from drivetrain.store.migrate import migrate
from drivetrain.store.run_log import SqlRunLog
from drivetrain.testing.kill import armed
database = Database("sqlite:///catalog.db", Path(sys.argv[1]))
migrate(database)
log = SqlRunLog(database)
armed()
for step in range(100_000):
    log.log("r", [Metric(key="m", value=1.0, step=step)], parameters={str(step): "x"})
    print(step)
""",
        str(tmp_path),
        lines=60,
    )
    assert ending.killed
    with opened(Database("sqlite:///catalog.db", tmp_path)) as log:
        kept = [point.step for point in log.history("r", "m")]
        assert kept == list(range(len(kept)))
        assert len(kept) >= len(ending.lines) >= 60
        assert len(log.parameters(["r"])["r"]) == len(kept)
        assert log.latest(["r"])["r"]["m"].step == kept[-1]
