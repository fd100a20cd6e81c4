"""What each method promises, without a model: its level among features that say nothing, and its arithmetic."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.testing.trainer import make_task
from drivetrain.train.selection.null_importance import dealt, excess
from drivetrain.train.selection.permutation import MOST, blocks_of, redrawn, shuffled
from drivetrain.train.selection.stability import constant, half, most_named, named

WORLDS = 1_500


def test_excess_is_what_a_loop_says() -> None:
    deals = np.random.default_rng(0).exponential(size=(21, 6))
    deals[:, 5] = 0.0
    deals[0, 0] = 9.0
    told, chance = excess(deals)
    usual = np.median([np.var(deals[:, at]) for at in range(6)])
    out = np.zeros_like(deals)
    for deal in range(21):
        for at in range(6):
            others = np.delete(deals[:, at], deal)
            out[deal, at] = (deals[deal, at] - others.mean()) / np.sqrt(others.var() + usual)
    assert told == pytest.approx(out[0])
    worst = out[1:].max(axis=1)
    assert chance == pytest.approx([(1 + (worst >= out[0, at]).sum()) / 21 for at in range(6)])
    assert chance[0] == pytest.approx(1 / 21)


def test_where_no_feature_says_anything_one_is_kept_as_often_as_the_level_says() -> None:
    """Importances of chance: skewed, of different size, rarely used, and hanging together."""
    random = np.random.default_rng(1)
    wrong = 0
    for _ in range(WORLDS):
        common = random.exponential(size=(41, 1))
        deals = random.exponential(size=(41, 25)) * np.geomspace(0.01, 10, 25) + 0.5 * common
        deals[:, ::5] *= random.random((41, 5)) < 0.2
        wrong += bool((excess(deals)[1] <= 0.05).any())
    assert wrong / WORLDS == pytest.approx(2 / 41, abs=3 * np.sqrt(0.05 * 0.95 / WORLDS))


def test_ways_redrawn_keep_the_level_and_the_bound_holds() -> None:
    """Losses of chance, skewed as a log loss is, that days share, and that hang together."""
    random = np.random.default_rng(2)
    truth = np.r_[np.zeros(12), 0.6, 1.2]
    wrong = missed = 0
    worlds = 250
    for world in range(worlds):
        day = random.exponential(size=(1, 1, 25)) ** 2
        base = random.exponential(size=(1, 1, 25)) ** 2
        mixed = random.exponential(size=(14, 4, 25)) ** 2 + truth[:, None, None]
        losses = day + np.concatenate([np.broadcast_to(base, (14, 1, 25)), mixed], axis=1) * 0.3
        _, chance, low = redrawn(losses, world, 0.05)
        wrong += bool(((chance <= 0.05) & (low > 0))[:12].any())
        missed += bool((low > 0.3 * truth).any())
    most = 0.05 + 3 * np.sqrt(0.05 * 0.95 / worlds)
    assert wrong / worlds <= most
    assert missed / worlds <= most


def test_a_feature_that_nothing_hangs_on_is_never_kept() -> None:
    random = np.random.default_rng(3)
    losses = np.repeat(random.exponential(size=(3, 1, 20)), 4, axis=1)
    losses[0, 1:] += 5.0 + random.normal(size=(3, 20))
    mean, chance, low = redrawn(losses, 0, 0.05)
    assert mean[0] == pytest.approx((losses[0, 1:].mean(axis=0) - losses[0, 0]).mean())
    assert chance[0] <= 0.05 < chance[1]
    assert low[0] > 0
    assert low[1] == pytest.approx(0.0)


def test_stability_keeps_no_more_wrong_features_than_it_may() -> None:
    """Features that say nothing, named by how they happen to go with the label in a half."""
    random = np.random.default_rng(4)
    wrong, many, features, pairs = [], 160, 40, 15
    most = most_named(features, 0.8, pairs, 1.5)
    for world in range(120):
        values, label = random.normal(size=(many, features)), random.normal(size=many)
        share = np.zeros(features)
        for time in range(2 * pairs):
            inside = half(np.arange(many), world, time)
            share += named(np.abs(np.corrcoef(values[inside].T, label[inside])[-1, :-1]), most)
        wrong.append(int((share / (2 * pairs) >= 0.8).sum()))
    assert np.mean(wrong) <= 1.5


def test_halves_come_in_pairs_and_groups_stay_whole() -> None:
    groups = np.repeat(np.arange(7), [3, 1, 2, 5, 4, 1, 2])
    for time in range(0, 6, 2):
        one, other = half(groups, 9, time), half(groups, 9, time + 1)
        assert np.array_equal(one, ~other)
        assert not set(groups[one]) & set(groups[other])
        assert len(set(groups[one])) == 3
    assert not np.array_equal(half(groups, 9, 0), half(groups, 9, 2))


def test_the_constant_is_that_of_the_theorem() -> None:
    """Values of the R package stabs 0.6 for assumption = "unimodal", B = 50."""
    assert constant(0.6, 50) == pytest.approx(1 / (2 * (2 * 0.6 - 1 - 1 / 100)))
    assert constant(0.9, 50) == pytest.approx(0.43137, abs=1e-5)
    for share in (0.6, 0.7, 0.8, 0.9, 1.0):
        most = most_named(200, share, 50, 2.0)
        assert constant(share, 50) * most**2 / 200 <= 2.0 < constant(share, 50) * (most + 1) ** 2 / 200


def test_only_what_is_used_is_named() -> None:
    assert named(np.array([0.0, 0.5, 0.0, 0.5]), 3).tolist() == [False, True, False, True]
    assert named(np.array([0.1, 0.5, 0.0, 0.4]), 2).tolist() == [False, True, False, True]


def test_labels_of_a_ranking_are_dealt_within_its_groups() -> None:
    task = make_task(kind="ranking")
    mixed = dealt(task, 3, 1)
    assert not np.array_equal(mixed.labels, task.labels)
    for group in np.unique(task.groups):
        here = task.groups == group
        assert sorted(mixed.labels[here]) == sorted(task.labels[here])
    assert dealt(task, 3, 0) is task
    plain = dealt(make_task(), 3, 1)
    assert sorted(plain.labels) == sorted(make_task().labels)
    assert np.array_equal(plain.labels, dealt(make_task(), 3, 1).labels)


def test_blocks_are_days_and_hold_groups_whole() -> None:
    days = np.repeat(np.arange(10), 5) * DAY
    assert np.array_equal(blocks_of(days + 5, None), np.repeat(np.arange(10), 5))
    assert len(np.unique(blocks_of(np.arange(500) * DAY, None))) == MOST
    assert len(np.unique(blocks_of(np.zeros(500, dtype=np.int64), None))) == MOST
    groups = np.repeat(np.arange(100), 3)
    blocks = blocks_of(np.arange(300, dtype=np.int64), groups)
    assert all(len(set(blocks[groups == group])) == 1 for group in range(100))


def test_one_column_is_shuffled_the_same_each_time() -> None:
    rows = np.arange(60.0).reshape(20, 3)
    mixed = shuffled(rows, 1, 4, 2)
    assert np.array_equal(mixed[:, [0, 2]], rows[:, [0, 2]])
    assert sorted(mixed[:, 1]) == sorted(rows[:, 1])
    assert not np.array_equal(mixed, rows)
    assert np.array_equal(mixed, shuffled(rows, 1, 4, 2))
