"""What every way to cut a training set must do."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import polars as pl
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.core.errors import TrainingError
from drivetrain.train.checks import check_split
from drivetrain.train.split import Split, Splitter

BEGIN = micros_of("2013-01-01")
AS_OF = BEGIN + 100 * DAY

Drawn = list[tuple[int, int, int, str | None]]
"""Rows: hour of prediction, hours until the label was known, label, group."""

_TRIED = settings(
    deadline=None,
    max_examples=60,
    suppress_health_check=[HealthCheck.function_scoped_fixture],  # a splitter is a frozen record
)

drawn_rows: st.SearchStrategy[Drawn] = st.lists(
    st.tuples(
        st.integers(-5 * 24, 105 * 24),
        st.integers(0, 30 * 24),
        st.integers(0, 1),
        st.sampled_from(["a", "b", "c", "d", "e", "f", None]),
    ),
    max_size=60,
)


def frame_of(rows: Sequence[tuple[int, int, int, str | None]]) -> pl.DataFrame:
    """A training set without features."""
    at = [BEGIN + hour * HOUR for hour, *_ in rows]
    known = [moment + row[1] * HOUR for moment, row in zip(at, rows, strict=True)]
    return pl.DataFrame(
        {
            "_entity": [f"row {place}" for place in range(len(rows))],
            "_at": pl.Series(at, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            "_label": pl.Series([float(row[2]) for row in rows], dtype=pl.Float64),
            "_label_at": pl.Series(known, dtype=pl.Int64).cast(pl.Datetime("us", "UTC")),
            "group": pl.Series([row[3] for row in rows], dtype=pl.String),
        }
    )


def many(rows: int = 400) -> pl.DataFrame:
    """Rows over a hundred days, each known within two."""
    chance = np.random.default_rng(3)
    labels, letters = chance.random(rows) < 0.2, chance.integers(0, 40, rows)
    return frame_of(
        [
            (place * 100 * 24 // rows, int(chance.integers(0, 48)), int(labels[place]), f"group {letters[place]}")
            for place in range(rows)
        ]
    )


class SplitterConformance:
    """Inherit it, and give a fixture ``splitter``; columns of ``groups`` are ``group`` or ``_entity``."""

    @pytest.fixture
    def splitter(self) -> Splitter:
        """The splitter under test, for rows of a hundred days from :data:`BEGIN`."""
        raise NotImplementedError

    def test_every_part_has_rows(self, splitter: Splitter) -> None:
        """Of four hundred rows over a hundred days there are some in each."""
        frame = many()
        check_split(splitter.cut(frame, AS_OF), frame["_label"], needs_valid=True)

    @_TRIED
    @given(rows=drawn_rows)
    def test_parts_are_disjoint(self, splitter: Splitter, rows: Drawn) -> None:
        """No row is in two parts; what judges at the end teaches nothing, in no fold."""
        split = splitter.cut(frame_of(rows), AS_OF)
        for part in (split.train, split.valid, split.test, split.refit, split.before):
            assert part.dtype == pl.Boolean
            assert len(part) == len(rows)
            assert not part.null_count()
        assert not (split.train & split.valid).any()
        assert not (split.refit & split.test).any()
        assert not ((split.train | split.valid) & ~split.refit).any()
        assert not (split.refit & ~split.before).any()
        assert split.late == int((split.before & ~split.refit).sum())
        for fold in split.folds:
            assert not (fold.train & fold.valid).any()
            assert not ((fold.train | fold.valid) & ~split.refit).any()

    @_TRIED
    @given(rows=drawn_rows)
    def test_nothing_teaches_before_it_was_known(self, splitter: Splitter, rows: Drawn) -> None:
        """Of a split in time: labels had arrived when the rows that they are to foretell came up."""
        frame = frame_of(rows)
        split = splitter.cut(frame, AS_OF)
        if not split.timed:
            return
        at, known = (frame[name].dt.epoch("us").to_numpy() for name in ("_at", "_label_at"))
        parts = {name: getattr(split, name).to_numpy() for name in ("train", "valid", "test", "refit")}
        assert (known[parts["refit"]] <= split.test_since).all()
        assert (at[parts["test"]] >= split.test_since).all()
        assert (at[parts["test"]] < AS_OF).all()
        assert (known[parts["train"]] <= split.valid_since).all()
        assert (at[parts["valid"]] >= split.valid_since).all()

    @_TRIED
    @given(rows=drawn_rows, seed=st.integers(0, 99))
    def test_the_order_of_rows_changes_nothing(self, splitter: Splitter, rows: Drawn, seed: int) -> None:
        """Cut again it is the same, and shuffled each row keeps its part."""
        frame = frame_of(rows)
        order = np.random.default_rng(seed).permutation(len(rows))
        split, again = splitter.cut(frame, AS_OF), splitter.cut(frame, AS_OF)
        shuffled = splitter.cut(frame[order], AS_OF)
        assert _told(split, None) == _told(again, None)
        assert _told(split, order) == _told(shuffled, None)

    @_TRIED
    @given(rows=drawn_rows)
    def test_no_group_is_in_two_parts(self, splitter: Splitter, rows: Drawn) -> None:
        """Where it says that it keeps groups together."""
        if not splitter.groups:
            return
        frame = frame_of(rows)
        split = splitter.cut(frame, AS_OF)
        keys = [frame.filter(part).select(splitter.groups).rows() for part in (split.train, split.valid, split.test)]
        assert not set(keys[0]) & set(keys[1])
        assert not set(keys[0] + keys[1]) & set(keys[2])

    def test_an_empty_part_is_named(self, splitter: Splitter) -> None:
        """One row can't be in every part; the message says which part, or which fold, has none."""
        frame = many().head(1)
        with pytest.raises(TrainingError, match=r"no row falls into the (train|valid|test) part"):
            check_split(splitter.cut(frame, AS_OF), frame["_label"], needs_valid=True)

    def test_a_missing_column_is_named(self, splitter: Splitter) -> None:
        """Whichever column the splitter needs."""
        with pytest.raises(TrainingError, match="has no column"):
            splitter.cut(pl.DataFrame({"feature": [1.0]}), AS_OF)

    def test_is_plain_text(self, splitter: Splitter) -> None:
        """Its meaning can be told, and compared, by its text."""
        assert "0x" not in repr(splitter)
        assert hash(splitter) == hash(splitter)


def _told(split: Split, order: np.ndarray | None) -> tuple[object, ...]:
    masks = [split.train, split.valid, split.test, split.refit, split.before]
    masks += [part for fold in split.folds for part in (fold.train, fold.valid)]
    rows = [(mask if order is None else mask[order]).to_list() for mask in masks]
    moments = (split.since, split.valid_since, split.test_since, split.until, split.late)
    return (*rows, moments, [(fold.name, fold.valid_since, fold.valid_until) for fold in split.folds])
