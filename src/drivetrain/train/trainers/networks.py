"""Networks: a function builds one, the adapter of its library fits it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any, ClassVar

from drivetrain.core import plugins
from drivetrain.core.errors import UsageError
from drivetrain.core.protocols import FitTask, Fitted, Space, Trainer
from drivetrain.core.records.run import Scalar
from drivetrain.train.trainers.said import arguments, function

Build = Callable[[int, int], Any]
"""(inputs, outputs) → a network; it must be named, not a lambda, and imports its library itself."""


@dataclass(frozen=True, init=False)
class _Network:
    """A network that is built by a function of how many inputs there are, and how many outputs it is to have.

    Inputs are float32: numbers scaled, with a flag beside each that is null at times, categories one by one. Outputs
    are margins: one of a binary model, one a class of a multiclass model, one of a regression; the trainer makes
    probabilities or values of them, and they are part of what is served.
    """

    adapter: ClassVar[str]
    build: Build
    parameters: Mapping[str, Scalar]

    def __init__(self, build: Build, **parameters: Scalar) -> None:
        if not hasattr(build, "__name__") or build.__name__ == "<lambda>":
            raise UsageError(
                f"{type(self).__name__} needs a function of (inputs, outputs) that has a name",
                found=getattr(build, "__name__", type(build).__name__),
                do="Define it with def, at the top of a module",
            )
        object.__setattr__(self, "build", build)
        object.__setattr__(self, "parameters", MappingProxyType(dict(sorted(parameters.items()))))

    def __repr__(self) -> str:
        return f"{type(self).__name__}({', '.join(filter(None, (function(self.build), arguments(self.parameters))))})"

    def __hash__(self) -> int:
        return hash(repr(self))

    @property
    def name(self) -> str:
        """The adapter's name."""
        return self.adapter

    @property
    def engine(self) -> str:
        """The adapter's name."""
        return self.adapter

    def search_space(self) -> Mapping[str, Space]:
        """What tuning may vary, but for what is set."""
        return self._load().search_space()

    def fit(self, task: FitTask) -> Fitted:
        """Fits the network; see :class:`Trainer`."""
        return self._load().fit(task)

    def _load(self) -> Trainer:
        trainer: Trainer = plugins.load("trainer", self.adapter)(self.build, **self.parameters)
        return trainer


class Torch(_Network):
    """A PyTorch module, fitted by AdamW and stopped early, through the ``torch`` adapter.

    It is kept as TorchScript and, where PyTorch can export it, as ONNX; the faster one that answers alike is served.
    On a GPU, where there is one, its arithmetic is of 16 bits where that does no harm (bfloat16, else float16 with
    scaled gradients). The same seed gives the same bits on the same number of threads; another number adds in another
    order. Needs ``pip install "drivetrain[torch]"``.

    Args:
        build: (inputs, outputs) → a ``torch.nn.Module`` that gives margins of shape (n, outputs).
        **parameters: ``epochs`` (200 at most), ``batch`` (256), ``lr`` (0.001), ``weight_decay`` (0.01), ``accumulate``
            (batches before a step: 1), ``patience`` (epochs without a better loss on the validation rows: 10; 0 for all
            epochs). One that is set here is not tuned.

    Example:
        >>> def linear(inputs: int, outputs: int):
        ...     import torch
        ...     return torch.nn.Linear(inputs, outputs)
        >>> Torch(linear, epochs=20).name
        'torch'
    """

    adapter = "torch"


class Keras(_Network):
    """A Keras 3 model, fitted by AdamW and stopped early, through the ``keras`` adapter.

    Keras runs on PyTorch where that is installed, else on JAX, else on TensorFlow, unless ``KERAS_BACKEND`` says
    otherwise. The model is kept in Keras's own format without anything that runs when it is loaded and, on PyTorch, as
    ONNX; the faster one that answers alike is served. Needs ``pip install "drivetrain[keras]"``.

    Args:
        build: (inputs, outputs) → a ``keras.Model``, not compiled, of Keras's own layers, that gives margins.
        **parameters: As of :class:`Torch`.

    Example:
        >>> def linear(inputs: int, outputs: int):
        ...     import keras
        ...     return keras.Sequential([keras.layers.Input((inputs,)), keras.layers.Dense(outputs)])
        >>> Keras(linear, epochs=20).name
        'keras'
    """

    adapter = "keras"


class Flax(_Network):
    """A Flax module, fitted by Optax's AdamW and stopped early, through the ``flax`` adapter.

    It is kept as the program that JAX compiles (StableHLO, by ``jax.export``): it loads without the module's code, and
    runs nothing but arithmetic. Needs ``pip install "drivetrain[flax]"``.

    Args:
        build: (inputs, outputs) → a ``flax.linen.Module`` that gives margins; it may take ``train``, and draw from
            ``dropout``.
        **parameters: As of :class:`Torch`.

    Example:
        >>> def linear(inputs: int, outputs: int):
        ...     import flax.linen
        ...     return flax.linen.Dense(outputs)
        >>> Flax(linear, epochs=20).name
        'flax'
    """

    adapter = "flax"
