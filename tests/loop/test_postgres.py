"""The same road with its catalog on a real Postgres server: only a URL changes."""

from __future__ import annotations

import pytest
from tests.loop.shop import make_shop

from drivetrain.core.records import Alias, Step
from drivetrain.loop.project import Project
from drivetrain.testing.postgres import Postgres, postgres  # noqa: F401 - a fixture


@pytest.mark.services
def test_the_whole_road_with_its_records_on_postgres(postgres: Postgres, tmp_path, monkeypatch):  # noqa: F811
    monkeypatch.setenv("DRIVETRAIN_STORE__CATALOG", postgres.fresh())
    project = Project.load(make_shop(tmp_path / "shop"))
    assert project.run().refused == ()
    assert project.store.catalog.get(Alias, "returned:champion").version == 1
    assert project.run().did == ()
    assert len(project.store.catalog.find(Step)) == 6
    assert not (tmp_path / "shop" / ".drivetrain" / "catalog.db").exists()
    project.store.close()
