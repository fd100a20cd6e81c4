"""Curves that calibrate, beside scikit-learn's own; and one row read as a batch is."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.base import BaseEstimator, ClassifierMixin
from sklearn.calibration import CalibratedClassifierCV
from sklearn.frozen import FrozenEstimator
from sklearn.isotonic import IsotonicRegression

from drivetrain.core.errors import TrainingError
from drivetrain.core.records.deciding import Calibration, Sigmoid, Steps
from drivetrain.train.deciding.curves import applied, isotonic, learn, row_reader, sigmoid
from train.deciding.worlds import classes, yes_or_no


class Said(ClassifierMixin, BaseEstimator):
    """Says what it is given as features: probabilities, or log-odds as a decision function."""

    def __init__(self, kinds: int = 2, odds: bool = True) -> None:
        self.kinds = kinds
        self.odds = odds

    def fit(self, *_: object) -> Said:
        self.classes_ = np.arange(self.kinds)
        return self

    def decision_function(self, rows: np.ndarray) -> np.ndarray:
        return np.log(rows[:, 0]) - np.log1p(-rows[:, 0]) if self.kinds == 2 else np.log(rows)

    def predict(self, rows: np.ndarray) -> np.ndarray:
        return np.zeros(len(rows))


def golden(method: str, said: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """What scikit-learn makes of the same answers."""
    rows = said[:, None] if said.ndim == 1 else said
    frozen = FrozenEstimator(Said(max(rows.shape[1], 2)).fit())
    return CalibratedClassifierCV(frozen, method=method, ensemble=False).fit(rows, labels).predict_proba(rows)


@pytest.mark.parametrize(("slope", "shift"), [(1.0, 0.0), (3.0, 1.0), (0.3, -2.0)])
def test_a_sigmoid_is_scikit_learns_of_log_odds(slope: float, shift: float) -> None:
    rows = yes_or_no(slope=slope, shift=shift)
    said = applied(learn("sigmoid", rows.answers, rows.labels), rows.answers)
    assert said == pytest.approx(golden("sigmoid", rows.answers, rows.labels)[:, 1], abs=2e-5)


def test_a_sigmoid_finds_the_bend_that_was_made() -> None:
    rows = yes_or_no(40_000, slope=2.0, shift=1.0)
    found = sigmoid(rows.answers, rows.labels)
    assert found.slope == pytest.approx(0.5, abs=0.02)
    assert found.intercept == pytest.approx(-0.5, abs=0.04)


@pytest.mark.parametrize("digits", [2, 12])
def test_isotonic_is_scikit_learns_but_never_certain(digits: int) -> None:
    rows = yes_or_no(slope=3.0)
    said = np.round(rows.answers, digits)  # two digits: many ties
    found = applied(Calibration(method="isotonic", curves=(isotonic(said, rows.labels),)), said)
    theirs = IsotonicRegression(out_of_bounds="clip").fit(said, rows.labels)
    edge = 1 / (len(said) + 1)
    assert found == pytest.approx(theirs.predict(said).clip(edge, 1 - edge), abs=1e-12)
    between = np.linspace(0, 1, 997)
    curve = Calibration(method="isotonic", curves=(isotonic(said, rows.labels),))
    assert (np.diff(applied(curve, between)) >= 0).all()
    assert applied(curve, between).min() >= edge
    assert applied(curve, between).max() <= 1 - edge


def test_a_temperature_is_scikit_learns() -> None:
    rows = classes(sharper=2.5)
    found = learn("temperature", rows.answers, rows.labels)
    assert found.inverse == pytest.approx(0.4, abs=0.03)
    assert applied(found, rows.answers) == pytest.approx(golden("temperature", rows.answers, rows.labels), abs=1e-4)


def test_classes_are_each_held_against_the_rest_and_add_to_one() -> None:
    rows = classes(sharper=2.0)
    for method in ("sigmoid", "isotonic"):
        found = applied(learn(method, rows.answers, rows.labels), rows.answers)  # type: ignore[arg-type]
        each = [
            applied(learn(method, rows.answers[:, at], (rows.labels == at).astype(float)), rows.answers[:, at])  # type: ignore[arg-type]
            for at in range(3)
        ]
        assert found == pytest.approx(np.column_stack(each) / np.sum(each, axis=0)[:, None])


shares = st.floats(0, 1)
curves = st.one_of(
    st.builds(Sigmoid, st.floats(0.01, 50), st.floats(-20, 20)),
    st.lists(st.tuples(shares, shares), min_size=1, max_size=8, unique_by=lambda point: point[0]).map(
        lambda points: Steps(tuple(sorted(at for at, _ in points)), tuple(sorted(says for _, says in points)))
    ),
)


@settings(deadline=None)
@given(st.lists(curves, min_size=3, max_size=3), st.lists(st.tuples(shares, shares, shares), min_size=1, max_size=20))
def test_one_row_is_read_as_a_batch_is(found: list[Sigmoid | Steps], rows: list[tuple[float, float, float]]) -> None:
    said = np.array(rows)
    one = Calibration(method="isotonic", curves=(found[0],))
    assert [row_reader(one)(row) for row in said[:, 0].tolist()] == pytest.approx(
        applied(one, said[:, 0]).tolist(), abs=1e-12
    )
    several = Calibration(method="isotonic", curves=tuple(found))
    assert np.array([row_reader(several)(row) for row in said.tolist()]) == pytest.approx(
        applied(several, said), abs=1e-9
    )
    cooled = Calibration(method="temperature", inverse=0.7)
    assert np.array([row_reader(cooled)(row) for row in said.tolist()]) == pytest.approx(
        applied(cooled, said), abs=1e-12
    )


def test_what_is_certain_stays_a_number() -> None:
    steep = Calibration(method="sigmoid", curves=(Sigmoid(500.0, 3.0),))
    assert [row_reader(steep)(said) for said in (0.0, 1.0)] == [0, 1]
    assert applied(steep, np.array([0.0, 1.0])).tolist() == pytest.approx([0, 1], abs=1e-300)


def test_what_is_upside_down_is_not_turned() -> None:
    rows = yes_or_no(slope=-2.0)
    with pytest.raises(TrainingError, match="likelier came true more rarely"):
        learn("sigmoid", rows.answers, rows.labels)
