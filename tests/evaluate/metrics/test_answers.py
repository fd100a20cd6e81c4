from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core.records import Task
from drivetrain.evaluate.metrics.answers import realigned

OURS = Task("multiclass", ("a", "b", "c"))
SAID = np.array([[0.2, 0.3, 0.5], [0.0, 0.0, 1.0]])


def test_the_same_classes_stay_as_they_are():
    assert realigned(SAID, OURS, OURS) is SAID


def test_classes_find_their_places_and_those_that_are_gone_are_shared_out():
    theirs = Task("multiclass", ("b", "a", "z"))
    found = realigned(SAID, theirs, OURS)
    assert found[0] == pytest.approx([0.3 / 0.5, 0.2 / 0.5, 0.0])
    assert found[1] == pytest.approx([1 / 3] * 3), "all it named is gone"


def test_labels_that_exclude_nothing_are_not_shared_out():
    theirs, ours = Task("multilabel", ("x", "a", "b")), Task("multilabel", ("a", "c"))
    assert realigned(SAID, theirs, ours).tolist() == [[0.3, 0.0], [0.0, 0.0]]


@pytest.mark.parametrize("theirs", [Task(), Task("regression"), Task("quantile", levels=(0.5,))])
def test_answers_of_another_kind_can_not_be_compared(theirs):
    assert realigned(SAID, theirs, OURS) is None
    assert realigned(SAID, Task("quantile", levels=(0.1,)), Task("quantile", levels=(0.2,))) is None
