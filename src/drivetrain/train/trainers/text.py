"""Trainers for models that read texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from types import MappingProxyType
from typing import Any

import numpy as np

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask, Fitted, Space, Trainer
from drivetrain.core.records.run import Scalar
from drivetrain.train.text.folder import file_of, told_apart
from drivetrain.train.trainers.said import arguments

_PUBLISHED = ("config.json", "model.safetensors")
_FINE: Mapping[str, Scalar] = {"epochs": 4, "batch": 16, "lr": 5e-5, "patience": 2}


@dataclass(frozen=True)
class TextLinear:
    """Logistic regression, or ridge regression of a number, on many columns that are mostly zero.

    Numbers of texts are read as they are; other numbers are scaled, with a column for null, and categories become one
    column each. What each word adds to an answer is exact, and told. A yes or no, classes, and numbers.

    Args:
        C: How much it may lean on single columns: greater fits the training rows closer.
        balanced: Whether classes count alike, however many rows each has.

    Example:
        >>> TextLinear(C=3.0)
        TextLinear(C=3.0, balanced=False)
    """

    C: float | None = None
    balanced: bool = False

    def __repr__(self) -> str:
        settings = [] if self.C is None else [f"C={self.C!r}"]
        return f"TextLinear({', '.join([*settings, f'balanced={self.balanced!r}'])})"

    @property
    def name(self) -> str:
        """``text_linear``."""
        return "text_linear"

    @property
    def engine(self) -> str:
        """``linear``."""
        return "linear"

    def search_space(self) -> Mapping[str, Space]:
        """``C``, where it is not set."""
        return self._adapter().search_space()

    def fit(self, task: FitTask) -> Fitted:
        """Fits the model; see :class:`Trainer`."""
        return self._adapter().fit(task)

    def _adapter(self) -> Trainer:
        settings = {} if self.C is None else {"C": self.C}
        trainer: Trainer = plugins.load("trainer", self.engine)(**settings, balanced=self.balanced)
        return trainer


@dataclass(frozen=True, init=False)
class Transformer:
    """A pretrained BERT, fitted further on the model's own labels through the ``torch`` adapter.

    It reads the tokens of one text (``dt.Tokens`` of the same folder); other columns, prepared as for any network, go
    to its head beside the mean of the tokens' last states. Checkpoints, early stopping, mixed precision, and the forms
    it is served in, ONNX and TorchScript, are those of :class:`Torch`. A yes or no, classes, and numbers.

    Args:
        model: Folder of the model: ``config.json`` of a BERT, and ``model.safetensors``.
        **parameters: ``epochs`` (4), ``batch`` (16), ``lr`` (0.00005), ``weight_decay`` (0.01), ``accumulate`` (1),
            ``patience`` (2).
    """

    model: str
    parameters: Mapping[str, Scalar]

    def __init__(self, model: str, **parameters: Scalar) -> None:
        object.__setattr__(self, "model", model)
        object.__setattr__(self, "parameters", MappingProxyType(dict(sorted(parameters.items()))))

    def __repr__(self) -> str:
        which = told_apart(self.model, *_PUBLISHED)
        return f"Transformer({', '.join(filter(None, (which, arguments(self.parameters))))})"

    def __hash__(self) -> int:
        return hash((self.model, tuple(self.parameters.items())))

    @property
    def name(self) -> str:
        """``transformer``."""
        return "transformer"

    @property
    def engine(self) -> str:
        """``torch``."""
        return "torch"

    def search_space(self) -> Mapping[str, Space]:
        """Steps, but for what is set."""
        space = {"lr": Space(1e-5, 1e-4, log=True), "batch": Space(choices=(8, 16, 32))}
        return {name: each for name, each in space.items() if name not in self.parameters}

    def fit(self, task: FitTask) -> Fitted:
        """Fits the model; see :class:`Trainer`.

        Raises:
            TrainingError: The rows hold no tokens, or the folder no BERT.
            UsageError: The folder lacks a file.
            MissingExtra: PyTorch or safetensors is not installed.
        """
        tokens = len(task.schema.texts)
        ids = np.asarray(task.rows)[:, task.schema.texts]
        if not tokens or (ids != np.floor(ids)).any() or (ids < 0).any():
            raise TrainingError(
                "a transformer reads tokens, and finds none",
                found=f"{tokens} numbers of texts among {len(task.schema.fields)} columns",
                do=f'Declare text=dt.Tokens("view.feature", model={self.model!r})',
            )
        config, weights = (file_of(self.model, name) for name in _PUBLISHED)

        def pretrained(inputs: int, outputs: int) -> Any:  # noqa: ANN401 - torch is an extra
            return plugins.load("bert", "torch")(config, weights, tokens, inputs, outputs)

        trainer: Trainer = plugins.load("trainer", "torch")(pretrained, **{**_FINE, **self.parameters})
        return trainer.fit(task)
