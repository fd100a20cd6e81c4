"""What a network is taught, whatever library it is of: how, from which inputs, and what its margins mean."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Literal

import numpy as np

from drivetrain.adapters.numpy.labels import checked_labels
from drivetrain.adapters.numpy.preparation import learn, prepared
from drivetrain.core.errors import TrainingError
from drivetrain.core.preparation import Network
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind

DEFAULTS: Mapping[str, Scalar] = {
    "epochs": 200, "batch": 256, "lr": 1e-3, "weight_decay": 0.01, "accumulate": 1, "patience": 10,
}  # fmt: skip

SPACE: Mapping[str, Space] = {
    "lr": Space(1e-4, 1e-2, log=True),
    "weight_decay": Space(1e-4, 0.3, log=True),
    "batch": Space(choices=(64, 256, 1024)),
}

_LINKS: Mapping[TaskKind, Literal["sigmoid", "softmax", "identity"]] = {
    "binary": "sigmoid",
    "multiclass": "softmax",
    "regression": "identity",
}


@dataclass(frozen=True)
class Settings:
    """How a network is fitted."""

    epochs: int
    batch: int
    lr: float
    weight_decay: float
    accumulate: int
    patience: int


@dataclass(frozen=True)
class Lesson:
    """A task, ready for a network."""

    settings: Settings
    network: Network
    outputs: int
    data: Mapping[str, np.ndarray]
    """float32: ``inputs``, ``labels`` and ``weights`` that teach; ``valid_inputs`` and ``valid_labels`` that judge."""

    def order(self, seed: int, epoch: int) -> np.ndarray:
        """The order of the rows that teach, in an epoch."""
        return np.random.default_rng([seed, epoch]).permutation(len(self.data["labels"]))

    def used(self, epochs: int) -> dict[str, Scalar]:
        """Parameters that make the model again, which was best after so many epochs."""
        settings = self.settings
        return {
            "epochs": epochs, "batch": settings.batch, "lr": settings.lr, "weight_decay": settings.weight_decay,
            "accumulate": settings.accumulate, "patience": 0,
        }  # fmt: skip


def lesson(trainer: str, task: FitTask, parameters: Mapping[str, Scalar]) -> Lesson:
    """Makes a task ready.

    Args:
        trainer: Its name, for messages.
        task: The rows; its parameters stand over those of the trainer.
        parameters: The trainer's own.

    Raises:
        TrainingError: A parameter that there is not, or labels of another kind.
    """
    labels, outputs = checked_labels(trainer, task, tuple(_LINKS))
    settings = _settled(trainer, {**DEFAULTS, **parameters, **task.parameters}, judged=task.valid_rows is not None)
    preparation = learn(task.schema, np.asarray(task.rows, dtype=np.float64))
    weights = np.ones(len(labels)) if task.weights is None else np.asarray(task.weights, dtype=np.float64)
    mean, spread = 0.0, 1.0
    if task.kind == "regression":
        mean = float(np.average(labels, weights=weights))
        spread = float(np.sqrt(np.average((labels - mean) ** 2, weights=weights))) or 1.0
    network = Network(preparation=preparation, link=_LINKS[task.kind], mean=mean, spread=spread)
    data = {"inputs": prepared(preparation, task.rows), "weights": (weights / weights.mean()).astype(np.float32)}
    data["labels"] = ((labels - mean) / spread).astype(np.float32)
    if task.valid_rows is not None:
        data["valid_inputs"] = prepared(preparation, task.valid_rows)
        data["valid_labels"] = ((np.asarray(task.valid_labels) - mean) / spread).astype(np.float32)
    return Lesson(settings, network, outputs, data)


def search_space(fixed: Mapping[str, Scalar]) -> dict[str, Space]:
    """Steps and regularisation, but for what is set."""
    return {name: space for name, space in SPACE.items() if name not in fixed}


def _settled(trainer: str, given: Mapping[str, Scalar], *, judged: bool) -> Settings:
    """Without rows that judge, nothing stops an epoch."""
    used: dict[str, float] = {}
    for name, value in given.items():
        if name not in DEFAULTS:
            raise TrainingError(f"{trainer} has no parameter {name!r}", expected=", ".join(DEFAULTS), do="Correct it")
        counts = isinstance(DEFAULTS[name], int)
        least = 0 if name in {"patience", "weight_decay"} else 1 if counts else 1e-12
        if isinstance(value, bool | str | None) or value < least or (counts and value != int(value)):
            raise TrainingError(f"{name} can't be {value!r}", expected=f"a number of {least:g} or more")
        used[name] = value
    return Settings(
        epochs=int(used["epochs"]), batch=int(used["batch"]), lr=float(used["lr"]),
        weight_decay=float(used["weight_decay"]), accumulate=int(used["accumulate"]),
        patience=int(used["patience"]) if judged else 0,
    )  # fmt: skip
