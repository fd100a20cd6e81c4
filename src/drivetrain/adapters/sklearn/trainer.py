"""Fitting scikit-learn estimators on encoded rows."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.sklearn.additive import KEPT_AS, additive
from drivetrain.adapters.sklearn.estimators import ESTIMATORS, Source, fitting, make
from drivetrain.adapters.sklearn.export import to_onnx
from drivetrain.adapters.sklearn.pipeline import OUTPUTS, answers, pipeline
from drivetrain.adapters.sklearn.skops import skops_io
from drivetrain.adapters.sklearn.trust import strange_types
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar

_log = logging.getLogger(__name__)


class SklearnTrainer:
    """What ``drivetrain.Sklearn`` stands for; see there.

    Args:
        estimator: A short name, the path of a class, or a function that returns an estimator.
        **parameters: The estimator's own.
    """

    engine = "onnx"

    def __init__(self, estimator: Source, **parameters: Scalar) -> None:
        self.name = estimator if isinstance(estimator, str) else estimator.__name__
        self._source = estimator
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """What is known to matter of a named estimator, but for what is set."""
        named = ESTIMATORS.get(self._source) if isinstance(self._source, str) else None
        return {name: space for name, space in named.space.items() if name not in self._parameters} if named else {}

    def fit(self, task: FitTask) -> FittedPipeline:
        """Fits the pipeline on the training rows; validation rows are not looked at.

        Raises:
            TrainingError: There is no such estimator or parameter, or it can't take the rows.
        """
        from sklearn.base import is_classifier  # noqa: PLC0415 - deferred: it takes a while
        from sklearn.utils.validation import has_fit_parameter  # noqa: PLC0415 - as above
        from threadpoolctl import (  # noqa: PLC0415 - deferred with scikit-learn
            threadpool_limits,
        )

        chosen = {**self._parameters, **task.parameters}
        estimator = fitting(make(self._source, chosen, task), self.name, task.kind)
        fitted = pipeline(estimator, task.schema, task.rows)
        labels = self._labels(task, classifies=is_classifier(estimator))
        weighed: dict[str, Any] = {}
        if task.weights is not None:
            last, estimator = fitted.steps[-1]
            if not has_fit_parameter(estimator, "sample_weight"):
                raise TrainingError(
                    f"{self.name} can't be fitted with weights", do="Leave weigh= out, or choose another estimator"
                )
            weighed[f"{last}__sample_weight"] = np.asarray(task.weights)
        try:
            with threadpool_limits(limits=_limits(task.threads)), warnings.catch_warnings(record=True) as said:
                warnings.simplefilter("always")
                fitted.fit(task.rows, labels, **weighed)
        except (ValueError, TypeError, np.linalg.LinAlgError) as error:
            raise TrainingError(f"{self.name} can't fit these rows: {error}") from error
        if is_classifier(estimator) and not hasattr(fitted, "predict_proba"):
            raise TrainingError(
                f"{self.name} gives no probabilities",
                do="Name a function that returns it in sklearn.calibration.CalibratedClassifierCV",
            )
        if task.kind in {"multiclass", "multilabel"}:
            setattr(fitted, OUTPUTS, len(task.classes))
        terms = additive(fitted, task.schema, np.asarray(task.rows))
        if terms is not None:
            setattr(fitted, KEPT_AS, msgspec.json.encode(terms).decode())
        for warning in said:
            _log.warning("%s: %s", self.name, warning.message)
        return FittedPipeline(fitted, chosen, task.threads)

    def _labels(self, task: FitTask, *, classifies: bool) -> np.ndarray:
        if task.kind == "binary" and not classifies:
            return np.asarray(task.labels)
        labels, _ = plugins.load("labels", "numpy")(self.name, task)
        return np.asarray(labels.astype(np.int64) if classifies else labels)


class FittedPipeline:
    """A pipeline just fitted."""

    def __init__(self, fitted: Any, parameters: dict[str, Scalar], threads: int) -> None:  # noqa: ANN401 - sklearn has no types
        self._fitted = fitted
        self._parameters = parameters
        self._threads = threads

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        from threadpoolctl import threadpool_limits  # noqa: PLC0415 - deferred with scikit-learn

        with threadpool_limits(limits=_limits(self._threads)):
            return answers(self._fitted, np.asarray(rows))

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes skops, and before it ONNX where the estimator has such a form."""
        skops = skops_io()
        skops.dump(self._fitted, folder / "model.skops")
        strange = strange_types(folder / "model.skops")
        if strange:
            raise TrainingError(
                f"{type(self._fitted).__name__} can't be kept: it holds what is not scikit-learn's own",
                found=", ".join(strange),
                do="Build it of scikit-learn's parts, or write a trainer whose model says how it is saved (dt.trainer)",
            )
        graph = to_onnx(self._fitted, self._fitted.n_features_in_)
        if graph is None:
            return [("model.skops", "skops")]
        (folder / "model.onnx").write_bytes(graph)
        return [("model.onnx", "onnx"), ("model.skops", "skops")]

    def importance(self) -> dict[str, float]:
        """Not known of a pipeline: its columns are not the features."""
        return {}

    def parameters(self) -> dict[str, Scalar]:
        """The estimator's own, as they were set."""
        return dict(self._parameters)


def kept_estimator(model: object, outputs: int | None = None) -> FittedPipeline | None:
    """A fitted estimator of somebody else's, to be kept as ours are; none of what is no estimator.

    Args:
        model: It.
        outputs: How many classes, or labels, its answers tell; none of a yes or no, or a number.
    """
    from sklearn.base import BaseEstimator  # noqa: PLC0415 - deferred: it takes a while

    if not isinstance(model, BaseEstimator):
        return None
    if outputs is not None:
        setattr(model, OUTPUTS, outputs)
    return FittedPipeline(model, {}, 1)


def _limits(threads: int) -> dict[str, int]:
    """OpenMP threads sleep while they wait; those of BLAS spin: on busy cores two took 2 to 5 times as long as one."""
    return {"openmp": threads, "blas": 1}
