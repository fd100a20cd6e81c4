"""Fitting CatBoost's trees: the same on any number of threads, stopped early, gone on with from its snapshot."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.adapters.catboost.pool import answers, library, order, pool
from drivetrain.adapters.catboost.snapshot import Snapshot
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records import InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind

FILE = "model.cbm"

PATIENCE, MOST_ROUNDS, ROUNDS = 20, 1_000, 150

DEFAULTS: Mapping[str, Scalar] = {"learning_rate": 0.05, "depth": 6, "l2_leaf_reg": 3.0}

SPACE: Mapping[str, Space] = {
    "depth": Space(4, 10, integer=True),
    "l2_leaf_reg": Space(0.5, 30.0, log=True),
    "random_strength": Space(0.1, 10.0, log=True),
    "bagging_temperature": Space(0.0, 2.0),
}

_LOSSES: Mapping[TaskKind, str] = {"binary": "Logloss", "multiclass": "MultiClass", "regression": "RMSE"}
_ALIASES = {"n_estimators": "iterations", "num_boost_round": "iterations", "eta": "learning_rate", "max_depth": "depth",
            "reg_lambda": "l2_leaf_reg", "objective": "loss_function"}  # fmt: skip
_OURS = ("random_seed", "random_state", "thread_count", "verbose", "logging_level", "save_snapshot", "snapshot_file",
         "snapshot_interval", "train_dir", "allow_writing_files", "od_type", "od_wait", "use_best_model", "eval_metric",
         "cat_features", "task_type")  # fmt: skip


class CatBoostTrainer:
    """What ``drivetrain.CatBoost`` stands for; see there.

    Args:
        **parameters: CatBoost's own.
    """

    name = "catboost"
    engine = "catboost"

    def __init__(self, **parameters: Scalar) -> None:
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """Shape and regularisation, but for what is set."""
        fixed = _canonical(self._parameters)
        return {name: space for name, space in SPACE.items() if name not in fixed}

    def fit(self, task: FitTask) -> FittedCatBoost:
        """Boosts until the loss on the validation rows is best, or as many rounds as are set.

        Raises:
            TrainingError: A parameter that CatBoost does not know, or rows that it can't use.
            MissingExtra: CatBoost is not installed.
        """
        chosen = {**DEFAULTS, **_canonical(self._parameters), **_canonical(task.parameters)}
        usual = _LOSSES.get(task.kind)
        if chosen.setdefault("loss_function", usual) == usual or usual is None:
            plugins.load("labels", "numpy")(self.name, task, tuple(_LOSSES))
        fixed = chosen.pop("iterations", None)
        stopping = task.valid_rows is not None and fixed is None
        chosen["iterations"] = fixed if fixed is not None else MOST_ROUNDS if stopping else ROUNDS
        catboost = library()
        watch = _Watch(task, str(chosen["loss_function"]))
        judged = None if task.valid_rows is None else pool(task.schema, task.valid_rows, task.valid_labels)
        left = Snapshot(task, ["catboost", dict(chosen), stopping])
        told = [watch] if judged is not None and task.report is not None else []
        model = catboost.CatBoost({**chosen, **_settings(task, stopping=stopping), **left.settings()})
        try:
            model.fit(
                pool(task.schema, task.rows, task.labels, task.weights), eval_set=judged,
                callbacks=[left, *told] if task.checkpoints is not None else told or None,
            )  # fmt: skip
        except (catboost.CatBoostError, TypeError) as error:
            said = str(error).strip().partition("\n")[0].rpartition(".cpp:")[2].partition(": ")[2] or str(error)
            raise TrainingError(f"CatBoost can't fit these rows: {said}", do="Mend what it names") from error
        if watch.raised is not None:
            raise watch.raised
        left.after_iteration(None)
        return FittedCatBoost(model, task.schema, {**chosen, "iterations": model.tree_count_}, task.threads)


class FittedCatBoost:
    """Trees just boosted, cut after the best round."""

    def __init__(self, model: Any, schema: InputSchema, parameters: dict[str, Scalar], threads: int) -> None:  # noqa: ANN401 - catboost has few types
        self._model = model
        self._schema = schema
        self._parameters = parameters
        self._threads = threads

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        return answers(self._model, pool(self._schema, rows), str(self._parameters["loss_function"]), self._threads)

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes CatBoost's own binary form; its ONNX form takes no categories, and answers in maps."""
        self._model.save_model(str(folder / FILE), format="cbm")
        return [(FILE, "catboost")]

    def importance(self) -> dict[str, float]:
        """Share of how much predictions change with a feature."""
        shares = np.asarray(self._model.get_feature_importance(type="FeatureImportance"), dtype=np.float64)
        total = float(shares.sum()) or 1.0
        names = self._schema.names
        return {names[at]: float(share) / total for at, share in zip(order(self._schema), shares, strict=True)}

    def parameters(self) -> dict[str, Scalar]:
        """What was used, the number of rounds among it."""
        return dict(self._parameters)


class _Watch:
    """Tells of every round; what a report raises is kept, as CatBoost would wrap it in an error of its own."""

    def __init__(self, task: FitTask, loss: str) -> None:
        self._task, self._loss = task, loss
        self.raised: BaseException | None = None

    def after_iteration(self, info: Any) -> bool:  # noqa: ANN401 - catboost's own signature
        """Whether to go on."""
        try:
            if self._task.report is not None:
                loss = float(info.metrics["validation"][self._loss][-1])
                self._task.report(info.iteration - 1, -loss if self._task.rising else loss)
        except BaseException as error:  # noqa: BLE001 - raised again by the fit
            self.raised = error
        return self.raised is None


def _canonical(parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    for name in parameters:
        if name in _OURS:
            raise TrainingError(f"the parameter {name!r} is set by the fit itself", do="Remove it")
    return {_ALIASES.get(name, name): value for name, value in parameters.items()}


def _settings(task: FitTask, *, stopping: bool) -> dict[str, Any]:
    settings: dict[str, Any] = {
        "random_seed": task.seed % (1 << 31), "thread_count": task.threads, "verbose": False,
        "allow_writing_files": False,
        "use_best_model": stopping,
    }  # fmt: skip
    if stopping:
        settings |= {"od_type": "Iter", "od_wait": PATIENCE}
    return settings
