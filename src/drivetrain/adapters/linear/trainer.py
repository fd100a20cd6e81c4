"""Fitting linear models on rows most of whose numbers are zero."""

from __future__ import annotations

import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.linear.design import Design, Folded
from drivetrain.adapters.linear.engine import Linear
from drivetrain.adapters.linear.model import FILE, Answers, LinearModel
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records import InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind

_KINDS: tuple[TaskKind, ...] = ("binary", "multiclass", "regression")
_PARAMETERS: Mapping[str, Scalar] = {"C": 10.0, "balanced": False}
_STEPS = 2_000


class LinearTrainer:
    """What ``drivetrain.TextLinear`` stands for; see there.

    Args:
        **parameters: ``C`` and ``balanced``.

    Raises:
        TrainingError: There is no such parameter, or it can't be so.
    """

    name = "text_linear"
    engine = "linear"

    def __init__(self, **parameters: Scalar) -> None:
        self._parameters = {**_PARAMETERS, **parameters}
        self._set = parameters
        unknown = sorted(set(parameters) - set(_PARAMETERS))
        if unknown:
            raise TrainingError(
                f"{self.name} has no parameter {unknown[0]}", expected=", ".join(_PARAMETERS), do="Leave it out"
            )

    def search_space(self) -> Mapping[str, Space]:
        """How much it may lean on single columns, but for what is set."""
        space = {"C": Space(low=0.01, high=100.0, log=True)}
        return {name: each for name, each in space.items() if name not in self._set}

    def fit(self, task: FitTask) -> FittedLinear:
        """Fits the model on the training rows; validation rows are not looked at.

        Raises:
            TrainingError: It does not give such answers, or a parameter can't be so.
        """
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - deferred with scikit-learn

        chosen = {**self._parameters, **task.parameters}
        strength = chosen["C"]
        if not isinstance(strength, int | float) or not 0 < strength < np.inf:
            raise TrainingError(f"C of {self.name} must be a number above 0", found=strength)
        labels, outputs = plugins.load("labels", "numpy")(self.name, task, _KINDS)
        design = Design.learn(task.schema, np.asarray(task.rows))
        inputs = design.sparse(np.asarray(task.rows))
        estimator = _estimator(task.kind, float(strength), balanced=bool(chosen["balanced"]))
        weights = None if task.weights is None else np.asarray(task.weights)
        with threadpool_limits(limits={"openmp": task.threads, "blas": 1}), warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of a fit that could go on: its margin moves in the fourth digit
            estimator.fit(inputs, labels if task.kind == "regression" else labels.astype(np.int64), weights)
        slopes, base = np.atleast_2d(estimator.coef_), np.atleast_1d(np.asarray(estimator.intercept_))
        if task.kind == "multiclass" and len(slopes) == 1:  # of two classes, the margin of one against the other
            slopes, base = np.vstack([-slopes, slopes]) / 2, np.array([-base[0], base[0]]) / 2
        if task.kind == "multiclass" and len(slopes) != outputs:
            raise TrainingError(f"{self.name} saw {len(slopes)} of {outputs} classes", do="Bring rows of each")
        answers: Answers = {"binary": "sigmoid", "multiclass": "softmax"}.get(task.kind, "identity")  # type: ignore[assignment]
        folded = design.folded(slopes, base, np.asarray(task.rows), weights)
        return FittedLinear(folded, answers, task.schema, chosen)


class FittedLinear:
    """A linear model just fitted.

    Args:
        folded: What its columns add.
        answers: How margins become answers.
        schema: Its columns.
        parameters: What it was fitted with.
    """

    def __init__(self, folded: Folded, answers: Answers, schema: InputSchema, parameters: dict[str, Scalar]) -> None:
        self._model = LinearModel(
            answers=answers,
            base=folded.base.tolist(),
            slopes=folded.slopes.tolist(),
            zeros=folded.zeros.tolist(),
            nulls=folded.nulls.tolist(),
            codes={at: codes.tolist() for at, codes in folded.codes.items()},
        )
        self._shares = folded.shares
        self._schema = schema
        self._parameters = parameters
        self._engine = Linear(self._model, schema)

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        return self._engine.predict(rows)

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes its numbers as JSON."""
        (folder / FILE).write_bytes(msgspec.json.encode(self._model))
        return [(FILE, "linear")]

    def importance(self) -> dict[str, float]:
        """How far each column moves the margin, on average over the training rows, as a share."""
        total = float(self._shares.sum())
        if not total:
            return {}
        return dict(zip(self._schema.names, (self._shares / total).tolist(), strict=True))

    def parameters(self) -> dict[str, Scalar]:
        """What was set."""
        return dict(self._parameters)


def _estimator(kind: TaskKind, strength: float, *, balanced: bool) -> Any:  # noqa: ANN401 - scikit-learn has no types
    from sklearn.linear_model import LogisticRegression, Ridge  # noqa: PLC0415 - deferred: it takes a while

    if kind == "regression":
        return Ridge(alpha=1.0 / strength, solver="sparse_cg", tol=1e-9, max_iter=_STEPS)
    return LogisticRegression(C=strength, tol=1e-6, max_iter=_STEPS, class_weight="balanced" if balanced else None)
