"""A training set as fits see it: the rows that may be learned from, encoded, in order of time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import InputSchema
from drivetrain.features.encoding import encode, schema_of
from drivetrain.train.checks import check_rows, check_split
from drivetrain.train.split import Split, TimeSplit


@dataclass(frozen=True)
class TrainingRows:
    """Every row whose label was known when the test window opened."""

    rows: np.ndarray
    """float64, shape (n, fields)."""
    labels: np.ndarray
    """float64, shape (n,)."""
    train: np.ndarray
    """Which of them were known when the validation window opened."""
    valid: np.ndarray
    """Which of them lie in the validation window."""
    schema: InputSchema
    """Its categories are those of these rows: one schema, so that what is tuned is what is served."""
    split: Split

    @classmethod
    def cut(
        cls, frame: pl.DataFrame, features: Sequence[str], split: TimeSplit, as_of: Micros, *, needs_valid: bool
    ) -> TrainingRows:
        """Cuts, checks and encodes a training set; rows without a label are left out.

        Args:
            frame: ``_entity``, ``_at``, ``_label``, ``_label_at``, and features by full name.
            features: Which of its columns are read, in order.
            split: How it is cut.
            as_of: Where the test window ends.
            needs_valid: Whether it can't do without validation rows.

        Raises:
            TrainingError: A part is empty, its labels are all the same, or a feature is infinite or null throughout.
            FeatureError: A feature is of a type that no model reads.
        """
        labelled = frame.filter(pl.col("_label").is_not_null()).sort("_at", maintain_order=True)
        cut = split.cut(labelled, as_of)
        check_split(cut, labelled["_label"], needs_valid=needs_valid)
        used = labelled.filter(cut.refit)
        schema = schema_of(used, features)
        rows = encode(used, schema)
        check_rows(used, rows, schema)
        return cls(
            rows=rows,
            labels=used["_label"].cast(pl.Float64).to_numpy(),
            train=cut.train.filter(cut.refit).to_numpy(),
            valid=cut.valid.filter(cut.refit).to_numpy(),
            schema=schema,
            split=cut,
        )

    def judged(self, task: FitTask) -> FitTask:
        """The task cut in two: earlier rows teach, those of the validation window judge, if there are any."""
        valid = self.valid.any()
        return replace(
            task,
            rows=np.ascontiguousarray(self.rows[self.train]),
            labels=self.labels[self.train],
            valid_rows=np.ascontiguousarray(self.rows[self.valid]) if valid else None,
            valid_labels=self.labels[self.valid] if valid else None,
        )
