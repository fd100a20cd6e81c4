"""Weights that make up for what groups and labels have to do with each other in the data."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records.run import WeighedCell, Weighing

MOST_GROUPS = 200
MOST_LABELS = 20
_NULL = "(missing)"


@dataclass(frozen=True, init=False)
class Reweigh:
    """Weights by group and label, after Kamiran and Calders (2012).

    Rows whose group and label meet more rarely than by chance count for more, those that meet oftener for less.
    A row of group s with label y weighs ``P(s) P(y) / P(s, y)``, as counted among the rows that teach, anew in every
    split. Weighed so, label and group are independent, the weights are 1 on average, and no label is changed. Only the
    model is fitted with weights: its baselines are not, and every figure that judges counts rows alike.

    Args:
        *columns: What makes the groups, several together: features of the model by full name, fields of the request,
            or columns of the label's table. Null is a group of its own.

    Example:
        >>> Reweigh("schedule.carrier", "schedule.origin")
        Reweigh('schedule.carrier', 'schedule.origin')
    """

    columns: tuple[str, ...]

    def __init__(self, *columns: str) -> None:
        if not columns:
            raise UsageError("Reweigh needs a column that makes the groups", do='For example: dt.Reweigh("carrier")')
        if len(set(columns)) < len(columns):
            raise UsageError("Reweigh names a column twice", found=", ".join(columns), do="Name each once")
        object.__setattr__(self, "columns", columns)

    def __repr__(self) -> str:
        return f"Reweigh({', '.join(map(repr, self.columns))})"

    def learn(self, groups: pl.DataFrame, labels: np.ndarray) -> tuple[np.ndarray, Weighing]:
        """The weight of each row, and what they are made of.

        Args:
            groups: The columns, of the rows that teach and no others.
            labels: Their labels, shape (n,).

        Raises:
            TrainingError: The labels are no classes, or there are more groups than rows could tell apart.
        """
        # Names of our own throughout: a column may be called weight, label or group.
        names = [f"_{at}" for at in range(len(self.columns))]
        rows = groups.select(
            pl.col(each).cast(pl.String).alias(name) for each, name in zip(self.columns, names, strict=True)
        )
        rows = rows.with_columns(_label=pl.Series(labels))
        kinds = rows["_label"].n_unique()
        if kinds > MOST_LABELS:
            raise TrainingError(
                "rows are weighed by group and label, and these labels are no classes",
                found=f"{kinds} different labels", expected=f"{MOST_LABELS} at most", do="Leave weigh= out",
            )  # fmt: skip
        # polars counts in 32 bits, in which products of counts do not fit.
        counts = rows.group_by(*names, "_label").agg(_rows=pl.len().cast(pl.Float64))
        counts = counts.with_columns(_group=pl.sum("_rows").over(names), _alike=pl.sum("_rows").over("_label"))
        many = counts.select(names).n_unique()
        if many > MOST_GROUPS:
            raise TrainingError(
                f"rows can't be weighed by {' and '.join(self.columns)}: there are too many groups",
                found=f"{many} among {len(rows)} rows", expected=f"{MOST_GROUPS} at most",
                do="Weigh by coarser groups",
            )  # fmt: skip
        cells = counts.with_columns(_weight=pl.col("_group") * pl.col("_alike") / (pl.col("_rows") * len(rows)))
        cells = cells.sort(*names, "_label")
        weighed = rows.join(cells, on=[*names, "_label"], how="left", nulls_equal=True, maintain_order="left")
        weights = weighed["_weight"].to_numpy()
        # Null is named last, for a text may say the same.
        cells = cells.with_columns(pl.col("_rows").cast(pl.Int64))
        lacking = cells.group_by(names, maintain_order=True).agg(_labels=pl.len()).filter(pl.col("_labels") < kinds)
        cells, lacking = (told.with_columns(pl.col(names).fill_null(_NULL)) for told in (cells, lacking))
        return weights, Weighing(
            by=self.columns,
            cells=tuple(
                WeighedCell(tuple(row[: len(names)]), *row[len(names) :])
                for row in cells.select(*names, "_label", "_rows", "_weight").iter_rows()
            ),
            rows=len(rows),
            effective=effective_rows(weights),
            lacking=tuple(lacking.select(names).iter_rows()),
        )


def effective_rows(weights: np.ndarray) -> float:
    """How many rows of equal weight tell as much: (Σ w)² / Σ w² (Kish, 1965).

    Example:
        >>> effective_rows(np.array([1.0, 1.0, 2.0]))
        2.6666666666666665
    """
    return float(weights.sum() ** 2 / (weights**2).sum())
