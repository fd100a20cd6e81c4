"""A trainer that is a function: whatever else fits models."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from types import MappingProxyType
from typing import Any

import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import FitTask, Fitted, Space
from drivetrain.core.records import InputSchema
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind
from drivetrain.train.trainers.said import arguments, function

Fit = Callable[..., Any]
"""(rows, labels, valid_rows, valid_labels, *, seed, **parameters) → a model."""

_GIVEN = ("rows", "labels", "valid_rows", "valid_labels")
_TOLD = ("seed", "threads", "weights", "schema", "kind", "classes", "report", "checkpoints")


@dataclass(frozen=True)
class FunctionTrainer:
    """What :func:`trainer` makes of a function; called with parameters, it is the same trainer with these.

    Attributes:
        fitting: The function.
        engine: Adapter that serves what it fits.
        kinds: Kinds of answers that it gives.
        space: What tuning may vary.
        parameters: Its own, over the function's defaults.
    """

    fitting: Fit
    engine: str
    kinds: tuple[TaskKind, ...]
    space: Mapping[str, Space]
    parameters: Mapping[str, Scalar]

    def __call__(self, **parameters: Scalar) -> FunctionTrainer:
        """The trainer with parameters set."""
        _check_names(self.fitting, parameters)
        return replace(self, parameters=MappingProxyType(dict(sorted({**self.parameters, **parameters}.items()))))

    def __repr__(self) -> str:
        return f"trainer({', '.join(filter(None, (function(self.fitting), self.engine, arguments(self.parameters))))})"

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def name(self) -> str:
        """The function's name."""
        return self.fitting.__name__

    def search_space(self) -> Mapping[str, Space]:
        """What was declared, but for what is set."""
        return {name: space for name, space in self.space.items() if name not in self.parameters}

    def fit(self, task: FitTask) -> Fitted:
        """Calls the function.

        Raises:
            TrainingError: Labels of another kind, weights that it does not take, or a model that can't be kept.
        """
        _, outputs = plugins.load("labels", "numpy")(self.name, task, self.kinds)
        takes = inspect.signature(self.fitting).parameters
        if task.weights is not None and "weights" not in takes:
            raise TrainingError(
                f"{self.name} takes no weights", do="Leave weigh= out, or let the function take weights"
            )
        told = {name: getattr(task, name) for name in _TOLD if name in takes}
        used = {**_defaults(self.fitting), **self.parameters, **task.parameters}
        _check_names(self.fitting, used)
        model = self.fitting(*(getattr(task, name) for name in _GIVEN), **told, **used)
        if not callable(getattr(model, "predict", None)):
            raise TrainingError(
                f"{self.name} returned no model", found=type(model).__name__, expected="an object that has predict"
            )
        if not callable(getattr(model, "save", None)):
            kept = plugins.load("kept", "sklearn")(model, outputs if task.classes else None)
            if kept is None:
                raise TrainingError(
                    f"{self.name} returned a model that says nothing of how it is saved",
                    found=type(model).__name__,
                    expected="save(folder) → [(file name, format)], or a scikit-learn estimator",
                    do="Give it a save that writes ONNX, text or safetensors; a pickle can run anything when it loads",
                )
            model = kept
        return _Fitted(model, task.schema, used)


class _Fitted:
    """A model of somebody else's, as the road needs it."""

    def __init__(self, model: Any, schema: InputSchema, parameters: dict[str, Scalar]) -> None:  # noqa: ANN401 - whatever was returned
        self._model = model
        self._schema = schema
        self._parameters = parameters

    def predict(self, rows: Matrix) -> np.ndarray:
        """What the model says."""
        return np.asarray(self._model.predict(rows), dtype=np.float64)

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """What the model writes; no pickle.

        Raises:
            TrainingError: A file is one, or is not there.
        """
        files = [(str(name), str(format)) for name, format in self._model.save(folder)]
        for name, _ in files:
            path = folder / name
            if not path.is_file():
                raise TrainingError(f"the model's save names {name!r}, and did not write it", do="Write it to folder")
            with path.open("rb") as file:
                if file.read(1) == b"\x80":
                    raise TrainingError(
                        f"the model's save wrote a pickle, {name}", expected="a form that runs nothing when it loads"
                    )
        return files

    def importance(self) -> dict[str, float]:
        """Shares, where the model has an ``importance``."""
        told = getattr(self._model, "importance", None)
        return {name: float(share) for name, share in told().items()} if callable(told) else {}

    def parameters(self) -> dict[str, Scalar]:
        """What the function was called with."""
        return dict(self._parameters)


def trainer(
    *,
    engine: str = "onnx",
    kinds: tuple[TaskKind, ...] = ("binary",),
    space: Mapping[str, Space] | None = None,
) -> Callable[[Fit], FunctionTrainer]:
    """Makes a trainer of a function.

    The function is called as ``fit(rows, labels, valid_rows, valid_labels, *, seed, **parameters)``: encoded rows as a
    float64 matrix, NaN for null and codes for categories; validation rows are None where there are none. Of ``seed``,
    ``threads``, ``weights``, ``schema``, ``kind``, ``classes``, ``report`` and ``checkpoints`` it gets those that it
    names. It returns an object with ``predict(rows)`` that gives probabilities or values and ``save(folder)`` that
    writes files and returns (file name, format) of each, the format an engine's name; or a scikit-learn estimator,
    which is kept as skops and ONNX. Each file is opened, and held against ``predict``, before it is kept.

    Args:
        engine: Adapter that serves it.
        kinds: The kinds of answers that it gives: ``binary``, ``multiclass``, ``regression``.
        space: What tuning may vary.

    Returns:
        What decorates the function; its parameters are set by calling the trainer.

    Example:
        >>> @trainer(engine="onnx")
        ... def forest(rows, labels, valid_rows, valid_labels, *, seed, trees=50):
        ...     from sklearn.ensemble import ExtraTreesClassifier
        ...     return ExtraTreesClassifier(trees, random_state=seed).fit(rows, labels)
        >>> forest(trees=20).parameters["trees"]
        20
    """

    def made(fitting: Fit) -> FunctionTrainer:
        takes = list(inspect.signature(fitting).parameters.values())
        names = tuple(each.name for each in takes[: len(_GIVEN)])
        if names != _GIVEN:
            raise UsageError(
                f"a trainer's function takes {', '.join(_GIVEN)} first", found=", ".join(names), do="Name them so"
            )
        return FunctionTrainer(fitting, engine, kinds, MappingProxyType(dict(space or {})), MappingProxyType({}))

    return made


def _defaults(fitting: Fit) -> dict[str, Scalar]:
    takes = inspect.signature(fitting).parameters.values()
    return {
        each.name: each.default
        for each in takes
        if each.kind is each.KEYWORD_ONLY and each.name not in _TOLD and each.default is not each.empty
    }


def _check_names(fitting: Fit, parameters: Mapping[str, Scalar]) -> None:
    takes = inspect.signature(fitting).parameters
    if any(each.kind is each.VAR_KEYWORD for each in takes.values()):
        return
    own = [name for name in takes if name not in {*_GIVEN, *_TOLD}]
    unknown = [name for name in parameters if name not in own]
    if unknown:
        raise TrainingError(
            f"{fitting.__name__} has no parameter {unknown[0]!r}", expected=", ".join(own) or "none", do="Correct it"
        )
