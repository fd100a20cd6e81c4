"""Trees as ONNX graphs decide every row as the library that fitted them."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.trees import Branch, Tree, Trees
from drivetrain.testing.trainer import SCHEMA, make_rows, make_task
from drivetrain.train.trainers import LightGBM

LABELS = {
    "binary": lambda rows, labels: labels,
    "cross_entropy": lambda rows, labels: labels,
    "multiclass": lambda rows, labels: np.nan_to_num(rows[:, 3]),
    "multiclassova": lambda rows, labels: np.nan_to_num(rows[:, 3]),
    "regression": lambda rows, labels: np.nan_to_num(rows[:, 0]),
    "regression_l1": lambda rows, labels: np.nan_to_num(rows[:, 0]),
    "poisson": lambda rows, labels: np.nan_to_num(rows[:, 1]),
    "rf": lambda rows, labels: labels,
}


def served(path: Path, trees: Trees, schema: InputSchema) -> Any:
    path.write_bytes(plugins.load("trees", "onnx")(trees))
    return plugins.load("engine", "onnx")(path, schema)


@pytest.mark.parametrize("objective", LABELS)
def test_lightgbm(objective: str, tmp_path: Path) -> None:
    task = make_task()
    more: dict[str, Any] = {"num_class": 4} if objective.startswith("multi") else {}
    if objective == "rf":
        more = {"boosting": "rf", "bagging_freq": 1, "bagging_fraction": 0.5}
    trainer = LightGBM(objective="binary" if objective == "rf" else objective, num_iterations=12, **more)
    labels = LABELS[objective](task.rows, task.labels)
    fitted = trainer.fit(replace(task, labels=labels, valid_rows=None, valid_labels=None))
    assert fitted.save(tmp_path) == [("model.txt", "lightgbm"), ("model.onnx", "onnx")]
    engine = plugins.load("engine", "onnx")(tmp_path / "model.onnx", SCHEMA)
    rows, _ = make_rows(3_000, seed=5)
    rows[:20, 3] = 99.0  # a category never seen
    expected = np.asarray(fitted.predict(rows))
    assert np.max(np.abs(engine.predict(rows) - expected) / np.maximum(1, np.abs(expected))) < 1e-12


def test_a_row_on_a_threshold_to_the_last_bit(tmp_path: Path) -> None:
    """Thresholds of 32 bits would send some of these to the other side."""
    task = make_task()
    fitted = LightGBM(num_iterations=20).fit(task)
    fitted.save(tmp_path)
    thresholds = [
        float(word)
        for line in (tmp_path / "model.txt").read_text().splitlines()
        if line.startswith("threshold=")
        for word in line.removeprefix("threshold=").split()
    ]
    rows = np.full((3 * len(thresholds), 5), 1.0)
    near = [
        f(at) for at in thresholds for f in (float, lambda x: math.nextafter(x, -9e9), lambda x: math.nextafter(x, 9e9))
    ]
    rows[:, 0], rows[:, 1] = near, near
    engine = plugins.load("engine", "onnx")(tmp_path / "model.onnx", SCHEMA)
    assert np.max(np.abs(engine.predict(rows) - fitted.predict(rows))) < 1e-12


@pytest.mark.parametrize("parameters", [{"zero_as_missing": True}, {"linear_tree": True}])
def test_what_plain_trees_can_not_say_has_no_graph(parameters: dict[str, bool], tmp_path: Path) -> None:
    task = make_task()
    rows = np.nan_to_num(task.rows[:, :2])
    schema = InputSchema(SCHEMA.fields[:2])
    task = replace(task, rows=rows, schema=schema, valid_rows=None, valid_labels=None)
    assert LightGBM(num_iterations=3, **parameters).fit(task).save(tmp_path) == [("model.txt", "lightgbm")]


def answer(tree: Tree, row: list[float], *, strict: bool) -> float:
    """What a tree says, by hand."""
    at = 0
    if not tree.branches:
        return tree.leaves[0]
    while at >= 0:
        branch = tree.branches[at]
        value = row[branch.feature]
        if math.isnan(value):
            yes = branch.null_left
        elif branch.members:
            yes = value in branch.members
        else:
            yes = value < branch.threshold if strict else value <= branch.threshold
        at = branch.left if yes else branch.right
    return tree.leaves[~at]


numbers = st.sampled_from([math.nan, -1.0, 0.0, 0.5, 1.0, 2.0, 3.0])
codes = st.sampled_from([math.nan, -1.0, 0.0, 1.0, 2.0, 3.0, 40.0])


@st.composite
def branches(draw: st.DrawFn) -> Tree:
    """A chain of branches, each with a leaf on one side."""
    count = draw(st.integers(0, 4))
    made = []
    for at in range(count):
        onward, leaf = (at + 1 if at + 1 < count else ~count), ~at
        left, right = draw(st.sampled_from([(onward, leaf), (leaf, onward)]))
        feature = draw(st.integers(0, 1))
        members = draw(st.sets(st.sampled_from([0.0, 1.0, 2.0, 40.0, 90.0]), max_size=3)) if feature else ()
        threshold, null_left = draw(st.sampled_from([0.0, 0.5, 2.0])), draw(st.booleans())
        made.append(Branch(feature, left, right, threshold, tuple(sorted(members)), null_left))
    leaves = tuple(draw(st.lists(st.integers(-8, 8).map(float), min_size=count + 1, max_size=count + 1)))
    return Tree(tuple(made), leaves, draw(st.integers(0, 2)))


@settings(max_examples=60, deadline=None)
@given(
    st.lists(branches(), min_size=1, max_size=4),
    st.lists(st.tuples(numbers, codes), min_size=1, max_size=8),
    st.booleans(),
    st.sampled_from([32, 64]),
)
def test_any_trees_answer_as_by_hand(
    tmp_path_factory: pytest.TempPathFactory,
    trees: list[Tree],
    rows: list[tuple[float, float]],
    strict: bool,
    bits: Any,
) -> None:
    ensemble = Trees(width=2, trees=tuple(trees), base=(1.0, 2.0, 3.0), strict=strict, bits=bits)
    engine = served(tmp_path_factory.mktemp("graph") / "g.onnx", ensemble, InputSchema((Field("a"), Field("b"))))
    expected = [
        [
            base + sum(answer(tree, list(row), strict=strict) for tree in trees if tree.output == output)
            for output, base in enumerate(ensemble.base)
        ]
        for row in rows
    ]
    assert np.array_equal(engine.predict(np.array(rows)), expected)
    assert [engine.predict_row(list(row)) for row in rows] == expected
