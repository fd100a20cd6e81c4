"""Progress on a terminal."""

from __future__ import annotations

import time

import pytest

from drivetrain.cli import live


def test_a_terminal_is_drawn_a_few_times_a_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(live.err, "_force_terminal", True)
    drawn: list[float] = []
    with live.LiveProgress() as progress:
        refresh = progress._bars.live.refresh
        monkeypatch.setattr(progress._bars.live, "refresh", lambda: drawn.append(time.monotonic()) or refresh())
        progress.start("road", total=2)
        time.sleep(1.2)
        progress.advance("road", note="half way")
        progress.finish("road", "there")
    assert 2 <= len(drawn) <= 9
