"""Weights by group and label: after Kamiran and Calders' own formula, learned on the rows that teach alone."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.utils.class_weight import compute_class_weight

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.protocols import FitTask, Fitted
from drivetrain.core.records import Task
from drivetrain.store.bundle import Store
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.trainers import LightGBM, Sklearn
from drivetrain.train.weigh import ClassWeights, Reweigh, effective_rows
from train.world import AS_OF, FEATURES, SPLIT, Tune, train, training_set

WEIGH = Preparing(weigh=Reweigh("request.carrier"))


def test_the_weights_are_those_of_the_paper() -> None:
    """Kamiran and Calders (2012), table 2: ten applicants, .5 × .6 / .4 = .75 for a man who was hired, and so on."""
    people = [("m", 1)] * 4 + [("m", 0)] + [("f", 1)] * 2 + [("f", 0)] * 3
    weights, weighing = Reweigh("sex").learn(
        pl.DataFrame({"sex": [sex for sex, _ in people]}), np.array([float(hired) for _, hired in people])
    )
    golden = {("m", 1): 0.75, ("m", 0): 2.0, ("f", 1): 1.5, ("f", 0): 2 / 3}
    assert weights.tolist() == pytest.approx([golden[person] for person in people])
    assert {(*cell.group, int(cell.label)): cell.weight for cell in weighing.cells} == pytest.approx(golden)
    assert weighing.effective == pytest.approx(100 / (4 * 0.75**2 + 4 + 2 * 1.5**2 + 3 * (2 / 3) ** 2))
    assert weighing.lacking == ()


rows = st.lists(st.tuples(st.sampled_from(["a", "b", None]), st.booleans(), st.booleans()), min_size=1, max_size=60)


@settings(deadline=None)
@given(rows)
def test_weighed_so_label_and_group_are_independent(found: list[tuple[str | None, bool, bool]]) -> None:
    """Exactly, in fractions: wherever every group has every label, each cell weighs what chance would give it."""
    frame = pl.DataFrame(found, schema={"who": pl.String, "where": pl.Boolean, "label": pl.Float64}, orient="row")
    weights, weighing = Reweigh("who", "where").learn(frame, frame["label"].to_numpy())
    whole = len(found)
    for cell in weighing.cells:
        mine = [row for row in found if (row[0] or "(missing)", str(row[1]).lower()) == cell.group]
        labelled = [row for row in found if row[2] == cell.label]
        assert cell.rows == sum(row[2] == cell.label for row in mine)
        exact = Fraction(len(mine) * len(labelled), whole)
        assert float(exact / cell.rows) == cell.weight
        assert cell.rows * cell.weight == pytest.approx(float(exact))
    if not weighing.lacking:
        assert weights.sum() == pytest.approx(whole)
        shares = (
            frame.with_columns(w=pl.Series(weights))
            .group_by("who", "where")
            .agg(rate=(pl.col("w") * pl.col("label")).sum() / pl.col("w").sum())
        )
        assert shares["rate"].to_numpy() == pytest.approx(np.full(len(shares), frame["label"].mean()))


def test_the_weights_of_many_rows_are_1_on_average() -> None:
    """Products of counts go beyond 32 bits from 65,536 rows on."""
    cells = {("a", 1.0): 75_000, ("a", 0.0): 75_000, ("b", 1.0): 40_000, ("b", 0.0): 10_000}
    frame = pl.DataFrame({"who": np.repeat([who for who, _ in cells], list(cells.values()))})
    labels = np.repeat([label for _, label in cells], list(cells.values()))
    weights, weighing = Reweigh("who").learn(frame, labels)
    assert weights.mean() == pytest.approx(1)
    assert {(*cell.group, cell.label): cell.weight for cell in weighing.cells} == pytest.approx(
        {("a", 1.0): 1.15, ("a", 0.0): 0.85, ("b", 1.0): 0.71875, ("b", 0.0): 2.125}
    )
    assert [cell.rows for cell in weighing.cells] == [75_000, 75_000, 10_000, 40_000]


@pytest.mark.parametrize("name", ["group", "label", "labels", "weight", "both", "_label", "_rows", "_weight", "_0"])
def test_columns_may_be_called_anything(name: str) -> None:
    frame = pl.DataFrame({name: ["a", "a", "b", "b", "b"], "other": [1, 1, 1, 1, 2]})
    weights, weighing = Reweigh(name, "other").learn(frame, np.array([1.0, 0.0, 1.0, 0.0, 0.0]))
    assert weights.tolist() == pytest.approx([0.8, 1.2, 0.8, 1.2, 0.6])
    assert weighing.by == (name, "other")
    assert weighing.lacking == (("b", "2"),)


def test_null_is_not_the_text_that_stands_for_it() -> None:
    frame = pl.DataFrame({"who": [None, None, "(missing)", "(missing)"]})
    weights, weighing = Reweigh("who").learn(frame, np.array([1.0, 1.0, 1.0, 0.0]))
    assert weights.tolist() == pytest.approx([0.75, 0.75, 1.5, 0.5])
    assert [cell.group for cell in weighing.cells] == [("(missing)",)] * 3


def test_a_group_without_a_label_is_named() -> None:
    frame = pl.DataFrame({"who": ["a", "a", "b", "b"]})
    _, weighing = Reweigh("who").learn(frame, np.array([1.0, 0.0, 0.0, 0.0]))
    assert weighing.lacking == (("b",),)


def test_effective_rows() -> None:
    assert effective_rows(np.ones(50)) == 50
    assert effective_rows(np.array([3.0, 1.0])) == 1.6


@pytest.mark.parametrize("teach", ["train", "refit"])
def test_they_are_learned_on_the_rows_that_teach(teach: str) -> None:
    """Rows that judge may say what they like."""
    frame = training_set()
    split = SPLIT.cut(frame, AS_OF)
    spoilt = frame.with_columns(
        pl.when(getattr(split, teach)).then("request.carrier").otherwise(pl.lit("VX")).alias("request.carrier"),
        pl.when(getattr(split, teach)).then("_label").otherwise(1 - pl.col("_label")).alias("_label"),
    )
    found = []
    for each in (frame, spoilt):
        cut = TrainingRows.cut(each, FEATURES, SPLIT, AS_OF, needs_valid=False, preparing=WEIGH)
        lesson = cut.lesson(cut.train if teach == "train" else None)
        found.append((lesson.weights.tolist(), lesson.weighing))  # type: ignore[union-attr]
    assert found[0] == found[1]


class Watching(LightGBM):
    """Keeps what it was given."""

    def __init__(self) -> None:
        super().__init__(num_iterations=10)
        object.__setattr__(self, "given", [])

    def fit(self, task: FitTask) -> Fitted:
        self.given.append(task)  # type: ignore[attr-defined]
        return super().fit(task)


def test_every_fit_of_the_model_is_weighed_and_no_baseline(store: Store) -> None:
    ours, theirs = Watching(), Watching()
    run = train(store, trainer=ours, baselines={"other": theirs}, tune=Tune(trials=2, rows=500), preparing=WEIGH)
    assert len(ours.given) == 4  # type: ignore[attr-defined] # two trials, one to stop by, the last
    assert all(len(task.weights) == len(task.rows) for task in ours.given)  # type: ignore[attr-defined]
    assert all(task.weights is None for task in theirs.given)  # type: ignore[attr-defined]
    last = ours.given[-1]  # type: ignore[attr-defined]
    assert run.weighing is not None
    assert run.weighing.rows == len(last.labels) == run.train_rows
    assert run.weighing.effective == pytest.approx(effective_rows(last.weights))
    assert run.run_id != train(store, trainer=LightGBM(num_iterations=10)).run_id


def test_the_model_is_another(store: Store) -> None:
    frame = training_set()
    plain, weighed = train(store, frame), train(store, frame, preparing=WEIGH)
    assert plain.weighing is None
    said = [
        frame.with_columns(said=pl.Series(predict_run(store, run, frame)))
        .group_by("request.carrier")
        .agg(pl.mean("said"))["said"]
        for run in (plain, weighed)
    ]
    assert said[1].max() - said[1].min() < said[0].max() - said[0].min()  # type: ignore[operator]


def test_what_can_not_be_weighed_is_said(store: Store) -> None:
    with pytest.raises(UsageError, match="needs a column"):
        Reweigh()
    with pytest.raises(UsageError, match="names a column twice"):
        Reweigh("a", "a")
    with pytest.raises(TrainingError, match="no classes"):
        Reweigh("who").learn(pl.DataFrame({"who": ["a"] * 50}), np.arange(50.0))
    with pytest.raises(TrainingError, match="too many groups"):
        Reweigh("who").learn(pl.DataFrame({"who": range(500)}), np.arange(500.0) % 2)
    with pytest.raises(TrainingError, match="expected sex"):
        train(store, preparing=Preparing(weigh=Reweigh("sex")))
    with pytest.raises(TrainingError, match="can't be fitted with weights"):
        train(store, trainer=Sklearn("sklearn.neighbors.KNeighborsClassifier"), preparing=WEIGH, baselines={})


@pytest.mark.parametrize("classes", [(), ("ash", "beech", "oak", "yew")])
def test_balanced_weights_are_scikit_learns(classes: tuple[str, ...]) -> None:
    kinds = len(classes) or 2
    labels = (
        np.random.default_rng(0).choice(kinds, 500, p=np.arange(1, kinds + 1) / sum(range(1, kinds + 1))).astype(float)
    )
    task = Task("multiclass", classes) if classes else Task("binary")
    weights, weighing = ClassWeights().learn(labels, task)
    golden = compute_class_weight("balanced", classes=np.arange(kinds), y=labels.astype(int))
    assert weights.tolist() == pytest.approx(golden[labels.astype(int)].tolist())
    assert weights.mean() == pytest.approx(1)
    assert [cell.weight for cell in weighing.cells] == pytest.approx(golden.tolist())
    assert [cell.rows for cell in weighing.cells] == np.bincount(labels.astype(int)).tolist()
    assert (weighing.by, weighing.lacking, weighing.rows) == ((), (), 500)
    assert weighing.effective == pytest.approx(effective_rows(weights))


def test_weights_by_name() -> None:
    task = Task("multiclass", ("ash", "oak"))
    weights, _ = ClassWeights({"oak": 3, "ash": 1}).learn(np.array([0.0, 1.0, 1.0]), task)
    assert weights.tolist() == [1, 3, 3]
    for named in ({True: 5, False: 1}, {1: 5, 0: 1}, {"yes": 5, "no": 1}):
        weights, _ = ClassWeights(named).learn(np.array([0.0, 1.0]), Task("binary"))  # type: ignore[arg-type]
        assert weights.tolist() == [1, 5]
    numbered, _ = ClassWeights({2: 4, 1: 1}).learn(np.array([0.0, 1.0]), Task("multiclass", ("1", "2")))  # type: ignore[dict-item]
    assert numbered.tolist() == [1, 4]


def test_weights_by_label_are_those_of_the_rows_that_teach(store: Store) -> None:
    watching = Watching()
    run = train(store, trainer=watching, baselines={}, preparing=Preparing(weigh=ClassWeights()))
    last = watching.given[-1]  # type: ignore[attr-defined]
    assert last.weights[last.labels == 1].sum() == pytest.approx(last.weights[last.labels == 0].sum())
    assert run.weighing is not None
    assert run.weighing.rows == run.train_rows
    assert Preparing(weigh=ClassWeights()).meaning == ["ClassWeights(of=None)"]


def test_weights_by_label_that_can_not_be(store: Store) -> None:
    with pytest.raises(UsageError, match="names no label"):
        ClassWeights({})
    for weight in (0, -1, float("nan"), float("inf")):
        with pytest.raises(UsageError, match="the weight of label 'a' is no weight"):
            ClassWeights({"a": weight})
    with pytest.raises(TrainingError, match="names other labels than there are; found 'cat', 'dog'; expected ash, oak"):
        ClassWeights({"cat": 1, "dog": 2}).learn(np.zeros(2), Task("multiclass", ("ash", "oak")))
    with pytest.raises(TrainingError, match="found True; expected True and False"):
        ClassWeights({True: 2}).learn(np.zeros(2), Task("binary"))
    with pytest.raises(TrainingError, match="these labels are no classes; found regression"):
        ClassWeights().learn(np.arange(3.0), Task("regression"))
    with pytest.raises(TrainingError, match="can't be fitted with weights"):
        train(
            store,
            trainer=Sklearn("sklearn.neighbors.KNeighborsClassifier"),
            preparing=Preparing(weigh=ClassWeights()),
            baselines={},
        )
