"""The pages over a real store: SQLite, Delta tables and blobs on disk."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import Store, open_store
from drivetrain.web.app import create_app
from web.conftest import Caller
from web.seed import PRIVATE, SeededDesk, fill
from web.test_pages import PAGES
from web.tracked import track


@pytest.fixture(scope="module")
def store(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Store]:
    folder: Path = tmp_path_factory.mktemp("flights")
    opened = open_store(StoreSettings(), folder)
    fill(opened)
    track(opened)
    yield opened
    opened.close()


@pytest.fixture
def call_stored(store: Store) -> Caller:
    desk = SeededDesk(empty=True)
    desk.store = store  # type: ignore[assignment]
    return Caller(create_app(desk))


@pytest.mark.parametrize("path", PAGES)
def test_a_page_says_the_same_from_disk_as_from_memory(path: str, call_stored: Caller, call: Caller):
    stored, remembered = call_stored(path), call(path)
    assert stored.status_code == 200
    assert PRIVATE not in stored.text
    assert stored.text.partition("</header>")[2].count("<tr") == remembered.text.count("<tr")


def test_rows_set_aside_and_answers_come_from_the_tables(call_stored: Caller):
    assert "Page 1 of 2" in call_stored("/quarantine/flights").text
    assert call_stored("/api/v1/quarantine/flights").json()["total"] == 30
    link = next(part for part in call_stored("/predictions").text.split('"') if part.startswith("/predictions/"))
    assert "What the model saw" in call_stored(link).text
    assert "sandbox" in call_stored("/models/late/versions/1/card").headers["content-security-policy"]
