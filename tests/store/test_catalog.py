from __future__ import annotations

import itertools
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
