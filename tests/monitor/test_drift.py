import msgspec
import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import StoreError, TrainingError, UsageError
from drivetrain.core.records import Field, InputSchema
from drivetrain.monitor.drift import measure_drift
from drivetrain.monitor.reference import Reference, load, profile
from monitor.world import SCHEMA, START, stream


def compare(reference, values, predictions, **more):
    settings = {"days": 7, "statistic": "psi", "effect": 0.0, "false_alarm": 0.15} | more
    return measure_drift(reference, values, predictions, **settings)


def alarms(tries: int, weeks: int, rows: int, statistic: str, **world) -> float:
    """Share of windows called drifted although they are one more week of the same stream."""
    count = 0
    for seed in range(tries):
        values, predictions, ats = stream(seed, weeks + 1, rows, **world)
        new = ats >= START + weeks * 7 * DAY
        reference = load(profile(values[~new], predictions[~new], ats[~new], SCHEMA))
        drift, output = compare(reference, values[new], predictions[new], statistic=statistic)
        count += output.drifted or any(one.drifted for one in drift)
    return count / tries


@pytest.mark.truth
@pytest.mark.parametrize("statistic", ["psi", "js", "ks"])
def test_rows_alike_cry_wolf_no_more_often_than_stated(statistic):
    assert alarms(80, 20, 250, statistic) <= 0.2


@pytest.mark.truth
@pytest.mark.parametrize("statistic", ["psi", "ks"])
def test_weeks_of_their_own_level_and_heavy_tails_cry_wolf_no_more_often_than_stated(statistic):
    """A fixed bound of .25 would cry wolf nearly always here."""
    assert alarms(80, 20, 250, statistic, level=0.7, heavy=True) <= 0.25


def test_a_small_window_is_not_drift_for_being_small():
    count = 0
    for seed in range(40):
        values, predictions, ats = stream(seed, 21, 300, level=0.3)
        new = np.flatnonzero(ats >= START + 20 * 7 * DAY)[:60]
        old = ats < START + 20 * 7 * DAY
        drift, output = compare(
            load(profile(values[old], predictions[old], ats[old], SCHEMA)), values[new], predictions[new]
        )
        count += output.drifted or any(one.drifted for one in drift)
    assert count <= 8


@pytest.fixture(scope="module")
def steady() -> tuple[Reference, np.ndarray, np.ndarray]:
    values, predictions, ats = stream(1, 21, 400)
    new = ats >= START + 20 * 7 * DAY
    return load(profile(values[~new], predictions[~new], ats[~new], SCHEMA)), values[new], predictions[new]


@pytest.mark.parametrize("statistic", ["psi", "js", "ks"])
@pytest.mark.parametrize(
    ("column", "change"),
    [
        (1, lambda x: x + 0.7),
        (1, lambda x: x * 2.5),
        (1, lambda x: np.full_like(x, 0.1)),
        (1, lambda x: np.where(np.arange(len(x)) % 3 == 0, np.nan, x)),
        (1, lambda x: np.full_like(x, np.nan)),
        (1, lambda x: np.full_like(x, np.inf)),
        (6, lambda x: np.where(np.arange(len(x)) % 3 == 0, 3.0, x)),
        (6, lambda x: np.where(np.arange(len(x)) % 3 == 0, np.nan, x)),
        (7, lambda x: 1 - x),
    ],
)
def test_a_change_is_seen_and_named_first(steady, statistic, column, change):
    reference, values, predictions = steady
    moved = values.copy()
    moved[:, column] = change(moved[:, column])
    drift, output = compare(reference, moved, predictions, statistic=statistic, effect=0.05)
    assert drift[0].feature == SCHEMA.names[column]
    assert drift[0].drifted
    assert drift[0].p_value < 0.01
    assert [one.feature for one in drift if one.drifted] == [SCHEMA.names[column]]
    assert not output.drifted


def test_predictions_that_shift_are_seen(steady):
    reference, values, predictions = steady
    assert compare(reference, values, np.clip(predictions * 2, 0, 1))[1].drifted


def test_an_effect_too_small_to_matter_is_not_drift(steady):
    reference, values, predictions = steady
    moved = values.copy()
    moved[:, 1] += 0.7
    drift, _ = compare(reference, moved, predictions, effect=5.0)
    assert not any(one.drifted for one in drift)
    assert all(one.threshold >= 5.0 for one in drift)


