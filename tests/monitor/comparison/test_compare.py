"""Reports of two frames: what they say of change, and how seldom they speak where there is none."""

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.monitor.comparison.compare import compare
from drivetrain.monitor.statistics.statistic import STATISTICS

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


def alarms(first: int, second: int, tries: int) -> tuple[float, dict[str, float]]:
    """Share of reports that call anything drifted, and of columns whose probability is below .05, by statistic."""
    wrong, low = 0, dict.fromkeys(ALL, 0.0)
    for seed in range(tries):
        dice = np.random.default_rng([first, second, seed])
        found = compare(world(dice, first), world(dice, second), statistics=ALL, effects=NO_EFFECT, seed=seed)
        wrong += bool(found.drifted)
        for each in found.differences:
            low[each.statistic] += (each.p_value <= 0.05) / tries / len(WORLDS)
    return wrong / tries, low


def test_nothing_changed_is_said_seldom_whatever_the_distribution():
    """Heavy tails, ties, many noughts, nulls and rare categories; 280 columns a statistic (2.6 % more are allowed)."""
    wrong, low = alarms(200, 150, 40)
    assert wrong <= 0.125
    assert all(share <= 0.085 for share in low.values()), low


@pytest.mark.slow
@pytest.mark.parametrize(("first", "second", "tries"), [(200, 200, 400), (2_000, 200, 300), (2_000, 2_000, 300)])
def test_nothing_changed_is_said_no_more_often_than_stated(first, second, tries):
    wrong, low = alarms(first, second, tries)
    assert wrong <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / tries)
    # Each statistic over seven columns.
    assert all(share <= 0.05 + 3 * np.sqrt(0.05 * 0.95 / tries / 3) for share in low.values()), low


@pytest.mark.slow
def test_nothing_changed_in_a_hundred_thousand_rows():
    wrong, low = alarms(100_000, 100_000, 30)
    assert wrong <= 0.17
    assert all(share <= 0.11 for share in low.values()), low


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


@pytest.mark.parametrize("shift", SHIFTS)
def test_a_small_shift_is_seen_by_the_statistics_that_are_for_it(shift):
    change, kinds = SHIFTS[shift]
    dice = np.random.default_rng(3)
    then, now = (world(dice, 8_000, **kinds) for _ in range(2))
    now = pl.DataFrame({"x": change(now["x"].to_numpy(), dice)})
    found = compare(then, now, statistics=ALL, effects=NO_EFFECT)
    assert SEES[shift] <= {each.statistic for each in found.differences if each.drifted}


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
