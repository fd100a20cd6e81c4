from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import settings
from tests.loop.shop import make_shop

from drivetrain.loop.project import Project

# How long an example takes depends on who else wants the machine.
settings.register_profile("ours", deadline=None)
settings.load_profile("ours")


@pytest.fixture(scope="session")
def made_shop(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A shop whose road has been run once; copy it before you change it."""
    folder = make_shop(tmp_path_factory.mktemp("shop") / "shop")
    project = Project.load(folder)
    outcome = project.run(at="2026-06-30")
    assert outcome.refused == ()
    project.store.close()
    return folder