def season(seed: int, first_day: int, days: int, rows: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Temperature over the year, with weather of its own each day."""
    random = np.random.default_rng(seed)
    day = np.repeat(np.arange(first_day, first_day + days), rows)
    weather = random.normal(0, 3, days)[day - first_day]
    temperature = 12 - 13 * np.cos(2 * np.pi * (day - 20) / 365) + weather + random.normal(0, 3, len(day))
    values = np.column_stack([temperature, random.normal(size=len(day))])
    return values, random.random(len(day)), START + day * DAY


WEATHER = InputSchema((Field("temperature"), Field("other")))


def test_a_season_never_seen_is_drift_and_one_seen_before_is_not():
    spring = load(profile(*season(1, 0, 151, 80), WEATHER))
    year = load(profile(*season(1, 0, 365, 80), WEATHER))
    july = season(2, 190, 7, 80)
    october = season(2, 285, 7, 80)
    assert [one.feature for one in compare(spring, july[0], july[1], effect=0.2)[0] if one.drifted] == ["temperature"]
    assert not any(one.drifted for one in compare(spring, october[0], october[1], effect=0.2)[0])
    again = season(3, 365 + 190, 7, 80)
    assert not any(one.drifted for one in compare(year, again[0], again[1], effect=0.2)[0])


def test_a_reference_of_days_is_compared_with_as_a_whole():
    values, predictions, ats = season(1, 0, 16, 80)
    reference = load(profile(values, predictions, ats, WEATHER))
    new = season(2, 16, 7, 80)
    assert not any(one.drifted for one in compare(reference, new[0], new[1], effect=0.2)[0])
    new[0][:, 1] += 3
    assert [one.feature for one in compare(reference, new[0], new[1], effect=0.2)[0] if one.drifted] == ["other"]
    one_day = load(profile(values[:80], predictions[:80], ats[:80], WEATHER))
    found = compare(one_day, values[:80], predictions[:80], effect=0.2)
    assert not any(one.drifted for one in found[0])
    assert found[0][0].p_value is None


def test_only_the_features_named_are_watched(steady):
    reference, values, predictions = steady
    drift, _ = compare(reference, values, predictions, features=frozenset({"x1", "carrier"}))
    assert {one.feature for one in drift} == {"x1", "carrier"}


def test_nulls_are_counted(steady):
    reference, values, predictions = steady
    found = {one.feature: one for one in compare(reference, values, predictions)[0]}
    assert found["x3"].null_share == pytest.approx(np.isnan(values[:, 3]).mean())
    assert found["x3"].reference_null_share == pytest.approx(0.02, abs=0.01)
    assert found["x3"].count == len(values)


def test_a_constant_or_empty_column_of_the_reference_is_no_trouble():
    values = np.column_stack([np.full(2000, 5.0), np.full(2000, np.nan)])
    ats = START + np.arange(2000) * DAY // 25
    schema = InputSchema((Field("constant"), Field("nothing")))
    reference = load(profile(values, np.full(2000, 0.5), ats, schema))
    drift, output = compare(reference, values[:200], np.full(200, 0.5), effect=0.1)
    assert not output.drifted
    assert not any(one.drifted for one in drift)
    moved, _ = compare(reference, np.column_stack([np.full(200, 6.0), np.ones(200)]), np.full(200, 0.5), effect=0.1)
    assert all(one.drifted for one in moved)


def test_a_profile_is_small_and_its_counts_are_all_the_rows():
    values, predictions, ats = stream(1, 20, 400)
    data = profile(values, predictions, ats, SCHEMA, importance={"x1": np.float64(0.5)})
    reference = load(data)
    assert len(data) < 100_000
    assert reference.rows == 8000
    assert reference.importance == {"x1": 0.5}
    assert reference.since == START
    assert all(sum(map(sum, column.counts)) == 8000 for column in reference.columns)
    assert all(len(column.counts) == len(reference.days) for column in reference.columns)


def test_rows_that_do_not_fit_or_bytes_that_are_no_profile_are_named():
    values, predictions, ats = stream(1, 2, 10)
    with pytest.raises(TrainingError, match="needs rows"):
        profile(values[:0], predictions[:0], ats[:0], SCHEMA)
    with pytest.raises(UsageError, match="do not fit together"):
        profile(values[:, 1:], predictions, ats, SCHEMA)
    with pytest.raises(StoreError, match="can't be read"):
        load(b"\x81\xa1a\x01")
    old = msgspec.structs.replace(load(profile(values, predictions, ats, SCHEMA)), layout=0)
    with pytest.raises(StoreError, match="another layout"):
        load(msgspec.msgpack.encode(old))
