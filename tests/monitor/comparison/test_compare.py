"""Reports of two frames: what they say of change, and how seldom they speak where there is none."""

import logging

import numpy as np
import polars as pl
import pytest
from tests.monitor.truth import least, most, sized

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.monitor.comparison.compare import compare
from drivetrain.monitor.statistics.statistic import STATISTICS

log = logging.getLogger(__name__)
ALL = tuple(STATISTICS)
NO_EFFECT = dict.fromkeys(ALL, 0.0)
SHARES = [0.5, 0.3, 0.1, 0.05, 0.02, 0.01, 0.01, 0.005, 0.003, 0.002]
WORLDS = {
    "normal": lambda dice, rows: dice.normal(size=rows),
    "cauchy": lambda dice, rows: dice.standard_cauchy(rows),
    "pareto": lambda dice, rows: dice.pareto(0.8, rows),
    "whole": lambda dice, rows: dice.poisson(1.5, rows).astype(float),
    "noughts": lambda dice, rows: np.where(dice.random(rows) < 0.7, 0, dice.exponential(1, rows)),
    "nulls": lambda dice, rows: np.where(dice.random(rows) < 0.1, np.nan, dice.normal(size=rows)),
    "category": lambda dice, rows: pl.Series(dice.choice(list("abcdefghij"), rows, p=SHARES)),
}


def world(dice, rows, **kinds):
    return pl.DataFrame({name: draw(dice, rows) for name, draw in (kinds or WORLDS).items()})


def alarms(first: int, second: int, tries: int) -> tuple[int, dict[str, int]]:
    """Reports that call anything drifted, and columns whose probability is .05 or less, by statistic."""
    wrong, low = 0, dict.fromkeys(ALL, 0)
    for seed in range(tries):
        dice = np.random.default_rng([first, second, seed])
        found = compare(world(dice, first), world(dice, second), statistics=ALL, effects=NO_EFFECT, seed=seed)
        wrong += bool(found.drifted)
        for each in found.differences:
            low[each.statistic] += each.p_value <= 0.05
    return wrong, low


@pytest.mark.truth
def test_nothing_changed_is_said_seldom_whatever_the_distribution():
    """Heavy tails, ties, many noughts, nulls and rare categories; 280 columns a statistic."""
    wrong, low = alarms(200, 150, 40)
    assert wrong <= most(0.05, 40)
    assert max(low.values()) <= most(0.05, 40 * len(WORLDS)), low


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize(
    ("first", "second", "tries"),
    [
        (200, 200, sized(200, 600)),
        (2_000, 200, sized(100, 200)),
        (2_000, 2_000, sized(100, 200)),
        (100_000, 100_000, sized(30, 60)),
        (1_000_000, 1_000_000, sized(30, 200)),
    ],
)
def test_nothing_changed_is_said_no_more_often_than_stated(first, second, tries):
    """As many wrong words as luck allows at the stated rate once in ten thousand runs.

    At a million rows, of thirty reports and 210 columns a statistic: a report's rate of .5, or a statistic's of .2,
    would be found in 99 of 100 runs.
    """
    wrong, low = alarms(first, second, tries)
    told = sum(low.values()) / tries / len(WORLDS) / len(ALL)
    log.info("%s against %s: %s of %s reports, %.3f of probabilities below .05", first, second, wrong, tries, told)
    assert wrong <= most(0.05, tries)
    assert max(low.values()) <= most(0.05, tries * len(WORLDS)), low


