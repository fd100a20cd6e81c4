from __future__ import annotations

import math

import pytest

from drivetrain.core.records import Field
from drivetrain.serve.explain.words import sentence

DELAY, NIGHT, CARRIER = Field("dep_delay"), Field("night", "boolean"), Field("carrier", "category", ("AA", "UA"))
NAN = math.nan


@pytest.mark.parametrize(
    ("field", "value", "encoded", "contribution", "unit", "said"),
    [
        (DELAY, 42, 42.0, math.log(3.1), "log-odds", "dep_delay is 42: raises the odds by a factor of 3.1."),
        (DELAY, 42, 42.0, -math.log(3.1), "log-odds", "dep_delay is 42: lowers the odds by a factor of 3.1."),
        (DELAY, 2.5, 2.5, math.log(25.4), "log-odds", "dep_delay is 2.5: raises the odds by a factor of 25."),
        (DELAY, 1e6, 1e6, 999.0, "log-odds", "dep_delay is 1000000: raises the odds by a factor of more than 1000000."),
        (DELAY, 0, 0.0, 0.001, "log-odds", "dep_delay is 0: makes no difference."),
        (CARRIER, "UA", 1.0, 3.2, "target", "carrier is UA: adds 3.2 to the prediction."),
        (CARRIER, "UA", 1.0, -3.2, "target", "carrier is UA: takes 3.2 off the prediction."),
        (CARRIER, "ZZ", NAN, 0.0, "target", "carrier is ZZ, never seen in training: makes no difference."),
        (CARRIER, None, NAN, 12345.6, "target", "carrier is unknown: adds 12300 to the prediction."),
        (NIGHT, 1.0, 1.0, 0.12, "probability", "night is true: adds 12 percentage points to the chance."),
        (NIGHT, False, 0.0, -0.01, "probability", "night is false: takes 1 percentage point off the chance."),
        (NIGHT, None, NAN, 1e-5, "probability", "night is unknown: makes no difference."),
        (DELAY, 7, 7.0, math.log(2), "log of the target", "dep_delay is 7: raises the prediction by a factor of 2."),
        (DELAY, math.inf, math.inf, 1.5, "target", "dep_delay is inf: adds 1.5 to the prediction."),
    ],
)
def test_a_contribution_in_words(field, value, encoded, contribution, unit, said):
    assert sentence(field, value, encoded, contribution, unit) == said


@pytest.mark.parametrize(
    ("unit", "said"),
    [
        ("log-odds", "wind is 1: raises the odds of class 2 by a factor of 1.65."),
        ("probability", "wind is 1: adds 50 percentage points to the chance of class 2."),
    ],
)
def test_one_of_several_classes_is_named(unit, said):
    assert sentence(Field("wind"), 1, 1.0, 0.5, unit, "class 2") == said


def test_a_feature_that_is_described_goes_by_its_description():
    field = Field("plane.delay_mean_7d", description="the plane's mean delay in 7 days")
    assert sentence(field, 9, 9.0, 1.0, "target").startswith("the plane's mean delay in 7 days is 9: ")
