"""Fitting XGBoost's trees: categories as categories, stopped early by the loss, the same on any number of threads."""

from __future__ import annotations

import difflib
import logging
import os
import re
import warnings
from collections.abc import Callable, Mapping, Sequence
from operator import neg
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.adapters.xgboost.export import trees_of
from drivetrain.adapters.xgboost.library import library
from drivetrain.adapters.xgboost.parameters import (
    DEFAULTS,
    MOST_ROUNDS,
    NUM_ROUNDS,
    OBJECTIVES,
    PATIENCE,
    ROUNDS,
    SPACE,
    canonical,
    objective_of,
)
from drivetrain.adapters.xgboost.rounds import Rounds
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records import InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind

FILE = "model.ubj"
GRAPH = "model.onnx"

_STOPS_BY = {
    "binary:logistic": "logloss", "multi:softprob": "mlogloss", "reg:quantileerror": "quantile",
    "reg:absoluteerror": "mae", "rank:ndcg": "ndcg@10", "rank:pairwise": "ndcg@10", "rank:map": "map@10",
}  # fmt: skip
_log = logging.getLogger(__name__)
_REPORTS: Mapping[tuple[TaskKind, str], tuple[str, Callable[[float], float]]] = {
    ("binary", "average_precision"): ("aucpr", float),
    ("binary", "roc_auc"): ("auc", float),
    ("regression", "mae"): ("mae", float),
    ("regression", "rmse"): ("rmse", float),
    ("regression", "r2"): ("rmse", neg),  # falls and rises with it, which is all that trials are compared by
    ("multiclass", "accuracy"): ("merror", lambda wrong: 1.0 - wrong),
}


class XGBoostTrainer:
    """What ``drivetrain.XGBoost`` stands for; see there.

    Args:
        **parameters: XGBoost's own.
    """

    name = "xgboost"
    engine = "xgboost"

    def __init__(self, **parameters: Scalar) -> None:
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """Shape and regularisation, but for what is set."""
        fixed = canonical(self._parameters)
        return {name: space for name, space in SPACE.items() if name not in fixed}

    def fit(self, task: FitTask) -> FittedXGBoost:
        """Boosts until the loss on the validation rows is best, or as many rounds as are set.

        Raises:
            TrainingError: A parameter that XGBoost does not know, or rows that it can't use.
            MissingExtra: XGBoost is not installed.
        """
        given = {**canonical(self._parameters), **canonical(task.parameters)}
        chosen = {**DEFAULTS, **given, "objective": objective_of(task.kind, given.get("objective"))}
        if task.kind == "multiclass":
            chosen["num_class"] = len(task.classes)
        if task.kind == "ranking" and task.weights is not None:
            raise TrainingError("XGBoost weighs groups, not rows, where it ranks", do="Leave weigh= out")
        if chosen["objective"] == OBJECTIVES[task.kind]:
            plugins.load("labels", "numpy")(self.name, task)
        library()
        import xgboost  # noqa: PLC0415 - deferred: it imports scikit-learn and scipy; after our own loading

        fixed_rounds = chosen.pop(NUM_ROUNDS, None)
        stopping = task.valid_rows is not None and fixed_rounds is None
        most = int(fixed_rounds) if fixed_rounds is not None else MOST_ROUNDS if stopping else ROUNDS
        settings = _settings(task, str(chosen["objective"]))
        meant = _REPORTS.get((task.kind, task.metric), ("", float))[1]
        try:
            with warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                rounds = Rounds(task, {**chosen, **settings}, most, PATIENCE if stopping else None, meant)
                booster, best = rounds.boost()
        except (xgboost.core.XGBoostError, ValueError) as error:
            raise TrainingError(f"XGBoost can't fit these rows: {error}", do="Mend what it names") from error
        _heed([str(warning.message) for warning in said], {**self._parameters, **task.parameters})
        if stopping:
            booster = booster[:best]
        used = {**chosen, NUM_ROUNDS: booster.num_boosted_rounds()}
        return FittedXGBoost(booster, task.schema, used)


class FittedXGBoost:
    """Trees just boosted, cut after the best round."""

    def __init__(self, booster: Any, schema: InputSchema, parameters: dict[str, Scalar]) -> None:  # noqa: ANN401 - xgboost has few types
        self._booster = booster
        self._schema = schema
        self._parameters = parameters

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        said = np.asarray(self._booster.inplace_predict(np.asarray(rows)), dtype=np.float64)
        return said[:, 0] if said.ndim == 2 and said.shape[1] == 1 else said

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes UBJSON, and after it an ONNX graph where the trees have such a form."""
        (folder / FILE).write_bytes(self._booster.save_raw("ubj"))
        trees = trees_of(bytes(self._booster.save_raw("json")))
        if trees is None:
            return [(FILE, "xgboost")]
        (folder / GRAPH).write_bytes(plugins.load("trees", "onnx")(trees))
        return [(FILE, "xgboost"), (GRAPH, "onnx")]

    def importance(self) -> dict[str, float]:
        """Share of the total gain."""
        gains = self._booster.get_score(importance_type="total_gain")
        total = sum(gains.values())
        return {name: gains.get(f"f{at}", 0.0) / total if total else 0.0 for at, name in enumerate(self._schema.names)}

    def parameters(self) -> dict[str, Scalar]:
        """What was used, the number of rounds among it."""
        return dict(self._parameters)


def _settings(task: FitTask, objective: str) -> dict[str, Any]:
    """What the fit itself decides; of its metrics the first stops it, the last is reported."""
    metrics = [_STOPS_BY.get(objective, "rmse")]
    asked = _REPORTS.get((task.kind, task.metric))
    if asked is not None and (objective == "binary:logistic" or task.kind != "binary"):
        metrics.append(asked[0])
    levels = {"quantile_alpha": list(task.levels)} if task.kind == "quantile" else {}
    return {
        "eval_metric": list(dict.fromkeys(metrics)),
        **levels,
        "nthread": task.threads if os.environ.get("OMP_WAIT_POLICY", "").lower() == "passive" else 1,
        "seed": task.seed % (1 << 31),
        "verbosity": 1,
        "validate_parameters": True,
    }


def _heed(said: Sequence[str], given: Mapping[str, Scalar]) -> None:
    """XGBoost only mentions a parameter that it does not know; the rest of what it says is passed on."""
    for words in said:
        unused = set(re.findall(r'"(\w+)"', words)) & set(given) if "are not used" in words else set()
        if unused:
            raise TrainingError(
                f"XGBoost has no use for the parameter {min(unused)!r}",
                expected=difflib.get_close_matches(min(unused), [*DEFAULTS, *SPACE], n=1) or "one of its own",
                do="Correct it",
            )
        if "are not used" not in words:
            _log.warning("XGBoost: %s", words)
