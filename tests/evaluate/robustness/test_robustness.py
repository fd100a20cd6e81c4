"""Strains whose cost is known, and figures of weighted rows beside scikit-learn's."""

from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import average_precision_score, brier_score_loss, log_loss, roc_auc_score

from drivetrain.core.clock import DAY
from drivetrain.core.errors import UsageError
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.report import Subject
from drivetrain.evaluate.robustness.figure import figure_of
from drivetrain.evaluate.robustness.report import MOST_ROWS, Strained, robustness
from drivetrain.evaluate.robustness.shift import trend_weights, worth
from drivetrain.evaluate.robustness.wording import costs, leans_on, sure

SUBJECT = Subject(run_id="r", model="late", data="table:training/late@3")
THEIRS = {
    "average_precision": average_precision_score,
    "roc_auc": roc_auc_score,
    "log_loss": log_loss,
    "brier": brier_score_loss,
}


def said(rows, changes):
    frame = rows.with_columns(**changes)
    strong, weak = (frame[name].fill_null(0.0).to_numpy() for name in ("view.strong", "weak"))
    return 1 / (1 + np.exp(-(1.5 * strong + 0.2 * weak - 1)))


def strained(many=3000, **more):
    random = np.random.default_rng(0)
    rows = pl.DataFrame({name: random.normal(size=many) for name in ("view.strong", "weak", "idle")})
    labels = (random.random(many) < said(rows, {})).astype(float)
    given = {
        "rows": rows,
        "labels": labels,
        "ats": np.arange(many) % 30 * DAY,
        "ask": said,
        "features": rows.columns,
        "views": {"view": ["view.strong"]},
        "stale": {"view": rows.select(pl.col("view.strong").shift(1))},
    }
    return Strained(**given | more)


@pytest.mark.parametrize("metric", THEIRS)
def test_figures_of_weighted_rows_are_those_of_scikit_learn(metric):
    random = np.random.default_rng(1)
    scores = random.random(500).round(2)
    labels = (random.random(500) < scores).astype(float)
    weights = random.exponential(size=500)
    resamples = draw(np.arange(500) % 10 * DAY, Bootstrap(replicates=5))
    found = figure_of(metric, labels, scores, resamples, weights)
    assert found.value == pytest.approx(THEIRS[metric](labels, scores, sample_weight=weights), abs=1e-9)
    times = resamples.counts[3][resamples.codes]
    assert found.replicates[3] == pytest.approx(THEIRS[metric](labels, scores, sample_weight=weights * times), abs=1e-9)


def test_what_is_leaned_on_costs_and_what_is_idle_does_not():
    report = robustness(strained(), subject=SUBJECT, metric="roc_auc")
    found = {(each.what, each.of): each for each in report.strains}
    assert leans_on(report)[0].of == "view.strong"
    for kind in ("shuffled", "missing"):
        assert found[kind, "view.strong"].fall.low > 0.1
        assert found[kind, "idle"].fall.value == 0.0
    assert found["view missing", "view"].fall.value == pytest.approx(found["missing", "view.strong"].fall.value)
    assert found["stale", "view"].fall.low > 0.1  # what stood a row before has nothing to do with this one
    noise = found["noise", "every number wobbles by 0.1 of its standard deviation"].fall
    assert 0.0 < abs(noise.value) < 0.02
    assert found["missing", "view.strong"].figure == pytest.approx(
        report.whole.value - found["missing", "view.strong"].fall.value
    )


def test_what_can_not_be_asked_is_said_and_the_rest_is_tried():
    def refusing(rows, changes):
        if "weak" in changes:
            raise UsageError("weak can't be changed")
        return said(rows, changes)

    report = robustness(strained(ask=refusing), subject=SUBJECT, metric="roc_auc")
    assert {each.partition(":")[0] for each in report.untried} >= {"shuffled of weak", "missing of weak"}
    assert {each.of for each in report.strains if each.what == "missing"} == {"view.strong", "idle"}
    assert "3 more could not be tried" in costs(report)[-1]


