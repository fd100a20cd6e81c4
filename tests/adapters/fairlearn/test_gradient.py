"""Exponentiated gradient: groups are acted on more alike than without it."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra

fairlearn = pytest.importorskip("fairlearn", reason='fairlearn is not installed: pip install "drivetrain[fairlearn]"')


def test_groups_are_acted_on_more_alike_and_missing_values_are_read():
    random = np.random.default_rng(0)
    group = random.random(3000) < 0.5
    rows = random.normal(size=(3000, 3)) + group[:, None] * [1.0, 0.0, 0.0]
    labels = (random.random(3000) < 1 / (1 + np.exp(-(rows[:, 0] + rows[:, 1])))).astype(float)
    rows[random.random(3000) < 0.1, 2] = np.nan
    names = np.where(group, "a", "b").tolist()
    reduction = plugins.load("reduction", "fairlearn")
    acted = reduction(rows[:2000], labels[:2000], names[:2000], rows[2000:], constraint="demographic_parity")
    assert ((acted >= 0) & (acted <= 1)).all()
    late = group[2000:]
    plain = rows[2000:, 0] + rows[2000:, 1] > 0
    gap = abs(acted[late].mean() - acted[~late].mean())
    assert gap < 0.1
    assert abs(plain[late].mean() - plain[~late].mean()) > 0.25
    assert (acted.round() == labels[2000:]).mean() > 0.6
    again = reduction(rows[:2000], labels[:2000], names[:2000], rows[2000:], constraint="demographic_parity")
    assert np.array_equal(acted, again)


def test_without_it_the_line_that_installs_it_is_said(monkeypatch):
    monkeypatch.setitem(__import__("sys").modules, "fairlearn.reductions", None)
    for name in ("drivetrain.adapters.fairlearn", "drivetrain.adapters.fairlearn.gradient"):
        monkeypatch.delitem(__import__("sys").modules, name, raising=False)
    with pytest.raises(MissingExtra, match=r"pip install \"drivetrain\[fairlearn\]\""):
        plugins.load("reduction", "fairlearn")
