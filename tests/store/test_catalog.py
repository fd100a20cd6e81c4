from __future__ import annotations

import itertools
import subprocess
import sys
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager

import pytest

from drivetrain.core.protocols import Catalog
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.memory import MemoryCatalog
from drivetrain.store.migrate import migrate
from drivetrain.testing.catalog import CatalogConformance


@contextmanager
def opened(database: Database) -> Iterator[SqlCatalog]:
    migrate(database)
    catalog = SqlCatalog(database)
    try:
        yield catalog
    finally:
        catalog.close()


class TestMemoryCatalog(CatalogConformance):
    @contextmanager
    def fresh(self) -> Iterator[Catalog]:
        yield MemoryCatalog()


class TestSqliteCatalog(CatalogConformance):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.paths = (tmp_path / str(number) for number in itertools.count())

    def fresh(self) -> AbstractContextManager[Catalog]:
        return opened(Database("sqlite:///catalog.db", next(self.paths)))


@pytest.mark.services
class TestPostgresCatalog(CatalogConformance):
    examples = 10

    @pytest.fixture(autouse=True)
    def server(self, postgres, tmp_path):
        self.postgres = postgres
        self.folder = tmp_path

    def fresh(self) -> AbstractContextManager[Catalog]:
        return opened(Database(self.postgres.fresh(), self.folder))


def test_threads_that_are_the_first_to_read_a_kind_do_not_crash(tmp_path):
    """msgspec 0.22 reads what another thread has half made of a type; without a lock, two in three of these died."""
    code = """
import sys, threading
from pathlib import Path
from drivetrain.core.records import Run
from drivetrain.store.catalog import SqlCatalog
from drivetrain.store.database import Database
from drivetrain.store.migrate import migrate
database = Database("sqlite:///catalog.db", Path(sys.argv[1]))
migrate(database)
catalog = SqlCatalog(database)
catalog.commit(Run(run_id="a", model="m", trainer="t", code="", environment=""))
sys.setswitchinterval(1e-6)
ready = threading.Barrier(8)
threads = [threading.Thread(target=lambda: (ready.wait(), catalog.get(Run, "a"))) for _ in range(8)]
[thread.start() for thread in threads]
[thread.join() for thread in threads]
"""
    for _ in range(3):
        done = subprocess.run([sys.executable, "-c", code, str(tmp_path)], check=False, capture_output=True, text=True)
        assert done.returncode == 0, done.stderr[-500:]
