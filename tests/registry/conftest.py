from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import Store, open_store


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    opened = open_store(StoreSettings(online_gib=0.01), tmp_path)
    yield opened
    opened.close()
