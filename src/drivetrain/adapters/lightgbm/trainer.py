"""Fitting trees: deterministic, categories as categories, stopped early by log loss."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.adapters.lightgbm.export import trees_of
from drivetrain.adapters.lightgbm.library import patient
from drivetrain.adapters.lightgbm.parameters import (
    DEFAULTS,
    MOST_ROUNDS,
    PATIENCE,
    ROUNDS,
    SPACE,
    canonical,
    objective_of,
)
from drivetrain.adapters.lightgbm.rounds import Rounds
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records import InputSchema
from drivetrain.core.records.run import Scalar

FILE = "model.txt"
GRAPH = "model.onnx"

_STOPS_BY = {"binary": "binary_logloss", "multiclass": "multi_logloss", "multiclassova": "multi_logloss"}
_REPORTS = {"average_precision": "average_precision", "roc_auc": "auc"}


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

    def fit(self, task: FitTask) -> FittedTrees:
        """Boosts until the log loss (or squared error) on the validation rows is best, or as many rounds as are set.

        Raises:
            TrainingError: A parameter that LightGBM does not know, or rows that it can't use.
        """
        chosen = {**DEFAULTS, **objective_of(task), **canonical(self._parameters), **canonical(task.parameters)}
        if chosen["objective"] == objective_of(task)["objective"]:
            plugins.load("labels", "numpy")(self.name, task)
        import lightgbm  # noqa: PLC0415 - deferred: it imports pandas and scikit-learn; after our own loading

        fixed_rounds = chosen.pop("num_iterations", None)
        stopping = task.valid_rows is not None and fixed_rounds is None
        parameters = {**chosen, **_settings(task, str(chosen["objective"]))}
        most = int(fixed_rounds) if fixed_rounds is not None else MOST_ROUNDS if stopping else ROUNDS
        try:
            booster, best = Rounds(task, parameters, most, PATIENCE if stopping else None).boost()
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
        trees = trees_of((folder / FILE).read_text())
        if trees is None:
            return [(FILE, "lightgbm")]
        (folder / GRAPH).write_bytes(plugins.load("trees", "onnx")(trees))
        return [(FILE, "lightgbm"), (GRAPH, "onnx")]

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


def _settings(task: FitTask, objective: str) -> dict[str, Any]:
    """What the fit itself decides; of its metrics the first stops it, the last is reported."""
    metrics = [_STOPS_BY.get(objective, "rmse")]
    if objective == "binary" and task.metric in _REPORTS:
        metrics.append(_REPORTS[task.metric])
    return {
        "metric": metrics,
        "num_threads": task.threads if patient() else 1,
        "seed": task.seed % (1 << 31),
        "deterministic": True,
        "force_row_wise": True,
        "verbosity": -1,
    }
