"""Fitting Flax modules on encoded rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.adapters.flax.engine import PROGRAM
from drivetrain.adapters.flax.epochs import Epochs, exported
from drivetrain.adapters.flax.library import library
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.hashing import code_digest
from drivetrain.core.preparation import Network
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar

FILE = "model.stablehlo.zip"

_SHAPE_ROWS = 2


class FlaxTrainer:
    """What ``drivetrain.Flax`` stands for; see there.

    Args:
        build: (inputs, outputs) → a module.
        **parameters: How it is fitted.
    """

    name = "flax"
    engine = "flax"

    def __init__(self, build: Callable[[int, int], Any], **parameters: Scalar) -> None:
        self._build = build
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """Steps and regularisation, but for what is set."""
        space: Mapping[str, Space] = plugins.load("space", "numpy")(self._parameters)
        return space

    def fit(self, task: FitTask) -> FittedFlax:
        """Fits a module by AdamW until the loss on the validation rows is best, or for as many epochs as are set.

        Raises:
            TrainingError: A parameter that there is not, labels of another kind, or a module of other shapes.
            MissingExtra: JAX, Flax, Optax or safetensors is not installed.
        """
        library("flax", "optax", "safetensors")
        import flax.linen  # noqa: PLC0415 - deferred: an extra

        lesson = plugins.load("lessons", "numpy")(self.name, task, self._parameters)
        module = self._build(lesson.network.preparation.width, lesson.outputs)
        if not isinstance(module, flax.linen.Module):
            raise TrainingError(
                f"{self._build.__name__} built no module", found=type(module).__name__, expected="a flax.linen.Module"
            )
        epochs = Epochs(task, module, ["flax", code_digest(self._build)], lesson)
        self._check(epochs, lesson)
        variables, best = epochs.run()
        return FittedFlax(partial(epochs.margins, variables), lesson.network, lesson.used(best))

    def _check(self, epochs: Epochs, lesson: Any) -> None:  # noqa: ANN401 - a record of another adapter's
        said = epochs.first((_SHAPE_ROWS, lesson.network.preparation.width))
        if said != (_SHAPE_ROWS, lesson.outputs):
            raise TrainingError(
                f"the module of {self._build.__name__} gives margins of another shape",
                found=f"{said} for {_SHAPE_ROWS} rows",
                expected=(_SHAPE_ROWS, lesson.outputs),
                do="Let its last layer have as many outputs as the function is given",
            )


class FittedFlax:
    """A module just fitted."""

    def __init__(self, margins: Callable[[Any], Any], network: Network, parameters: dict[str, Scalar]) -> None:
        self._margins = margins
        self._network = network
        self._parameters = parameters

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        inputs = plugins.load("prepare", "numpy")(self._network.preparation, rows)
        answers: np.ndarray = plugins.load("answer", "numpy")(self._network, np.asarray(self._margins(inputs)))
        return answers

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes the program that JAX compiles.

        Raises:
            TrainingError: The module has no program that takes any number of rows.
        """
        try:
            program = exported(self._margins, self._network.preparation.width)
        except Exception as error:
            raise TrainingError(
                f"JAX can't export the module: {str(error).partition(chr(10))[0]}",
                do="Let nothing in it depend on the number of rows",
            ) from error
        (folder / FILE).write_bytes(plugins.load("pack", "numpy")(self._network, {PROGRAM: program}))
        return [(FILE, "flax")]

    def importance(self) -> dict[str, float]:
        """Not known of a network."""
        return {}

    def parameters(self) -> dict[str, Scalar]:
        """What makes it again."""
        return dict(self._parameters)
