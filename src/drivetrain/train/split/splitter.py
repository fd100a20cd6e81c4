"""The seam of splits: what a way to cut must do. Its conformance suite is in ``testing/splitter.py``."""

from __future__ import annotations

from typing import Protocol

import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.train.split.cut import Split


class Splitter(Protocol):
    """Cuts a training set; a frozen record of its own settings, whose repr tells all of them.

    The same rows are cut alike in whatever order they come, and at every call.
    """

    @property
    def groups(self) -> tuple[str, ...]:
        """Columns whose values must not be in two parts; the training set holds them. None where there are none."""
        ...

    def cut(self, frame: pl.DataFrame, as_of: Micros) -> Split:
        """Cuts a training set.

        Args:
            frame: Rows with ``_entity``, ``_at`` (moment of prediction), ``_label``, ``_label_at`` (when the label was
                known) and the columns of ``groups``; labels that are not known yet at the moment of training are not
                among them.
            as_of: Where the test window ends. Labels of its rows may have become known later.

        Raises:
            TrainingError: A column is missing.
        """
        ...
