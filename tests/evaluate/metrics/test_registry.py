from __future__ import annotations

from typing import get_args

import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UnknownName
from drivetrain.core.records import Task, TaskKind
from drivetrain.core.records.task import DEFAULT_METRICS, KINDS
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.metrics import METRICS, SETS, metric_for, metric_of, suits
from drivetrain.evaluate.metrics.answers import Answers

ROWS = 200


def answers(kind: TaskKind) -> Answers:
    """Rows of every kind in which everything happens."""
    chance = np.random.default_rng(3)
    label, score = chance.integers(0, 2, ROWS).astype(float), chance.random(ROWS)
    shares = chance.dirichlet(np.ones(3), ROWS)
    every = {
        "binary": Answers(label, score),
        "multiclass": Answers(chance.integers(0, 3, ROWS).astype(float), shares, Task(kind, ("a", "b", "c"))),
        "regression": Answers(chance.normal(5, 2, ROWS), 10 * score, Task(kind)),
        "quantile": Answers(chance.normal(5, 2, ROWS), 9 * shares, Task(kind, levels=(0.1, 0.5, 0.9))),
        "multilabel": Answers((shares > 0.3).astype(float), shares[::-1], Task(kind, ("a", "b", "c"))),
        "ranking": Answers(label, score, Task(kind), np.arange(ROWS) // 5),
    }
    return every[kind]


@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_every_figure_of_a_kind_is_a_metric_of_it_and_the_reverse(kind):
    asked = answers(kind)
    SETS[kind].check(asked, "it")
    over = draw(np.arange(ROWS) * DAY // 4, Bootstrap(replicates=50))
    found = SETS[kind].figures(asked, over)
    assert all(suits(name, kind) for name in found)
    assert set(SETS[kind].metrics) <= set(found)
    assert {SETS[kind].slice_metric, DEFAULT_METRICS[kind]} <= set(found)
    for name, each in found.items():
        assert each.shape == (51,), name
        assert np.isfinite(each).all(), name
        scale = metric_of(name, kind).scale
        assert scale == "line" or each.min() >= 0, name
        assert scale != "share" or each.max() <= 1 + 1e-12, name


@pytest.mark.parametrize("kind", get_args(TaskKind))
def test_a_replicate_is_the_metric_of_the_rows_it_drew(kind):
    """Rows repeated as a replicate drew them have the figures that the replicate tells of."""
    asked = answers(kind)
    over = draw(np.arange(ROWS) * DAY // 5, Bootstrap(replicates=20))  # groups of five share a day
    found = SETS[kind].figures(asked, over)
    for at in (3, 11):
        times = over.counts[at][over.codes]
        again = np.repeat(np.arange(ROWS), times)
        groups = asked.groups
        if groups is not None:  # a group drawn twice is two groups
            copy = np.concatenate([np.arange(many) for many in times])
            groups = groups[again] * 100 + copy
        drawn = Answers(asked.labels[again], asked.predictions[again], asked.task, groups)
        plain = SETS[kind].figures(drawn, draw(np.zeros(len(again), np.int64), Bootstrap(replicates=1)))
        for name in found:
            if name != "ece":  # its groups are those of the rows as they are
                assert found[name][at + 1] == pytest.approx(plain[name][0]), name


def test_names():
    assert set(KINDS) == set(DEFAULT_METRICS) == set(SETS) == set(get_args(TaskKind))
    assert metric_of("ndcg@3").title == "NDCG at 3"
    assert metric_of("coverage@0.9", "quantile").better == "neither"
    assert {"roc_auc", "mae", "ndcg@10"} <= set(METRICS)
    assert metric_for("multiclass", "mae", None, "accuracy") == "accuracy"
    for name, kind in (("ndcg@", None), ("ndcg@x", None), ("mae@0.5", None), ("roc_auc", "regression")):
        with pytest.raises(UnknownName, match="no metric is called"):
            metric_of(name, kind)
