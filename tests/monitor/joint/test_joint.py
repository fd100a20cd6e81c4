"""Changes that no feature shows alone, seen jointly; and how seldom anything is said where nothing changed."""

import numpy as np
import polars as pl
import pytest
from sklearn.decomposition import PCA
from tests.monitor.truth import most

from drivetrain.core.clock import HOUR
from drivetrain.core.errors import UsageError
from drivetrain.monitor.joint.classifier import tell_apart
from drivetrain.monitor.joint.folds import rows_of
from drivetrain.monitor.joint.reconstruction import _rebuilt, _scaled, rebuild
from drivetrain.monitor.statistics.area import FOLDS

ROWS = 800


def rows(dice, together: float, many: int = ROWS) -> pl.DataFrame:
    """Two features that move together, one that does not, and a category; each alone is the same whatever they do."""
    first = dice.normal(size=many)
    second = together * first + np.sqrt(1 - together**2) * dice.normal(size=many)
    return pl.DataFrame(
        {
            "first": first,
            "second": second,
            "other": np.where(dice.random(many) < 0.1, np.nan, dice.normal(size=many)),
            "kind": dice.choice(list("abc"), many, p=[0.6, 0.3, 0.1]),
        }
    )


@pytest.mark.parametrize("look", [tell_apart, rebuild])
def test_what_moves_together_no_more_is_seen_and_named(look):
    dice = np.random.default_rng(1)
    then, now = rows(dice, 0.9, 2_000), rows(dice, 0.0, 2_000)
    found = look(then, now)
    assert found.drifted
    assert set(list(found.importance)[:2]) == {"first", "second"}
    assert sum(found.importance.values()) == pytest.approx(1)
    assert found.null == "rows"


@pytest.mark.truth
@pytest.mark.parametrize(("look", "tries"), [(tell_apart, 20), (rebuild, 60)])
def test_nothing_changed_is_said_seldom(look, tries):
    wrong = 0
    for seed in range(tries):
        dice = np.random.default_rng(seed)
        found = look(rows(dice, 0.5, 400), rows(dice, 0.5, 400), effect=0.0, false_alarm=0.1, seed=seed)
        wrong += found.p_value <= 0.1
    assert wrong <= tries * 0.1 + 3 * np.sqrt(tries * 0.09)


@pytest.mark.truth
@pytest.mark.slow
def test_the_classifiers_probabilities_are_no_smaller_than_they_say():
    """Small samples, so that there are tries enough to see one that is too liberal by half.

    Folds share their luck: with chance not made wider for it, more tries lie below .05 and .2 than luck allows.
    """
    tries, low = 500, {0.05: 0, 0.2: 0}
    for seed in range(tries):
        dice = np.random.default_rng([seed, 11])
        then, now = (pl.DataFrame(dice.normal(size=(many, 4)), schema=list("abcd")) for many in (160, 80))
        p_value = tell_apart(then, now, effect=0.0, seed=seed).p_value
        for rate in low:
            low[rate] += p_value <= rate
    assert all(found <= most(rate, tries) for rate, found in low.items()), low


def test_one_feature_that_moved_is_the_most_important():
    dice = np.random.default_rng(2)
    found = tell_apart(rows(dice, 0.5), rows(dice, 0.5).with_columns(pl.col("other") + 1.5))
    assert next(iter(found.importance)) == "other"
    assert found.value > 0.8
    kinds = rows(dice, 0.5).with_columns(kind=pl.lit("c"))
    assert next(iter(tell_apart(rows(dice, 0.5), kinds).importance)) == "kind"


@pytest.mark.truth
def test_rows_in_time_are_dealt_in_blocks():
    """A level of each day: rows of a day are alike, and days are what may change sides."""
    wrong = 0
    for seed in range(30):
        dice = np.random.default_rng(seed)
        days = np.repeat(np.arange(48), 24)
        level = dice.normal(size=(48, 2))[days]
        frame = pl.DataFrame(level + dice.normal(size=level.shape), schema=["a", "b"])
        frame = frame.with_columns(at=np.arange(len(days)) * HOUR)
        found = rebuild(frame[: 32 * 24], frame[32 * 24 :], time="at", block="1d", effect=0.0, seed=seed)
        wrong += found.drifted
        assert found.null == "blocks of 24 hours"
    assert wrong <= 5


def test_components_are_scikit_learns():
    dice = np.random.default_rng(3)
    made = rows_of(rows(dice, 0.8), rows(dice, 0.8), ["first", "second", "other"], None, None, 1)
    scaled = _scaled(made)
    taught = scaled[(made.folds != 0) & ~made.is_window]
    count = int(np.searchsorted(np.cumsum(PCA().fit(taught).explained_variance_ratio_), 0.65) + 1)
    peer = PCA(count).fit(taught)
    judged = scaled[made.folds == 0]
    errors = np.linalg.norm(judged - peer.inverse_transform(peer.transform(judged)), axis=1)
    np.testing.assert_allclose(_rebuilt(made, scaled).errors[made.folds == 0], errors, atol=1e-9)


def test_folds_hold_whole_blocks_of_both_sides():
    dice = np.random.default_rng(4)
    made = rows_of(rows(dice, 0.5), rows(dice, 0.5), (), None, None, 1)
    for fold in range(FOLDS):
        assert set(made.is_window[made.folds == fold].tolist()) == {False, True}
    assert all(len(set(made.folds[made.blocks == block].tolist())) == 1 for block in set(made.blocks.tolist()))
    frame = rows(dice, 0.5, 50).with_columns(at=np.arange(50) * HOUR)
    with pytest.raises(UsageError, match="too few blocks to learn from some"):
        rows_of(frame, frame, (), "at", "1d", 1)
