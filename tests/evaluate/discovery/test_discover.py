"""Planted slices are found; where there are none, none is claimed oftener than the level says."""

from __future__ import annotations

from itertools import combinations

import numpy as np
import polars as pl
import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core.clock import DAY
from drivetrain.evaluate.discovery.judging import holm
from drivetrain.evaluate.discovery.report import discover
from drivetrain.evaluate.discovery.wording import discoveries, how_found
from drivetrain.evaluate.fairness.report import Answers
from drivetrain.evaluate.report import Subject

SUBJECT = Subject(run_id="r", model="late", data="table:training/late@3")


def world(seed, planted="", *, days=40, rows=60, shared=0.3):
    """A model that is right but for the luck of days, and for what is planted; twelve numbers, two texts."""
    random = np.random.default_rng(seed)
    many, day = days * rows, np.repeat(np.arange(days), rows)
    columns = {f"x{at}": random.normal(size=many) for at in range(12)}
    carrier = random.choice(["EV", "B6", "UA", "DL"], many)
    origin = random.choice(["EWR", "JFK", "LGA"], many)
    odds = -1 + columns["x0"] + 0.5 * columns["x1"]
    truth = 1 / (1 + np.exp(-(odds + shared * random.normal(size=days)[day])))
    if planted == "pair":
        truth = np.where((carrier == "EV") & (origin == "JFK"), 1 - truth, truth)
    elif planted == "single":
        truth = np.where(carrier == "EV", np.minimum(truth + 0.2, 1), truth)
    elif planted == "number":
        truth = np.where(columns["x3"] > 0.9, truth * 0.3, truth)
    answers = Answers(
        predictions=1 / (1 + np.exp(-odds)), labels=(random.random(many) < truth).astype(float), ats=day * DAY
    )
    return answers, pl.DataFrame({**columns, "carrier": carrier, "origin": origin})


@pytest.mark.parametrize(
    ("planted", "conditions", "what"),
    [
        ("pair", {("carrier", "EV"), ("origin", "JFK")}, "too sure"),
        ("single", {("carrier", "EV")}, "too low"),
        ("number", {("x3", "over")}, "too high"),
    ],
)
def test_what_was_planted_is_found_first_and_nothing_else(planted, conditions, what):
    for seed in range(5):
        report = discover(*world(seed, planted, days=60, rows=100), subject=SUBJECT)
        first = max(report.found, key=lambda each: each.worse.value)
        assert {(each.column, each.value.split()[0]) for each in first.conditions} == conditions
        assert any(each.what == what for each in report.found)
        strangers = [each for each in report.found if not {c.column for c in each.conditions} & dict(conditions).keys()]
        assert len(strangers) <= 1
        assert first.worse.low > 0
        assert first.p <= 0.05


def test_nothing_is_claimed_where_there_is_nothing():
    """Of 120 models that are right, 5 % may have a slice claimed: 11 or more would come by luck once in fifty times."""
    claims = sum(bool(discover(*world(seed), subject=SUBJECT).found) for seed in range(120))
    assert claims <= 10


def test_rows_of_one_entity_are_not_taken_for_many():
    """Forty people with a luck of their own, each on most days: without knowing of them, slices would be claimed."""
    claims = {True: 0, False: 0}
    for seed in range(60):
        random = np.random.default_rng(seed)
        person = random.integers(0, 40, 2400)
        luck = random.normal(size=40)[person]
        home = np.array(["a", "b"])[(np.arange(40) < 8).astype(int)][person]
        answers = Answers(
            predictions=np.full(2400, 0.3),
            labels=(random.random(2400) < 1 / (1 + np.exp(0.85 - luck))).astype(float),
            ats=np.repeat(np.arange(40), 60) * DAY,
        )
        for known in claims:
            told = Answers(
                predictions=answers.predictions,
                labels=answers.labels,
                ats=answers.ats,
                entities=pl.Series(person) if known else None,
            )
            claims[known] += bool(discover(told, pl.DataFrame({"home": home}), subject=SUBJECT).found)
    assert claims[True] <= 8
    assert claims[False] >= 2 * claims[True]


def test_every_figure_is_of_the_half_that_was_not_searched():
    answers, columns = world(1, "single", days=60, rows=100)
    report = discover(answers, columns, subject=SUBJECT)
    found = next(each for each in report.found if each.name == "carrier is EV")
    assert 600 < found.rows < 900
    assert found.observed.value == pytest.approx(found.predicted + 0.19, abs=0.08)
    assert found.share == pytest.approx(found.rows / 3000)
    assert report.judged <= 12


def test_too_few_days_and_columns_that_tell_nothing_are_said():
    answers, columns = world(0, days=10, rows=100)
    few = discover(answers, columns, subject=SUBJECT)
    assert few.found == ()
    assert "1,000 rows of 10 days are too few" in discoveries(few)[0]
    none = discover(world(0)[0], pl.DataFrame({"same": ["x"] * 2400}), subject=SUBJECT)
    assert "no column tells rows apart" in discoveries(none)[0]


def test_sentences_say_where_how_much_and_how_it_was_found():
    report = discover(*world(2, "single", days=60, rows=100), subject=SUBJECT, left_out=["passenger"])
    line = next(line for line in discoveries(report) if "carrier is EV (" in line)
    assert "its percentages are too low: on average it said" in line
    assert "came true" in line
    assert "Not searched, as personal: passenger." in how_found(report)
    nothing = discover(*world(3), subject=SUBJECT)
    assert discoveries(nothing)[0].startswith("No group of rows was found in which it is worse than it says; ")


@given(st.lists(st.floats(0, 1), min_size=1, max_size=6))
def test_chances_are_corrected_as_by_testing_every_subset(chances):
    """Holm's is the shortcut of closed testing with Bonferroni: a slice stands if every subset that holds it does."""
    places = range(len(chances))
    subsets = [subset for size in range(1, len(chances) + 1) for subset in combinations(places, size)]
    for at, corrected in enumerate(holm(chances)):
        closed = max(len(each) * min(chances[place] for place in each) for each in subsets if at in each)
        assert corrected == pytest.approx(min(1.0, closed))
