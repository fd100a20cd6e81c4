"""What came true, as callers say it of each kind of answer."""

from __future__ import annotations

import math

import pytest

from drivetrain.core.errors import RequestError
from drivetrain.core.records import Task
from drivetrain.serve.label import told

CLASSES, SEVERAL = Task("multiclass", ("3", "8")), Task("multilabel", ("round", "bent"))


@pytest.mark.parametrize(
    ("said", "task", "number", "names"),
    [
        (True, Task(), 1.0, None),
        (0.25, Task("regression"), 0.25, None),
        (2.0, Task("ranking"), 2.0, None),
        ("8", CLASSES, math.nan, ["8"]),
        (8.0, CLASSES, math.nan, ["8"]),
        ("never seen", CLASSES, math.nan, ["never seen"]),
        (["round"], SEVERAL, math.nan, ["round"]),
        ([], SEVERAL, math.nan, []),
        ("8", None, math.nan, ["8"]),
        (1.0, None, 1.0, None),
    ],
)
def test_a_label_is_logged_as_its_kind_is(said, task, number, names):
    kept, called = told(said, task, "feedback[0].label")
    assert called == names
    assert kept == number or (math.isnan(kept) and math.isnan(number))


@pytest.mark.parametrize(
    ("said", "task", "words"),
    [
        ("late", Task(), "a yes or no; found .late.; expected a number"),
        ("8", Task("regression"), "a number; found"),
        (True, CLASSES, "expected the name of a class"),
        (0.5, CLASSES, "one of several classes; found 0.5"),
        (["3"], CLASSES, "expected the name of a class"),
        ("round", SEVERAL, "a list of the labels that hold"),
        (1.0, SEVERAL, r"\[\] for none"),
    ],
)
def test_a_label_of_another_kind_is_refused(said, task, words):
    with pytest.raises(RequestError, match=words) as refused:
        told(said, task, "feedback[3].label")
    assert "feedback[3].label" in str(refused.value)
