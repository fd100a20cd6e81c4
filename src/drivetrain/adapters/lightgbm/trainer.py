"""Fitting trees: deterministic, categories as categories, stopped early by log loss."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from operator import neg
from pathlib import Path
from typing import Any

import numpy as np
from msgspec.structs import replace

from drivetrain.adapters.lightgbm.export import trees_of
from drivetrain.adapters.lightgbm.library import patient
from drivetrain.adapters.lightgbm.parameters import (
    DEFAULTS,
    MOST_ROUNDS,
    OBJECTIVES,
    PATIENCE,
    ROUNDS,
    SPACE,
    canonical,
    objective_of,
)
from drivetrain.adapters.lightgbm.rounds import Rounds
from drivetrain.adapters.lightgbm.several import FittedSeveral
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records import InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind
from drivetrain.core.trees import Trees

FILE = "model.txt"
GRAPH = "model.onnx"

_STOPS_BY = {
    "binary": "binary_logloss", "multiclass": "multi_logloss", "multiclassova": "multi_logloss", "quantile": "quantile",
    "regression_l1": "l1", "lambdarank": "ndcg", "rank_xendcg": "ndcg",
}  # fmt: skip
_REPORTS: Mapping[tuple[TaskKind, str], tuple[str, Callable[[float], float]]] = {
    ("binary", "average_precision"): ("average_precision", float),
    ("binary", "roc_auc"): ("auc", float),
    ("regression", "mae"): ("l1", float),
    ("regression", "rmse"): ("rmse", float),
    ("regression", "r2"): ("rmse", neg),  # falls and rises with it, which is all that trials are compared by
    ("multiclass", "accuracy"): ("multi_error", lambda wrong: 1.0 - wrong),
}
_DEPTH = 10


class LightGBMTrainer:
    """What ``drivetrain.LightGBM`` stands for; see there.

    Args:
        **parameters: LightGBM's own.
    """

    name = "lightgbm"
    engine = "lightgbm"

    def __init__(self, **parameters: Scalar) -> None:
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """Shape and regularisation, but for what is set."""
        fixed = canonical(self._parameters)
        return {name: space for name, space in SPACE.items() if name not in fixed}

    def fit(self, task: FitTask) -> FittedTrees | FittedSeveral:
        """Boosts until the loss on the validation rows is best, or as many rounds as are set.

        Several labels, and several quantiles, are told by trees of their own each; one that was killed goes on with
        the first that were not whole.

        Raises:
            TrainingError: A parameter that LightGBM does not know, or rows that it can't use.
        """
        given = {**canonical(self._parameters), **canonical(task.parameters)}
        if given.get("objective") in {None, OBJECTIVES[task.kind]}:
            plugins.load("labels", "numpy")(self.name, task)
        if task.kind not in {"multilabel", "quantile"}:
            return self._boost(task)
        rounds = str(given.pop("num_iterations", "")).split(",")
        outputs = len(task.classes) if task.kind == "multilabel" else len(task.levels)
        fitted = []
        for at in range(outputs):
            own: dict[str, Scalar] = {"alpha": task.levels[at]} if task.kind == "quantile" else {}
            if rounds != [""]:
                own["num_iterations"] = int(rounds[at % len(rounds)])
            fitted.append(self._boost(_one_of(replace(task, parameters={**given, **own}), at)))
        return FittedSeveral(fitted)

    def _boost(self, task: FitTask) -> FittedTrees:
        given = {**canonical(self._parameters), **canonical(task.parameters)}
        chosen = {**DEFAULTS, **given, "objective": objective_of(task.kind, given.get("objective"))}
        if task.kind == "multiclass":
            chosen["num_class"] = len(task.classes)
        import lightgbm  # noqa: PLC0415 - deferred: it imports pandas and scikit-learn; after our own loading

        fixed_rounds = chosen.pop("num_iterations", None)
        stopping = task.valid_rows is not None and fixed_rounds is None
        parameters = {**chosen, **_settings(task, str(chosen["objective"]))}
        most = int(fixed_rounds) if fixed_rounds is not None else MOST_ROUNDS if stopping else ROUNDS
        meant = _REPORTS.get((task.kind, task.metric), ("", float))[1]
        try:
            booster, best = Rounds(task, parameters, most, PATIENCE if stopping else None, meant).boost()
        except lightgbm.basic.LightGBMError as error:
            raise TrainingError(f"LightGBM can't fit these rows: {error}", do="Mend what it names") from error
        used = {**chosen, "num_iterations": best if stopping else booster.current_iteration()}
        return FittedTrees(booster, task.schema, used, parameters["num_threads"])


class FittedTrees:
    """Trees just boosted; only the rounds up to the best are used and kept."""

    def __init__(self, booster: Any, schema: InputSchema, parameters: dict[str, Scalar], threads: int) -> None:  # noqa: ANN401 - lightgbm has no types
        self._booster = booster
        self._schema = schema
        self._parameters = parameters
        self._threads = threads

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        answers: np.ndarray = self._booster.predict(
            np.asarray(rows), num_iteration=self._rounds, num_threads=self._threads
        )
        return answers

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes LightGBM's own text, and after it an ONNX graph where the trees have such a form."""
        self._booster.save_model(str(folder / FILE), num_iteration=self._rounds)
        trees = self.trees()
        if trees is None:
            return [(FILE, "lightgbm")]
        (folder / GRAPH).write_bytes(plugins.load("trees", "onnx")(trees))
        return [(FILE, "lightgbm"), (GRAPH, "onnx")]

    def trees(self) -> Trees | None:
        """As plain numbers; none where they have no such form."""
        return trees_of(self._booster.model_to_string(num_iteration=self._rounds))

    def importance(self) -> dict[str, float]:
        """Share of the total gain."""
        gains = self._booster.feature_importance("gain", iteration=self._rounds)
        total = float(gains.sum())
        shares = gains / total if total else gains
        return {name: float(share) for name, share in zip(self._schema.names, shares, strict=True)}

    def parameters(self) -> dict[str, Scalar]:
        """What was used, the number of rounds among it."""
        return dict(self._parameters)

    @property
    def _rounds(self) -> int:
        rounds = self._parameters["num_iterations"]
        assert isinstance(rounds, int)
        return rounds


def _one_of(task: FitTask, at: int) -> FitTask:
    """The task of one label, or of one level, of several; its trials are compared together, not while they run."""
    if task.kind == "quantile":
        return replace(task, report=None)
    valid = None if task.valid_labels is None else np.ascontiguousarray(np.asarray(task.valid_labels)[:, at])
    labels = np.ascontiguousarray(np.asarray(task.labels)[:, at])
    return replace(task, kind="binary", classes=(), labels=labels, valid_labels=valid, report=None)


def _settings(task: FitTask, objective: str) -> dict[str, Any]:
    """What the fit itself decides; of its metrics the first stops it, the last is reported."""
    metrics = [_STOPS_BY.get(objective, "rmse")]
    asked = _REPORTS.get((task.kind, task.metric))
    if asked is not None and (objective == "binary" or task.kind != "binary"):
        metrics.append(asked[0])
    depth = {"eval_at": [_DEPTH]} if task.kind == "ranking" else {}
    return {
        "metric": list(dict.fromkeys(metrics)),
        **depth,
        "num_threads": task.threads if patient() else 1,
        "seed": task.seed % (1 << 31),
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
