"""Trainers for models that read texts."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from drivetrain.core import plugins
from drivetrain.core.protocols import FitTask, Fitted, Space, Trainer


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
