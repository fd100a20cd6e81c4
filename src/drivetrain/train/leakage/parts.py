"""Rows on the wrong side of the split: later than what they teach for, or of a group that judges too."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import polars as pl

from drivetrain.core.clock import DAY, iso
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.subject import Subject

ENTITY = ("_entity",)


def train_after_test(subject: Subject) -> Iterator[Found]:
    """Rows that teach and lie after rows that judge, or whose label was not known when those came up."""
    data = subject.data
    at, known = subject.micros("_at"), subject.micros("_label_at")
    tested = data.test["_at"].dt.epoch("us").to_numpy()
    if not len(tested) or not len(at):
        return
    opens = int(tested.min())
    if data.split.timed:
        later, unknown = int((at >= opens).sum()), int((known > opens).sum())
        if later or unknown:
            said = f"{later:,} lie after it" if later else f"the labels of {unknown:,} were not known then"
            yield Found(
                "train after test", "",
                f"the first row that judges is of {iso(opens)}, and of {len(at):,} rows that teach {said}",
                certain=True,
            )  # fmt: skip
        return
    later = int((at > opens).sum())
    if later and int(tested.max()) - opens > DAY:
        yield Found(
            "train after test", "",
            f"the split is not in time, and {later:,} of {len(at):,} rows that teach lie after the first that judges: "
            "its figures tell of rows of the same time, not of those to come",
        )  # fmt: skip


def in_two_parts(subject: Subject, groups: Sequence[str]) -> Iterator[Found]:
    """Groups that the split should have kept together, or, of one that is not in time, entities that it cut.

    Args:
        subject: The training set.
        groups: Columns that make the groups; none where none were asked for.
    """
    data = subject.data
    columns = list(groups or (() if data.split.timed else ENTITY))
    if not columns:
        return
    mine, theirs = data.columns.select(columns).unique(), data.test.select(columns).unique()
    both = mine.join(theirs, on=columns, how="semi", nulls_equal=True)
    if both.is_empty():
        return
    rows = data.test.join(both, on=columns, how="semi", nulls_equal=True).select(pl.len()).item()
    what = "groups" if groups else "entities"
    yield Found(
        "in two parts", "",
        f"{len(both):,} {what} by {' and '.join(columns)} are among the rows that teach and those that judge: "
        f"{rows:,} of {len(data.test):,} rows that judge are of them",
        certain=bool(groups),
    )  # fmt: skip