SHIFTS = {
    "mean": (lambda x, dice: x + 0.1, {"x": WORLDS["normal"]}),
    "spread": (lambda x, dice: x * np.sqrt(1.2), {"x": WORLDS["normal"]}),
    "tail": (lambda x, dice: x * 1.3, {"x": WORLDS["pareto"]}),
    "nulls": (lambda x, dice: np.where(dice.random(len(x)) < 0.03, np.nan, x), {"x": WORLDS["normal"]}),
    "category": (
        lambda x, dice: np.where((x == "a") & (dice.random(len(x)) < 0.08), "k", x),
        {"x": lambda dice, rows: dice.choice(list("abcdefghij"), rows, p=SHARES)},
    ),
}
SEES = {
    "mean": {"ks", "wasserstein", "energy"},
    "spread": {"psi", "js", "chi2", "hellinger"},
    "tail": {"ks", "energy"},
    "nulls": {"psi", "js", "ks", "chi2", "hellinger", "tv"},
    "category": set(ALL) - {"ks", "wasserstein", "tv", "energy"},
}
"""What sees 8,000 rows' shift of a tenth of a deviation, of a fifth of the variance, and so on, nearly always."""


@pytest.mark.truth
@pytest.mark.parametrize("shift", SHIFTS)
def test_a_small_shift_is_seen_by_the_statistics_that_are_for_it(shift):
    change, kinds = SHIFTS[shift]
    dice = np.random.default_rng(3)
    then, now = (world(dice, 8_000, **kinds) for _ in range(2))
    now = pl.DataFrame({"x": change(now["x"].to_numpy(), dice)})
    found = compare(then, now, statistics=ALL, effects=NO_EFFECT)
    assert SEES[shift] <= {each.statistic for each in found.differences if each.drifted}


POWER = {
    "mean": {"ks": 0.75, "wasserstein": 0.85, "energy": 0.85, "psi": 0.4},
    "spread": {"psi": 0.55, "js": 0.55, "chi2": 0.55, "hellinger": 0.55, "wasserstein": 0.65},
    "tail": {"ks": 0.95, "psi": 0.8, "tv": 0.8},
    "nulls": {"psi": 0.99, "js": 0.99, "chi2": 0.99, "hellinger": 0.99, "wasserstein": 0.95, "energy": 0.95},
    "category": {"psi": 0.99, "ks": 0.9, "tv": 0.9, "energy": 0.95, "wasserstein": 0.9},
}
"""What sees 2,000 rows' shift, and in which share of tries at least, with a probability of .05 or less."""


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize("shift", SHIFTS)
def test_power_is_what_the_table_says(shift):
    tries = sized(60, 200)
    change, kinds = SHIFTS[shift]
    seen = dict.fromkeys(ALL, 0)
    for seed in range(tries):
        dice = np.random.default_rng([7, seed])
        then, now = (world(dice, 2_000, **kinds) for _ in range(2))
        now = pl.DataFrame({"x": change(now["x"].to_numpy(), dice)})
        for each in compare(then, now, statistics=ALL, effects=NO_EFFECT, seed=seed).differences:
            seen[each.statistic] += each.p_value <= 0.05
    log.info("%s: %s", shift, {name: round(count / tries, 3) for name, count in seen.items()})
    assert all(seen[name] >= least(share, tries) for name, share in POWER[shift].items()), seen


def test_what_is_sure_but_too_small_to_matter_is_not_drift():
    dice = np.random.default_rng(4)
    then, now = pl.DataFrame({"x": dice.normal(size=40_000)}), pl.DataFrame({"x": dice.normal(0.1, 1, 40_000)})
    found = compare(then, now, statistics=["ks"])
    assert found.of("x", "ks").corrected <= 0.001
    assert not found.drifted
    assert compare(then, now, statistics=["ks"], effects={"ks": 0.03}).drifted == ("x",)
    with pytest.raises(KeyError):
        found.of("x", "psi")


