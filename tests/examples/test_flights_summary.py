"""The demo's summary tells each chapter compactly: what began it, what came of it, and what did not happen."""

from __future__ import annotations

import importlib
import io
import sys
from pathlib import Path

import pytest
from rich.console import Console
from tests.docs.executed import squeezed
from tests.monitor.reporting.happened import account
from tests.monitor.reporting.test_story import chain

from drivetrain.monitor.reporting.story import STEPS, tell

FLIGHTS = Path(__file__).resolve().parents[2] / "examples" / "flights"


@pytest.fixture
def summary(monkeypatch):
    monkeypatch.syspath_prepend(str(FLIGHTS))
    yield importlib.import_module("summary")
    sys.modules.pop("summary", None)


def told(summary, story) -> str:
    console = Console(width=200, record=True, file=io.StringIO())
    console.print(summary.chapters(story))
    return console.export_text()


def test_chapters_are_told_with_their_days_and_steps(summary):
    text = told(summary, chain("promote"))
    assert "2. Drift, an estimated fall and a fall on labels: v2 was promoted  15 January" in text
    assert "on labels 29 Jan ROC AUC fell to 0.600" in squeezed(text)
    assert "v2 was promoted: After 14 days in the shadow of v1" in text
    assert set(summary.SHORT) == set(STEPS)
    assert "nothing yet" in told(summary, tell(account()))
