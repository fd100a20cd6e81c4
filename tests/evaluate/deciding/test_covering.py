"""Coverage as it is measured: over all, by month, class and slice; what was missed is named."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Task
from drivetrain.core.records.deciding import Reach
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.deciding.covering import covered, covering
from drivetrain.evaluate.deciding.wording import covers, missed
from drivetrain.evaluate.metrics.answers import Answers

BEGIN = micros_of("2026-01-01")
NUMBER = Task("regression")
REACH = Reach(method="residual", coverage=0.9, reach=1.645)


def numbers(wide: float = 1.0, rows: int = 3_000) -> tuple[Answers, np.ndarray, pl.DataFrame]:
    """Errors that are normal; of the second half so many times as wide, and of B6 too."""
    chance = np.random.default_rng(0)
    said = chance.normal(0, 5, rows)
    spread = np.where(np.arange(rows) < rows // 2, 1.0, wide)
    ats = BEGIN + np.arange(rows) * 58 * DAY // rows
    carrier = chance.choice(["AA", "B6"], rows)
    return Answers(said + spread * chance.normal(size=rows), said, NUMBER), ats, pl.DataFrame({"carrier": carrier})


def test_it_is_the_share_inside() -> None:
    answers, ats, slices = numbers()
    found = covering(REACH, answers, ats, draw(ats, Bootstrap()), slices)
    near = np.abs(answers.labels - answers.predictions) <= 1.645
    assert found.covered.value == pytest.approx(near.mean())
    assert found.covered.low < 0.9 < found.covered.high  # type: ignore[operator]
    assert found.size.value == pytest.approx(3.29)
    parts = {(part.column, part.value): part for part in found.parts}
    assert set(parts) == {("month", "2026-01"), ("month", "2026-02"), ("carrier", "AA"), ("carrier", "B6")}
    which = (slices["carrier"] == "AA").to_numpy()
    assert parts["carrier", "AA"].covered.value == pytest.approx(near[which].mean())
    assert parts["carrier", "AA"].covered.level == pytest.approx(0.975)
    assert sum(part.covered.count for part in found.parts) == 2 * len(near)
    assert missed(found) == []
    assert len(covers(found, "flights")) == 1


def test_where_the_world_moved_it_is_said() -> None:
    answers, ats, slices = numbers(wide=2.0)
    found = covering(REACH, answers, ats, draw(ats, Bootstrap()), slices)
    assert [part.value for part in missed(found) if part.column == "month"] == ["2026-02"]
    told = " ".join(covers(found, "flights"))
    assert "That is surely less than 90 %: these flights are unlike those it was learned from" in told
    assert "It surely holds less among: month 2026-02 (" in told
    wide = covering(Reach(method="residual", coverage=0.5, reach=9.0), answers, ats, draw(ats, Bootstrap()))
    assert "intervals are wider than they need be" in " ".join(covers(wide, "flights")) or wide.covered.low is None


def test_of_classes() -> None:
    said = np.tile([[0.7, 0.2, 0.1], [0.4, 0.35, 0.25]], (200, 1))
    labels = np.tile([0.0, 2.0, 1.0, 0.0], 100)
    reach = Reach(method="set", coverage=0.8, floors=(0.3, 0.3, 0.3), classes=("ash", "beech", "oak"))
    task = Task("multiclass", reach.classes)
    inside, size = covered(reach, Answers(labels, said, task))
    assert inside[:4].tolist() == [1, 0, 0, 1]
    assert size[:4].tolist() == [1, 2, 1, 2]
    ats = BEGIN + np.arange(400) * 20 * DAY // 400
    found = covering(reach, Answers(labels, said, task), ats, draw(ats, Bootstrap()))
    by_class = {part.value: part.covered for part in found.parts if part.column == "class"}
    assert {name: measure.value for name, measure in by_class.items()} == {"ash": 1.0, "beech": 0.0, "oak": 0.0}
    assert by_class["ash"].low is None, "200 of 200 are not certainty"
    assert "a set names 1.50 classes" in covers(found, "trees")[0]
    twice = Answers(np.array([0.0, 1.0]), np.array([0.2, 0.45]))
    held, _ = covered(Reach(method="set", coverage=0.8, floors=(0.5, 0.4), classes=("no", "yes")), twice)
    assert held.tolist() == [1, 1]


def test_small_parts_are_left_out() -> None:
    answers, ats, _ = numbers(rows=40)
    found = covering(REACH, answers, ats, draw(ats, Bootstrap()))
    assert found.parts == ()
