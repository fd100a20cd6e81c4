"""What stands in for a missing value: declared on the model, learned from the rows that teach and no others."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, TypeAlias, get_args

import numpy as np
from msgspec.structs import replace

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.records.run import Imputation

By: TypeAlias = Literal["median", "mean", "most_frequent", "constant"]

_NUMBERS = ("median", "mean")


@dataclass(frozen=True)
class Impute:
    """How missing values of features are filled; see :func:`impute`."""

    features: tuple[str, ...]
    by: By
    value: float | str | None
    indicator: bool

    def fits(self, field: Field) -> bool:
        """Whether it can fill a feature of that type; a text that is missing is read as empty."""
        if field.type == "text":
            return False
        if self.by in _NUMBERS:
            return field.type != "category"
        if self.by == "constant":
            return isinstance(self.value, str) == (field.type == "category")
        return True


def impute(*features: str, by: By = "median", value: float | str | None = None, indicator: bool = False) -> Impute:
    """Fills missing values of a model's features: nulls, and categories that no training row had.

    What is filled in is learned from the rows that the model is fitted on: while settings are tuned from those of the
    training window, at the end from all whose label was known when the test window opened. It is kept with the version,
    and put in wherever the version answers, in batches and online alike. Logs and monitors see the value as missing.

    Args:
        *features: Which, by full name; every one that it can fill, and that no other names, by default.
        by: ``median``, ``mean`` (of numbers and booleans), ``most_frequent`` (of equals the least), or ``constant``.
        value: The constant: a number, or the name of a category, which may be a new one.
        indicator: Whether the model also reads if the value was missing.

    Raises:
        UsageError: It can't be as asked.

    Example:
        >>> impute("plane.age", by="median", indicator=True).by
        'median'
    """
    if by not in get_args(By):
        raise UsageError("impute does not know this way to fill", found=repr(by), expected=", ".join(get_args(By)))
    if (by == "constant") != (value is not None):
        raise UsageError(
            "impute takes a value where it fills with a constant, and only there",
            found=f"by={by!r}, value={value!r}", expected='by="constant", value=0',
        )  # fmt: skip
    if value is not None and not isinstance(value, str) and not math.isfinite(value):
        raise UsageError("impute can't fill with this", found=repr(value), expected="a finite number, or a category")
    return Impute(features, by, value if value is None or isinstance(value, str) else float(value), indicator)


def with_constants(schema: InputSchema, declared: Sequence[Impute]) -> InputSchema:
    """A schema whose categories hold what their missing values are filled with.

    Raises:
        TrainingError: A declaration names a feature of another type than it fills.
    """
    fields = []
    for field in schema.fields:
        chosen = _chosen(field, declared)
        if chosen is not None and chosen.by == "constant" and isinstance(chosen.value, str):
            field = replace(field, categories=tuple(sorted({*field.categories, chosen.value})))  # noqa: PLW2901
        fields.append(field)
    return InputSchema(tuple(fields))


def learn(
    schema: InputSchema, declared: Sequence[Impute], rows: np.ndarray
) -> tuple[InputSchema, tuple[Imputation, ...]]:
    """Learns what stands in for missing values.

    Args:
        schema: As :func:`with_constants` gives it.
        declared: How they are to be filled.
        rows: The rows that teach, encoded, shape (n, fields); NaN where a value is missing.

    Returns:
        The schema with its fills, and what was learned of each feature that is filled.

    Raises:
        TrainingError: A feature has no value among the rows to learn from.
    """
    fields, learned = [], []
    for at, field in enumerate(schema.fields):
        chosen = _chosen(field, declared)
        if chosen is None:
            fields.append(field)
            continue
        missing = np.isnan(rows[:, at])
        known = rows[~missing, at]
        if not len(known) and chosen.by != "constant":
            raise TrainingError(
                f"there is no {chosen.by.replace('_', ' ')} of {field.name} to fill in",
                found=f"null in all {len(rows)} rows that teach", do="Fill it with a constant, or remove it",
            )  # fmt: skip
        fill = _fill(chosen, field, known)
        fields.append(replace(field, fill=fill, indicator=chosen.indicator))
        learned.append(
            Imputation(
                feature=field.name,
                by=chosen.by,
                value=field.categories[int(fill)] if field.type == "category" else fill,
                share=float(missing.mean()),
                indicator=chosen.indicator,
            )
        )
    return InputSchema(tuple(fields)), tuple(learned)


def _fill(chosen: Impute, field: Field, known: np.ndarray) -> float:
    if chosen.by == "constant":
        return float(field.categories.index(chosen.value) if isinstance(chosen.value, str) else chosen.value or 0.0)
    if chosen.by == "median":
        return float(np.median(known))
    if chosen.by == "mean":
        return float(np.mean(known))
    values, counts = np.unique(known, return_counts=True)
    return float(values[np.argmax(counts)])


def _chosen(field: Field, declared: Sequence[Impute]) -> Impute | None:
    """The declaration that names a feature; or else the first that names none and can fill it."""
    for each in declared:
        if field.name in each.features:
            if not each.fits(field):
                raise TrainingError(
                    f"feature {field.name} can't be filled by {each.by}",
                    found=f"a {field.type}" + ("" if each.value is None else f", and {each.value!r}"),
                    expected="most_frequent, or a category" if field.type == "category" else "a number",
                )
            return each
    return next((each for each in declared if not each.features and each.fits(field)), None)
