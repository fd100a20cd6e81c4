from __future__ import annotations

import pickle
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from msgspec.structs import replace

import drivetrain as dt
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.protocols import Space
from drivetrain.store.bundle import Store
from drivetrain.testing.trainer import TrainerConformance, make_task
from train.world import train


@dt.trainer(space={"leaf": Space(5, 50, integer=True)}, kinds=("binary", "multiclass"))
def forest(
    rows: Any, labels: Any, valid_rows: Any, valid_labels: Any, *, seed: int, weights: Any, leaf: int = 20
) -> Any:
    """scikit-learn's own, so that it need not say how it is saved."""
    from sklearn.ensemble import RandomForestClassifier  # noqa: PLC0415 - as a project's function does
    from sklearn.impute import SimpleImputer  # noqa: PLC0415 - as above
    from sklearn.pipeline import make_pipeline  # noqa: PLC0415 - as above

    trees = RandomForestClassifier(10, min_samples_leaf=leaf, random_state=seed)
    both = make_pipeline(SimpleImputer(strategy="constant", fill_value=-99.0), trees)
    return both.fit(rows, labels, randomforestclassifier__sample_weight=weights)


class Line:
    """A model that says how it is saved."""

    def __init__(self, weights: np.ndarray) -> None:
        self.weights = weights

    def predict(self, rows: Any) -> np.ndarray:
        return 1 / (1 + np.exp(-(np.nan_to_num(np.float32(rows)) @ self.weights)))

    def save(self, folder: Path) -> list[tuple[str, str]]:
        from onnx import TensorProto, helper, numpy_helper  # noqa: PLC0415 - heavy

        width = len(self.weights)
        nodes = [
            helper.make_node("IsNaN", ["rows"], ["gap"]),
            helper.make_node("Where", ["gap", "zero", "rows"], ["filled"]),
            helper.make_node("MatMul", ["filled", "weights"], ["margin"]),
            helper.make_node("Sigmoid", ["margin"], ["prediction"]),
        ]
        held = [numpy_helper.from_array(self.weights.astype(np.float32).reshape(-1, 1), "weights")]
        held.append(numpy_helper.from_array(np.float32(0).reshape(()), "zero"))
        graph = helper.make_graph(
            nodes, "line", [helper.make_tensor_value_info("rows", TensorProto.FLOAT, [None, width])],
            [helper.make_tensor_value_info("prediction", TensorProto.FLOAT, [None, 1])], held,
        )  # fmt: skip
        model = helper.make_model(graph, opset_imports=[helper.make_opsetid("", 18)], ir_version=10)
        (folder / "line.onnx").write_bytes(model.SerializeToString())
        return [("line.onnx", "onnx")]


@dt.trainer()
def line(rows: Any, labels: Any, valid_rows: Any, valid_labels: Any, *, shrink: float = 1.0) -> Line:
    filled = np.nan_to_num(rows)
    return Line(np.linalg.solve(filled.T @ filled + shrink * np.eye(rows.shape[1]), filled.T @ (labels - 0.5)))


class TestForest(TrainerConformance):
    made = "from train.test_function import forest; trainer = forest(leaf=10)"
    kinds = ("binary", "multiclass")


@pytest.mark.parametrize("fitting", [forest, line])
def test_from_rows_to_a_run_that_predicts(fitting: Any, store: Store) -> None:
    run = train(store, trainer=fitting)
    assert run.trainer == fitting.name
    assert run.artifacts[0].format == "onnx"
    assert "valid.roc_auc" in run.metrics


def test_its_parameters_are_the_function_s_own() -> None:
    assert forest(leaf=7).fit(make_task()).parameters() == {"leaf": 7}
    assert forest.fit(make_task()).parameters() == {"leaf": 20}
    assert forest(leaf=7).search_space() == {}
    assert repr(forest(leaf=7)) != repr(forest)
    with pytest.raises(TrainingError, match=r"forest has no parameter 'leaves'; expected leaf\."):
        forest(leaves=3)


def test_weights_that_it_does_not_take_are_refused() -> None:
    task = make_task()
    with pytest.raises(TrainingError, match="line takes no weights"):
        line.fit(replace(task, weights=np.ones(len(task.labels))))


def test_a_function_of_other_arguments_is_refused() -> None:
    with pytest.raises(UsageError, match="takes rows, labels, valid_rows, valid_labels first; found x, y"):
        dt.trainer()(lambda x, y: None)


class Silent:
    def predict(self, rows: Any) -> Any:
        return np.zeros(len(rows))


class Pickled(Silent):
    def save(self, folder: Path) -> list[tuple[str, str]]:
        (folder / "model.pkl").write_bytes(pickle.dumps(self))
        return [("model.pkl", "mine")]


class Forgetful(Silent):
    def save(self, folder: Path) -> list[tuple[str, str]]:
        return [("model.onnx", "onnx")]


@pytest.mark.parametrize(
    ("model", "message"),
    [
        (7, "returned no model; found int"),
        (Silent(), "says nothing of how it is saved; found Silent"),
        (Pickled(), "wrote a pickle, model.pkl"),
        (Forgetful(), "did not write it"),
    ],
)
def test_a_model_that_can_not_be_kept_is_refused_by_name(model: Any, message: str, tmp_path: Path) -> None:
    @dt.trainer()
    def bad(rows: Any, labels: Any, valid_rows: Any, valid_labels: Any) -> Any:
        return model

    with pytest.raises(TrainingError, match=message):
        bad.fit(make_task()).save(tmp_path)