def test_of_a_metric_of_which_less_is_better_a_fall_is_a_rise():
    report = robustness(strained(), subject=SUBJECT, metric="log_loss")
    missing = next(each for each in report.strains if (each.what, each.of) == ("missing", "view.strong"))
    assert missing.figure > report.whole.value
    assert missing.fall.low > 0
    assert any("log loss gets worse by" in line for line in costs(report))


def test_what_can_not_be_told_of_weighted_rows_is_told_as_roc_auc_and_many_rows_are_drawn():
    report = robustness(strained(MOST_ROWS + 500), subject=SUBJECT, metric="ece")
    assert report.metric == "roc_auc"
    assert (report.rows, report.of) == (MOST_ROWS, MOST_ROWS + 500)


def test_the_classifier_is_a_logistic_regression():
    random = np.random.default_rng(2)
    before, tested = (
        pl.DataFrame({"carrier": random.choice(["EV", "B6", "UA"], many, p=p), "seats": random.choice([50, 100], many)})
        for many, p in ((4000, [0.5, 0.3, 0.2]), (2000, [0.2, 0.3, 0.5]))
    )
    both = pl.concat([before, tested]).to_dummies()
    marks = both.select(name for name in both.columns if name not in {"carrier_B6", "seats_50"}).to_numpy()
    late = np.r_[np.zeros(4000), np.ones(2000)]
    theirs = LogisticRegression(C=0.1, tol=1e-10, max_iter=1000).fit(marks, late)
    odds = theirs.decision_function(marks[4000:])
    ours = np.log(trend_weights(before, tested))
    # Which value is left out moves the penalty a little; the odds stay.
    assert np.corrcoef(odds, ours)[0, 1] > 0.999
    assert np.ptp(odds) == pytest.approx(np.ptp(ours), rel=0.05)


def test_weights_are_how_much_commoner_rows_have_become():
    random = np.random.default_rng(3)
    before = pl.DataFrame({"carrier": random.choice(["EV", "UA"], 5000, p=[0.8, 0.2])})
    tested = pl.DataFrame({"carrier": random.choice(["EV", "UA"], 5000, p=[0.4, 0.6])})
    weights = trend_weights(before, tested)
    new = (tested["carrier"] == "UA").to_numpy()
    assert weights[new].mean() / weights[~new].mean() == pytest.approx(3.0 / 0.5, rel=0.1)
    assert weights.mean() == pytest.approx(1.0)
    assert worth(weights) == pytest.approx(weights.sum() ** 2 / (weights**2).sum() / 5000)
    assert trend_weights(before.select(x=pl.lit(1)), tested.select(x=pl.lit(1))) is None


def test_a_shift_towards_hard_rows_costs_what_it_would():
    """Rows of UA are told by coin; their share has gone from a fifth to three fifths, and would go on."""
    random = np.random.default_rng(4)
    carrier = random.choice(["EV", "UA"], 4000, p=[0.4, 0.6])
    strong = random.normal(size=4000)
    rows = pl.DataFrame({"carrier": carrier, "view.strong": strong, "weak": np.zeros(4000)})
    chance = np.where(carrier == "EV", said(rows, {}), 0.3)
    before = pl.DataFrame(
        {
            "carrier": random.choice(["EV", "UA"], 4000, p=[0.8, 0.2]),
            "view.strong": random.normal(size=4000),
            "weak": np.zeros(4000),
        }
    )
    given = strained(
        rows=rows,
        labels=(random.random(4000) < chance).astype(float),
        ats=np.arange(4000) % 30 * DAY,
        stale={},
        features=rows.columns,
        before=before,
    )
    report = robustness(given, subject=SUBJECT, metric="roc_auc")
    (shift,) = (each for each in report.strains if each.what == "shift")
    assert sure(shift)
    assert 0.3 < shift.changed < 0.95
    assert any(line.startswith("If rows change as they did since training") for line in costs(report))
