"""Categories read as the mean label of the rows that share them, learned so that no row is told its own label."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple, TypeAlias, get_args

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import InputSchema, Task
from drivetrain.core.records.run import Encoding
from drivetrain.core.records.task import KINDS

By: TypeAlias = Literal["time", "folds"]

MOST = 20_000
"""Values of a category that are told apart, the most frequent first; the others are as good as unseen."""


@dataclass(frozen=True, init=False)
class TargetEncode:
    """Reads categories as numbers: the mean label of the rows that share one, drawn toward the mean of all.

    A category of n rows with mean m reads ``(n * m + smoothing * prior) / (n + smoothing)``, where the prior is the
    mean label of all rows that teach (D. Micci-Barreca, SIGKDD Explorations 3, 2001). A null, and a category that no
    row that teaches has, reads the prior.

    Where the version answers, in batches and online alike, the means are those of all rows that the model was fitted
    on. A row that the model *learns* from is never told its own label. By ``time`` it reads the mean of rows whose
    labels were known before its moment, as it would have had to be answered then (L. Prokhorenkova et al., "CatBoost",
    2018). By ``folds`` it reads the mean of the rows of all other folds, which are drawn at random: for rows without
    times.

    Args:
        *features: Which, by full name; they are text.
        smoothing: How many rows of the prior each category is given.
        by: ``time`` or ``folds``; by default time, where the split is one in time, else folds.
        folds: How many.

    Raises:
        UsageError: It can't be as asked.

    Example:
        >>> TargetEncode("flight.carrier", "flight.origin", smoothing=50)
        TargetEncode('flight.carrier', 'flight.origin', smoothing=50, by=None, folds=5)
    """

    features: tuple[str, ...]
    smoothing: float
    by: By | None
    folds: int

    def __init__(self, *features: str, smoothing: float = 20.0, by: By | None = None, folds: int = 5) -> None:
        if not features or len(set(features)) < len(features):
            raise UsageError(
                "TargetEncode needs the features that it encodes, each once", found=", ".join(features) or "none",
                do='For example: dt.TargetEncode("flight.carrier")',
            )  # fmt: skip
        if not 0 <= smoothing < np.inf:
            raise UsageError("smoothing is a number of rows", found=smoothing, expected="0 or more")
        if by is not None and by not in get_args(By):
            raise UsageError("TargetEncode knows no such way", found=repr(by), expected=", ".join(get_args(By)))
        if folds < 2:
            raise UsageError("there is no other fold to learn from", found=f"folds={folds}", expected="2 or more")
        for name, value in (("features", features), ("smoothing", smoothing), ("by", by), ("folds", folds)):
            object.__setattr__(self, name, value)

    def __repr__(self) -> str:
        named = ", ".join(map(repr, self.features))
        return f"TargetEncode({named}, smoothing={self.smoothing:g}, by={self.by!r}, folds={self.folds})"


class Taught(NamedTuple):
    """What is known of the rows that teach, beside their features.

    Attributes:
        labels: Shape (n,).
        moments: When each is asked about, UTC microseconds.
        known: When each label was known.
    """

    labels: np.ndarray
    moments: np.ndarray
    known: np.ndarray


def check_encodes(declared: Sequence[TargetEncode], schema: InputSchema, task: Task) -> None:
    """Refuses an encoding of what is no category, or by labels that have no mean.

    Raises:
        TrainingError: See above.
    """
    if declared and task.kind not in {"binary", "regression", "quantile"}:
        raise TrainingError(
            f"categories can't be read as a mean label where the label is {KINDS[task.kind]}",
            expected="a yes or no, or a number",
            do="Leave encode= out: trainers read categories as such",
        )
    types = {field.name: field.type for field in schema.fields}
    for name in (name for each in declared for name in each.features):
        if types[name] != "category":
            raise TrainingError(
                f"feature {name} can't be target-encoded", found=f"a {types[name]}", expected="text",
                do="Leave it out of encode=: a number is read as it is",
            )  # fmt: skip


def with_all_categories(schema: InputSchema, frame: pl.DataFrame, declared: Sequence[TargetEncode]) -> InputSchema:
    """A schema that tells more values of encoded features apart than a model could that reads them one by one."""
    encoded = {name for each in declared for name in each.features}
    fields = []
    for field in schema.fields:
        if field.name in encoded and field.type == "category":
            counts = frame.get_column(field.name).cast(pl.String).drop_nulls().alias("value").value_counts(name="rows")
            most = counts.sort(["rows", "value"], descending=[True, False]).head(MOST)
            field = replace(field, categories=tuple(most.get_column("value").sort()))  # noqa: PLW2901
        fields.append(field)
    return InputSchema(tuple(fields))


def learn_means(
    schema: InputSchema, declared: Sequence[TargetEncode], rows: np.ndarray, taught: Taught, *, timed: bool
) -> tuple[InputSchema, dict[int, np.ndarray], tuple[Encoding, ...]]:
    """Learns what categories read.

    Args:
        schema: The columns with their fills.
        declared: Which are encoded, and how.
        rows: The rows that teach, encoded, shape (n, fields); NaN where a category is missing.
        taught: Their labels and moments.
        timed: Whether they are cut in time.

    Returns:
        The schema with its means; column → what each of these rows reads there, which hangs on no label of its own; and
        what was learned of each feature.
    """
    chosen = {name: each for each in declared for name in each.features}
    prior = float(np.mean(taught.labels))
    fields, crossed, learned = [], {}, []
    for at, field in enumerate(schema.fields):
        each = chosen.get(field.name)
        if each is None:
            fields.append(field)
            continue
        codes = rows[:, at] if field.fill is None else np.where(np.isnan(rows[:, at]), field.fill, rows[:, at])
        places = np.where(np.isnan(codes), len(field.categories), codes).astype(np.int64)
        counts = np.bincount(places, minlength=len(field.categories) + 1).astype(np.float64)
        sums = np.bincount(places, weights=taught.labels, minlength=len(field.categories) + 1)
        counts[-1] = sums[-1] = 0.0  # what is missing is not known to be alike
        means = _means(counts, sums, each.smoothing, prior)
        way: By = each.by or ("time" if timed else "folds")
        seen = _before(places, taught) if way == "time" else _elsewhere(places, taught.labels, each.folds)
        own = _means(*seen, each.smoothing, prior)
        own[places == len(field.categories)] = prior
        crossed[at] = own
        fields.append(replace(field, means=tuple(means.tolist())))
        learned.append(
            Encoding(
                feature=field.name,
                by=way,
                smoothing=each.smoothing,
                prior=prior,
                categories=len(field.categories),
                low=float(means.min()),
                high=float(means.max()),
                rows=len(rows),
            )
        )
    return InputSchema(tuple(fields)), crossed, tuple(learned)


def _means(counts: np.ndarray, sums: np.ndarray, smoothing: float, prior: float) -> np.ndarray:
    weight = counts + smoothing
    return np.where(weight > 0, (sums + smoothing * prior) / np.where(weight > 0, weight, 1.0), prior)


def _elsewhere(places: np.ndarray, labels: np.ndarray, folds: int) -> tuple[np.ndarray, np.ndarray]:
    """Of each row, how many rows of other folds share its category, and the sum of their labels."""
    many, kinds = len(places), int(places.max()) + 1
    fold = np.empty(many, dtype=np.int64)
    fold[np.random.default_rng([folds, many]).permutation(many)] = np.arange(many) % folds
    cell = fold * kinds + places
    counts, sums = np.bincount(places, minlength=kinds), np.bincount(places, weights=labels, minlength=kinds)
    inside = np.bincount(cell, minlength=folds * kinds)
    within = np.bincount(cell, weights=labels, minlength=folds * kinds)
    return (counts[places] - inside[cell]).astype(np.float64), sums[places] - within[cell]


def _before(places: np.ndarray, taught: Taught) -> tuple[np.ndarray, np.ndarray]:
    """The same of rows whose labels were known before its moment."""
    ranks = np.unique(np.concatenate([taught.known, taught.moments]), return_inverse=True)[1]
    known, asked = ranks[: len(places)], ranks[len(places) :]
    width = int(ranks.max()) + 1
    keys = places * width + known
    order = np.argsort(keys, kind="stable")
    until = np.searchsorted(keys[order], places * width + asked, side="left")
    since = np.searchsorted(keys[order], places * width, side="left")
    total = np.concatenate([[0.0], np.cumsum(taught.labels[order])])
    return (until - since).astype(np.float64), total[until] - total[since]
