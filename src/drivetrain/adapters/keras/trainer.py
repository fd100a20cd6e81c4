"""Fitting Keras models on encoded rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.keras.configuration import strange_parts
from drivetrain.adapters.keras.engine import CONFIGURATION, WEIGHTS
from drivetrain.adapters.keras.epochs import Epochs, packed
from drivetrain.adapters.keras.library import library, margins, seeded
from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.hashing import code_digest
from drivetrain.core.preparation import Network
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar

FILE = "model.keras.zip"

_SHAPE_ROWS = 2


class KerasTrainer:
    """What ``drivetrain.Keras`` stands for; see there.

    Args:
        build: (inputs, outputs) → a model.
        **parameters: How it is fitted.
    """

    name = "keras"
    engine = "keras"

    def __init__(self, build: Callable[[int, int], Any], **parameters: Scalar) -> None:
        self._build = build
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """Steps and regularisation, but for what is set."""
        space: Mapping[str, Space] = plugins.load("space", "numpy")(self._parameters)
        return space

    def fit(self, task: FitTask) -> FittedKeras:
        """Fits a model by AdamW until the loss on the validation rows is best, or for as many epochs as are set.

        Raises:
            TrainingError: A parameter that there is not, labels of another kind, or a model of other shapes.
            MissingExtra: Keras, or a backend, is not installed.
        """
        keras = library()
        lesson = plugins.load("lessons", "numpy")(self.name, task, self._parameters)
        with seeded(task.seed, task.threads):
            model = self._made(keras, lesson.network.preparation.width, lesson.outputs)
            meaning = ["keras", keras.backend.backend(), code_digest(self._build)]
            epochs = Epochs(task, model, meaning, lesson).run()
        return FittedKeras(model, lesson.network, lesson.used(epochs), task.threads)

    def _made(self, keras: Any, inputs: int, outputs: int) -> Any:  # noqa: ANN401 - keras is an extra
        model = self._build(inputs, outputs)
        if not isinstance(model, keras.Model):
            raise TrainingError(
                f"{self._build.__name__} built no model", found=type(model).__name__, expected="a keras.Model"
            )
        said = margins(model, np.zeros((_SHAPE_ROWS, inputs), dtype=np.float32), 1).shape
        if said != (_SHAPE_ROWS, outputs):
            raise TrainingError(
                f"the model of {self._build.__name__} gives margins of another shape",
                found=f"{said} for {_SHAPE_ROWS} rows",
                expected=(_SHAPE_ROWS, outputs),
                do="Let its last layer have as many outputs as the function is given, and no activation",
            )
        return model


class FittedKeras:
    """A model just fitted."""

    def __init__(self, model: Any, network: Network, parameters: dict[str, Scalar], threads: int) -> None:  # noqa: ANN401 - keras is an extra
        self._model = model
        self._network = network
        self._parameters = parameters
        self._threads = threads

    def predict(self, rows: Matrix) -> np.ndarray:
        """Probabilities or values."""
        inputs = plugins.load("prepare", "numpy")(self._network.preparation, rows)
        answers: np.ndarray = plugins.load("answer", "numpy")(
            self._network, margins(self._model, inputs, self._threads)
        )
        return answers

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes Keras's own form, if only Keras's own layers are in it, and on PyTorch TorchScript and ONNX."""
        keras = library()
        configuration = keras.saving.serialize_keras_object(self._model)
        configuration.pop("compile_config", None)
        configuration.pop("build_config", None)
        files: list[tuple[str, str]] = []
        strange = strange_parts(configuration)
        if not strange:
            parts = {CONFIGURATION: msgspec.json.encode(configuration), WEIGHTS: packed(self._model.get_weights())}
            (folder / FILE).write_bytes(plugins.load("pack", "numpy")(self._network, parts))
            files.append((FILE, "keras"))
        if keras.backend.backend() == "torch":
            module = plugins.load("network", "torch")(self._network, self._model)
            width, both = self._network.preparation.fields, self._network.link == "softmax"
            files += plugins.load("fitted", "torch")(module, width, both=both).save(folder)
        if not files:
            raise TrainingError(
                f"the model can't be kept: it holds {', '.join(strange)}",
                expected="Keras's own layers",
                do="Build it of these, or fit it on PyTorch (KERAS_BACKEND=torch), where it is kept as a program",
            )
        return files

    def importance(self) -> dict[str, float]:
        """Not known of a network."""
        return {}

    def parameters(self) -> dict[str, Scalar]:
        """What makes it again."""
        return dict(self._parameters)
