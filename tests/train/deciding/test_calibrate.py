"""Calibration is kept where a proper score on rows it was not learned from says that it helps."""

from __future__ import annotations

import numpy as np
import pytest
from sklearn.metrics import brier_score_loss, log_loss

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Task
from drivetrain.train.deciding.calibrate import Calibrate, calibrated, losses, squares
from drivetrain.train.deciding.curves import applied, learn
from drivetrain.train.deciding.unseen import Unseen, blocks_of, mean_of
from train.deciding.worlds import CLASSES, classes, over_days, yes_or_no


def test_what_is_bent_is_mended_and_later_rows_agree() -> None:
    found, crossed, choice = calibrated(Calibrate(), yes_or_no(slope=2.5, shift=1.0))
    assert found is not None
    assert choice.chosen is not None
    assert choice.chosen.gain.low is not None
    assert choice.chosen.gain.low > 0
    later = yes_or_no(seed=1, slope=2.5, shift=1.0)
    before, after = (losses(later.labels, said).mean() for said in (later.answers, applied(found, later.answers)))
    assert before - after == pytest.approx(choice.chosen.gain.value, abs=0.1)
    assert losses(later.labels, applied(found, later.answers)).mean() == pytest.approx(
        losses(later.labels, yes_or_no(seed=1).answers).mean(), abs=0.01
    ), "as good as the truth"
    assert crossed.shape == later.answers.shape


def test_what_is_right_is_left_alone() -> None:
    """Of many worlds in which nothing is to be mended, few are."""
    kept = sum(calibrated(Calibrate(), yes_or_no(500, seed=seed))[0] is not None for seed in range(40))
    assert kept <= 3
    answers = yes_or_no()
    found, crossed, choice = calibrated(Calibrate(), answers)
    assert found is None
    assert choice.chosen is None
    assert crossed is answers.answers
    assert [trial.method for trial in choice.trials] == ["sigmoid", "isotonic"]


def test_classes() -> None:
    found, crossed, choice = calibrated(Calibrate(), classes(sharper=3.0))
    assert found is not None
    assert {trial.method for trial in choice.trials} == {"temperature", "sigmoid", "isotonic"}
    assert crossed.sum(axis=1) == pytest.approx(1)
    later = classes(seed=1, sharper=3.0)
    assert losses(later.labels, applied(found, later.answers)).mean() < losses(later.labels, later.answers).mean()


def test_the_scores_are_scikit_learns() -> None:
    rows, three = yes_or_no(), classes()
    _, _, choice = calibrated(Calibrate("sigmoid"), rows)
    assert choice.log_loss == pytest.approx(log_loss(rows.labels, rows.answers))
    assert choice.brier == pytest.approx(brier_score_loss(rows.labels, rows.answers))
    assert losses(three.labels, three.answers).mean() == pytest.approx(log_loss(three.labels, three.answers))
    assert squares(three.labels, three.answers) == pytest.approx(
        brier_score_loss(three.labels, three.answers, scale_by_half=True)
    )


def test_a_stretch_of_time_is_read_by_what_others_taught() -> None:
    rows = yes_or_no(slope=2.0)
    _, crossed, _ = calibrated(Calibrate("isotonic"), rows)
    first = rows.parts()[0]
    spoilt = rows._replace(labels=np.where(first, 1 - rows.labels, rows.labels))
    others = rows.among(~first)
    assert crossed[first].tolist() == pytest.approx(
        applied(learn("isotonic", others.answers, others.labels), rows.answers[first]).tolist()
    )
    _, changed, choice = calibrated(Calibrate("isotonic"), spoilt)
    if choice.chosen is not None:
        assert changed[first].tolist() == crossed[first].tolist()


def test_parts_hold_each_row_once_and_no_moment_twice() -> None:
    rows = yes_or_no(103)
    rows = rows._replace(ats=np.repeat(rows.ats[::3], 3)[:103][::-1].copy())
    parts = rows.parts()
    assert np.sum(parts, axis=0).tolist() == [1] * 103
    assert sum(len(set(rows.ats[part].tolist())) for part in parts) == len(set(rows.ats.tolist()))
    assert max(part.sum() for part in parts) <= 24
    of_one = rows._replace(ats=np.zeros(103, np.int64))
    assert [part.all() for part in of_one.parts()] == [True]


def test_the_mean_of_blocks_covers() -> None:
    """Rows of a day share their luck: an interval as if they did not would cover two thirds."""
    chance = np.random.default_rng(4)
    inside = 0
    for _ in range(400):
        days = np.repeat(np.arange(15), 20)
        values = chance.normal(0, 0.5, 15)[days] + chance.normal(0, 1, 300)
        found = mean_of(values, days)
        assert found.low is not None
        assert found.high is not None
        inside += found.low <= 0 <= found.high
    assert 0.92 <= inside / 400 <= 0.98


def test_blocks_are_days_or_tenths() -> None:
    assert blocks_of(over_days(100, days=10))[0].max() == 9
    few, words = blocks_of(over_days(100, days=2))
    assert np.bincount(few).tolist() == [10] * 10
    assert words == "tenth of the rows by time"
    assert mean_of(np.ones(3), np.arange(3)).low is None


def test_bad_input_is_named() -> None:
    with pytest.raises(UsageError, match="no such way to calibrate; found 'platt'"):
        Calibrate("platt")  # type: ignore[arg-type]
    with pytest.raises(UsageError, match="can't be calibrated by auto where the label is a number"):
        Calibrate().ways("regression")
    with pytest.raises(
        UsageError, match="by temperature where the label is a yes or no; expected one of auto, sigmoid"
    ):
        Calibrate("temperature").ways("binary")
    rows = yes_or_no(60)
    rare = rows._replace(labels=(np.arange(60) < 4).astype(float))
    with pytest.raises(
        TrainingError, match=r"too few of one outcome; found 4 yes among 60; expected 10 or more of each"
    ):
        calibrated(Calibrate(), rare)
    few = Unseen(np.zeros(20), np.full((20, 3), 1 / 3), over_days(20), Task("multiclass", CLASSES), "the rows")
    with pytest.raises(TrainingError, match="the rows are too few; found 20 rows; expected 50 or more"):
        calibrated(Calibrate(), few)


def test_a_class_that_comes_in_one_stretch_only() -> None:
    rows = classes(600)
    early = np.where(rows.labels == 2, np.where(np.arange(600) < 100, 2, 1), rows.labels)
    _, _, choice = calibrated(Calibrate(), rows._replace(labels=early))
    assert np.isfinite([trial.log_loss for trial in choice.trials]).all()
    alone = rows.among(np.arange(600) < 100)._replace(labels=np.repeat([0.0, 1.0], 50), ats=np.repeat(rows.ats[:2], 50))
    _, said, _ = calibrated(Calibrate(), alone)
    assert np.isfinite(said).all()