def test_columns_that_are_empty_constant_or_new_are_no_trouble():
    rows = 300
    then = pl.DataFrame({"empty": [None] * rows, "same": [5.0] * rows, "kind": ["a"] * rows, "flag": [True] * rows})
    found = compare(then, then, statistics=ALL)
    assert not found.drifted
    assert all(each.value == pytest.approx(0, abs=1e-9) for each in found.differences)
    now = pl.DataFrame({"empty": [1.0] * rows, "same": [6.0] * rows, "kind": ["b"] * rows, "flag": [None] * rows})
    moved = compare(then, now.with_columns(pl.col("flag").cast(pl.Boolean)), statistics=ALL)
    assert set(moved.drifted) == {"empty", "same", "kind", "flag"}
    assert all(each.drifted for each in moved.differences if each.statistic in {"psi", "js", "ks", "tv", "hellinger"})
    assert moved.of("empty", "ks").reference_null_share == 1.0
    infinite = compare(pl.DataFrame({"x": [1.0, 2.0] * 50}), pl.DataFrame({"x": [float("inf")] * 100}))
    assert infinite.of("x", "ks").null_share == 1.0


def test_distances_are_told_in_deviations_of_the_reference():
    dice = np.random.default_rng(5)
    then, now = (pl.DataFrame({"x": dice.normal(100 + at, 10, 20_000)}) for at in (0, 5))
    found = compare(then, now, statistics=["wasserstein"])
    assert found.of("x", "wasserstein").value == pytest.approx(0.5, abs=0.03)


def series(dice, phi: float, rows: int) -> np.ndarray:
    found = np.empty(rows)
    last = dice.normal()
    for at, step in enumerate(dice.normal(size=rows) * np.sqrt(1 - phi * phi)):
        last = found[at] = phi * last + step
    return found


def hours(dice, days: int, phi: float) -> tuple[pl.DataFrame, pl.DataFrame]:
    rows = days * 24
    frame = pl.DataFrame({"x": series(dice, phi, rows), "at": np.arange(rows) * HOUR})
    return frame[: rows - 14 * 24], frame[rows - 14 * 24 :]


@pytest.mark.truth
def test_rows_in_time_cry_wolf_by_rows_and_not_by_blocks():
    """Hourly rows that resemble each other (.9 of the hour before): ninety days, and two weeks after."""
    by_rows = by_blocks = 0
    for seed in range(40):
        then, now = hours(np.random.default_rng(seed), 104, 0.9)
        asked = {"statistics": ["ks", "wasserstein"], "effects": NO_EFFECT, "seed": seed}
        by_blocks += bool(compare(then, now, time="at", **asked).drifted)
        if seed < 10:
            by_rows += bool(compare(then, now, features=["x"], **asked).drifted)
    assert by_blocks <= 6
    assert by_rows >= 5


def test_a_shift_in_time_is_seen_by_blocks():
    then, now = hours(np.random.default_rng(1), 104, 0.7)
    moved = now.with_columns(pl.col("x") + 0.8, kind=pl.lit("a"))
    found = compare(then.with_columns(kind=pl.lit("a")), moved, statistics=ALL, time="at", block="1d")
    assert found.drifted == ("x",)
    assert found.null == "blocks of 24 hours"


def test_what_does_not_fit_is_named():
    frame = pl.DataFrame({"x": [1.0, 2.0], "at": [0, DAY], "kind": ["a", None]})
    with pytest.raises(UsageError, match="the window has no rows"):
        compare(frame, frame.clear())
    with pytest.raises(UsageError, match="no column in common"):
        compare(frame, pl.DataFrame({"y": [1]}))
    with pytest.raises(UsageError, match="the window has no column 'x'"):
        compare(frame, frame.drop("x"), features=["x"])
    with pytest.raises(UsageError, match="can't be compared with itself"):
        compare(frame, frame.with_columns(pl.col("x").cast(pl.String)))
    with pytest.raises(UsageError, match="too few blocks"):
        compare(frame, frame, time="at", block="1d")
    with pytest.raises(UsageError, match="no moments in 'kind'"):
        compare(frame, frame, features=["x"], time="kind")
    with pytest.raises(UsageError, match="is a share"):
        compare(frame, frame, false_alarm=1.0)
    with pytest.raises(UnknownName, match="mmd"):
        compare(frame, frame, statistics=["mmd"])
