from __future__ import annotations

import math

import msgspec
import numpy as np
import pytest

from drivetrain.core.errors import StoreError
from drivetrain.core.records import Artifact
from drivetrain.store.blobs import FileBlobs
from drivetrain.testing.trainer import SCHEMA, make_task
from drivetrain.train.artifacts import keep
from drivetrain.train.background import ROWS, keep_background, load_background
from drivetrain.train.margin import explaining, margin_link, probes
from drivetrain.train.trainers import LightGBM, Sklearn

TASK = make_task()


@pytest.fixture
def blobs(tmp_path):
    return FileBlobs(tmp_path)


def kept(blobs, trainer, labels=TASK.labels):
    kind = "binary" if np.isin(labels, (0.0, 1.0)).all() else "regression"
    task = msgspec.structs.replace(TASK, labels=labels, valid_rows=None, valid_labels=None, kind=kind)
    artifacts, _ = keep(blobs, trainer.fit(task), SCHEMA, TASK.rows[:300])
    return artifacts, keep_background(blobs, artifacts, SCHEMA, TASK.rows, kind)


@pytest.mark.parametrize(
    "trainer",
    [LightGBM(num_iterations=5), LightGBM(num_iterations=5, objective="poisson"), Sklearn("logistic_regression")],
    ids=["trees", "trees of a count", "linear"],
)
def test_what_explains_itself_keeps_no_rows(blobs, trainer):
    assert kept(blobs, trainer)[1] == ()


@pytest.mark.parametrize(
    ("trainer", "labels", "answers"),
    [
        (Sklearn("random_forest", n_estimators=3), TASK.labels, "probability"),
        (Sklearn("sklearn.tree.DecisionTreeRegressor", max_depth=3), np.nan_to_num(TASK.rows[:, 0]), "target"),
        (LightGBM(num_iterations=5, boosting="rf", bagging_freq=1, bagging_fraction=0.5), TASK.labels, "probability"),
    ],
    ids=["a forest", "a value", "contributions that do not add up"],
)
def test_what_does_not_is_kept_with_a_few_training_rows_as_numbers(blobs, trainer, labels, answers):
    artifacts, (background,) = kept(blobs, trainer, labels)
    assert background.format == "background"
    found = load_background(blobs, (*artifacts, background))
    assert found.answers == answers
    rows = {str(row) for row in TASK.rows.tolist()}
    assert len(found.rows) == ROWS == 128
    assert all(str(row) in rows for row in found.rows)
    assert set(msgspec.msgpack.decode(blobs.get(background.digest))) == {"rows", "answers"}, "numbers, and no names"
    assert kept(blobs, trainer, labels)[1] == (background,), "the same rows, the same blob"


def test_few_rows_are_kept_whole(blobs):
    artifacts, _ = keep(blobs, Sklearn("random_forest", n_estimators=3).fit(TASK), SCHEMA, TASK.rows[:300])
    background = keep_background(blobs, artifacts, SCHEMA, TASK.rows[:5], "binary")
    assert np.array_equal(load_background(blobs, background).rows, TASK.rows[:5], equal_nan=True)


def test_none_and_a_damaged_one(blobs):
    assert load_background(blobs, ()) is None
    digest = blobs.put(b"no background")
    with pytest.raises(StoreError, match="can't be read"):
        load_background(blobs, (Artifact("background.msgpack", "background", digest, 13),))


def test_a_form_that_can_not_be_opened_is_passed_over(blobs):
    artifacts, _ = keep(blobs, LightGBM(num_iterations=3).fit(TASK), SCHEMA, TASK.rows[:300])
    strange = Artifact("model.strange", "strange", artifacts[0].digest, 1)
    found = explaining(blobs, (strange, *artifacts), SCHEMA, probes(SCHEMA))
    assert found is not None
    assert found[1] == "logistic"


class Liar:
    """Explains by a margin that is not its answer's."""

    def predict(self, rows):
        return np.nansum(rows, axis=1)

    def predict_row(self, row):
        return math.nan

    def explain(self, rows):
        return np.column_stack([2 * np.nan_to_num(rows), np.zeros(len(rows))])


class Raises(Liar):
    def explain(self, rows):
        raise RuntimeError("no")


@pytest.mark.parametrize("engine", [Liar(), Raises()])
def test_explanations_that_do_not_add_up_are_not_believed(engine):
    assert margin_link(engine, probes(SCHEMA)) is None


def test_probes_fit_their_schema():
    rows = probes(SCHEMA)
    assert np.array_equal(rows, probes(SCHEMA), equal_nan=True)
    assert set(rows[:, 3][~np.isnan(rows[:, 3])]) <= {0.0, 1.0, 2.0, 3.0}
    assert set(rows[:, 2][~np.isnan(rows[:, 2])]) <= {0.0, 1.0}
