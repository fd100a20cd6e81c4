import msgspec
import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Evaluation
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.operating import operate
from drivetrain.evaluate.report import Subject, evaluate
from evaluate.world import days_of_rows

ABOUT = Subject(run_id="r1", model="late", data="table:training/late@3", importance={"a": np.float64(1.0)})


def made(**more) -> Evaluation:
    labels, predictions, ats = days_of_rows(1, 20, 150)
    columns = pl.DataFrame(
        {"carrier": np.where(np.arange(3000) % 10 == 0, "rare", "common"), "few": ["one"] + [None] * 2999}
    )
    return evaluate(
        predictions,
        labels,
        ats,
        subject=ABOUT,
        slices=columns,
        baselines={"constant": np.full(3000, 0.25)},
        champion=(4, np.clip(predictions * 0.9, 0, 1)),
        bootstrap=Bootstrap(replicates=100),
        now=5,
        **more,
    )


def test_a_record_holds_everything_and_survives_the_catalog():
    found = made()
    assert msgspec.json.decode(msgspec.json.encode(found), type=Evaluation) == found
    assert found.rows == 3000
    assert found.positives == int(days_of_rows(1, 20, 150)[0].sum())
    assert found.block == "day of prediction (UTC)"
    assert {gap.against for gap in found.comparisons} == {"baseline constant", "champion v4"}
    assert found.baselines["constant"]["roc_auc"].value == 0.5
    assert all(measure.low <= measure.value <= measure.high for measure in found.metrics.values())
    assert found.until - found.since <= 20 * DAY


def test_slices_are_counted_also_where_they_are_too_small():
    slices = {(found.column, found.value): found for found in made().slices}
    assert slices["carrier", "common"].count == 2700
    assert slices["carrier", "rare"].metrics["roc_auc"].level == pytest.approx(0.975)
    assert slices["few", "one"].metrics == {}
    assert slices["few", "(missing)"].metrics["roc_auc"].level == pytest.approx(0.95)
    assert sum(found.count for key, found in slices.items() if key[0] == "carrier") == 3000


def test_a_slice_is_measured_as_if_it_were_all_there_is():
    labels, predictions, ats = days_of_rows(6, 12, 100)
    column = np.where(np.arange(1200) % 2 == 0, "x", "y")
    found = evaluate(predictions, labels, ats, subject=ABOUT, slices=pl.DataFrame({"c": column}))
    alone = evaluate(predictions[::2], labels[::2], ats[::2], subject=ABOUT)
    one = next(other for other in found.slices if other.value == "x")
    assert one.metrics["average_precision"].value == pytest.approx(alone.metrics["average_precision"].value)


def test_many_values_of_a_column_end_in_one_slice():
    labels, predictions, ats = days_of_rows(6, 12, 100)
    values = [f"v{at % 100 if at % 3 else 0}" for at in range(1200)]
    found = evaluate(predictions, labels, ats, subject=ABOUT, slices=pl.DataFrame({"c": values}))
    assert len(found.slices) == 41
    assert sum(one.count for one in found.slices) == 1200


def test_calibration_groups_hold_every_row_once_in_order():
    found = made().calibration
    assert sum(one.count for one in found) == 3000
    assert [one.low for one in found] == sorted(one.low for one in found)
    assert all(one.low <= one.predicted <= one.high for one in found)


def test_equal_predictions_are_one_group():
    labels, _, ats = days_of_rows(1, 20, 150)
    found = evaluate(np.full(3000, 0.3), labels, ats, subject=ABOUT)
    assert len(found.calibration) == 1
    assert found.calibration[0].observed.value == pytest.approx(labels.mean())


def test_no_rows_one_outcome_or_crooked_rows_are_named():
    labels, predictions, ats = days_of_rows(1, 5, 20)
    with pytest.raises(TrainingError, match="no labelled rows"):
        evaluate([], [], [], subject=ABOUT)
    with pytest.raises(TrainingError, match="all have the label 0"):
        evaluate(predictions, labels * 0, ats, subject=ABOUT)
    with pytest.raises(UsageError, match="99 moments"):
        evaluate(predictions, labels, ats[:99], subject=ABOUT)
    with pytest.raises(UsageError, match="slices do not match"):
        evaluate(predictions, labels, ats, subject=ABOUT, slices=pl.DataFrame({"c": [1]}))
    with pytest.raises(TrainingError, match="baseline odd can't be evaluated"):
        evaluate(predictions, labels, ats, subject=ABOUT, baselines={"odd": predictions * 9})


def test_acting_on_more_catches_more():
    labels, predictions, ats = days_of_rows(1, 20, 150)
    curve = operate(predictions, labels, ats, bootstrap=Bootstrap(replicates=50))
    recalls = [point.recall.value for point in curve.points]
    assert recalls == sorted(recalls)
    assert curve.points[-1].share == 1.0
    assert curve.points[-1].recall.value == 1.0
    tenth = next(point for point in curve.points if point.share == pytest.approx(0.1))
    acted = predictions >= tenth.threshold
    assert tenth.precision.value == pytest.approx(labels[acted].mean())
    assert tenth.precision.low < tenth.precision.value < tenth.precision.high
    assert curve.recall[-1] == 1.0
