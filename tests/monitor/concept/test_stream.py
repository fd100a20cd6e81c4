"""A version's errors taken one by one: found and held, how seldom where nothing changes, and across looks."""

from __future__ import annotations

import logging

import msgspec
import numpy as np
import pytest
from tests.monitor.truth import least, most, sized

from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import ErrorStream, Task
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.monitor.concept.stream import advance, mean_error
from drivetrain.monitor.erring import losses
from drivetrain.monitor.spec import Performance

log = logging.getLogger(__name__)
TURN, DAYS, A_DAY = 40, 80, 60


def errors(dice, *, turned=False, shock=0.0, hard=False, days=DAYS, a_day=A_DAY):
    """Squared errors of probabilities that are right, or, from day 40 on, too low; or decisions that are wrong."""
    day = np.repeat(np.arange(days), a_day)
    late = (day >= TURN) & turned
    margin = dice.normal(-1.4, 0.8, len(day))
    truth = margin + dice.normal(0, shock, days)[day] + 1.2 * late
    said = 1 / (1 + np.exp(-margin))
    came = dice.random(len(day)) < 1 / (1 + np.exp(-truth))
    found = ((said >= 0.5) != came).astype(float) if hard else (said - came) ** 2
    return found, day * DAY + np.tile(np.arange(a_day), days) * (DAY // a_day)


def followed(found, ats, kind="adwin", looks=DAYS):
    """The stream, and the first day on which it says that errors rose."""
    stream, first = ErrorStream(endpoint="e", version=1, detector=kind), None
    for part in np.array_split(np.arange(len(found)), looks):
        stream = advance(stream, found[part], ats[part])
        if first is None and stream.rise is not None:
            first = int(ats[part[-1]] // DAY)
    return stream, first


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize("shock", [0.0, 0.3])
@pytest.mark.parametrize(("kind", "rate"), [("adwin", 0.02), ("page_hinkley", 0.1)])
def test_where_nothing_changes_nothing_is_found(kind, rate, shock):
    """Streams of 4,800 errors, of days that share their luck and days that do not."""
    tries = sized(40, 200)
    made = (errors(np.random.default_rng([seed, 8]), shock=shock) for seed in range(tries))
    told = sum(followed(*one, kind)[1] is not None for one in made)
    log.info("%s, days share %.1f: %s of %s streams", kind, shock, told, tries)
    assert told <= most(rate, tries)


@pytest.mark.truth
@pytest.mark.slow
@pytest.mark.parametrize("kind", ["adwin", "page_hinkley", "ddm"])
def test_a_turn_is_found_within_days_and_stands(kind):
    tries = sized(20, 100)
    made = [
        followed(*errors(np.random.default_rng([seed, 9]), turned=True, hard=kind == "ddm"), kind)
        for seed in range(tries)
    ]
    waits = [first - TURN for _, first in made if first is not None and first >= TURN]
    log.info("%s: found in %s of %s, after %s days", kind, len(waits), tries, np.median(waits or [0]))
    if kind != "ddm":
        assert len(waits) >= least(0.95 if kind == "adwin" else 0.8, tries)
        assert np.median(waits) <= 8
    if kind == "adwin":
        stands = [one for one, _ in made if one.rise is not None]
        assert len(stands) >= least(0.95, tries)
        assert np.median([abs(one.rise.began / DAY - TURN) for one in stands]) <= 4
        assert all(one.rise.before.high < one.rise.after.value for one in stands)


@pytest.mark.parametrize(("kind", "least_ended"), [("adwin", 4), ("page_hinkley", 4), ("ddm", 2)])
def test_a_change_ends_once_errors_are_as_they_were_whatever_the_detector_tells(kind, least_ended):
    """A month at .4, then as before: two of the detectors tell of no fall, and the mean since keeps the month in it."""
    ended = stood = 0
    for seed in range(6):
        for back in (True, False):
            dice = np.random.default_rng(seed)
            day = np.repeat(np.arange(41 + 30 + 40), A_DAY)
            rate = np.where((day >= 41) & ((day < 71) | (not back)), 0.4, 0.1)
            found = (dice.random(len(day)) < rate).astype(float)
            stream, _ = followed(found, day * DAY + np.tile(np.arange(A_DAY), 111) * (DAY // A_DAY), kind, looks=111)
            ended += back and stream.rise is None
            stood += not back and stream.rise is not None
    assert ended >= least_ended
    assert stood >= 5


def test_a_few_good_errors_end_no_change():
    """Five errors of nought in the last fortnight are no proof."""
    dice = np.random.default_rng(0)
    day = np.repeat(np.arange(71), A_DAY)
    found = (dice.random(len(day)) < np.where(day >= 41, 0.4, 0.1)).astype(float)
    stream, _ = followed(found, day * DAY, "page_hinkley", looks=71)
    assert stream.rise is not None
    few = advance(stream, np.zeros(5), (100 + np.arange(5)) * DAY)
    assert few.rise is not None


def test_it_is_the_same_however_often_it_is_looked_at():
    found, ats = errors(np.random.default_rng(3), turned=True)
    (once, _), (often, _) = followed(found, ats, looks=1), followed(found, ats, looks=200)
    kept = msgspec.convert(msgspec.to_builtins(often), ErrorStream)
    assert kept == often, "it survives the catalog"
    assert (once.seen, once.state) == (often.seen, often.state)
    assert (once.rise.found, once.rise.began) == (often.rise.found, often.rise.began)
    assert sum(one.count for one in often.chunks) == len(found)


def test_days_are_what_an_interval_rests_on():
    dice = np.random.default_rng(4)
    day = np.repeat(np.arange(20), 50)
    luck = np.clip(dice.normal(0.5, 0.2, 20), 0, 1)[day]
    stream, _ = followed((dice.random(1000) < luck).astype(float), day * DAY, looks=20)
    wide = mean_error(stream.chunks)
    assert wide.count == 1000
    assert wide.high - wide.low > 3 * 2 * 0.5 / np.sqrt(1000)


def test_errors_lie_between_nought_and_one_whatever_is_told():
    dice = np.random.default_rng(5)
    yes = Answers(np.array([0.0, 1.0, 1.0]), np.array([0.2, 0.9, 0.4]))
    assert losses(yes, "adwin", None).values.tolist() == pytest.approx([0.04, 0.01, 0.36])
    assert losses(yes, "ddm", None).values.tolist() == [0.0, 0.0, 1.0]
    classes = Answers(
        np.array([0.0, 2.0]), np.array([[0.7, 0.2, 0.1], [1.0, 0.0, 0.0]]), Task("multiclass", ("a", "b", "c"))
    )
    assert losses(classes, "adwin", None).values.tolist() == pytest.approx([0.07, 1.0])
    assert losses(classes, "ddm", None).values.tolist() == [0.0, 1.0]
    number = Answers(dice.normal(size=9), dice.normal(size=9), Task("regression"))
    assert losses(number, "adwin", None).values is None
    assert "a yes or no, of classes" in losses(yes._replace(task=Task("ranking")), "adwin", None).words
    with pytest.raises(ProjectError, match="unknown detector"):
        Performance(concept="kswin")
