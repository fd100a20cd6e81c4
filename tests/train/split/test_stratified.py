from __future__ import annotations

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.testing.splitter import AS_OF, frame_of, many
from drivetrain.train.split.stratified import StratifiedSplit


@settings(deadline=None, max_examples=60)
@given(
    st.lists(st.integers(0, 3), max_size=80),
    st.sampled_from([0.1, 0.25, 0.5]),
    st.sampled_from([None, 0.2, 0.4]),
    st.integers(0, 9),
)
def test_of_each_label_as_many_rows_judge_as_asked(
    labels: list[int], test: float, valid: float | None, seed: int
) -> None:
    frame = frame_of([(place, 1, label, "a") for place, label in enumerate(labels)])
    cut = StratifiedSplit(test=test, valid=valid, seed=seed).cut(frame, AS_OF)
    for label in set(labels):
        rows = frame["_label"] == label
        many = int(rows.sum())
        assert int((cut.test & rows).sum()) == pytest.approx(test * many, abs=0.5)
        assert int((cut.valid & rows).sum()) == pytest.approx((valid or 0.0) * many, abs=1.0)


def test_numbers_are_kept_by_tenths_of_their_order() -> None:
    labels = np.random.default_rng(0).standard_cauchy(5_000)
    frame = many(5_000).with_columns(_label=pl.Series(labels))
    cut = StratifiedSplit(test=0.2, valid=0.1).cut(frame, AS_OF)
    tenths = np.searchsorted(np.quantile(labels, np.arange(1, 10) / 10), labels)
    shares = [cut.test.to_numpy()[tenths == tenth].mean() for tenth in range(10)]
    assert np.allclose(shares, 0.2, atol=0.002)


def test_classes_and_lists_of_them_are_labels_too() -> None:
    frame = many(900)
    names = pl.Series(["red", "green", "blue"] * 300)
    several = pl.Series([["a"], ["b", "a"], ["a", "b"]] * 300)
    for labels, told in ((names, names), (several, pl.Series(["a", "a|b", "a|b"] * 300))):
        cut = StratifiedSplit(test=0.2, valid=0.1).cut(frame.with_columns(_label=labels), AS_OF)
        shares = pl.DataFrame({"label": told, "test": cut.test}).group_by("label").agg(pl.col("test").mean())
        assert shares["test"].to_list() == pytest.approx([0.2] * len(shares))


def test_rows_of_one_entity_and_moment_fall_together() -> None:
    frame = pl.concat([many(200), many(200)])
    cut = StratifiedSplit().cut(frame, AS_OF)
    assert cut.test.head(200).equals(cut.test.tail(200))


def test_what_can_not_be() -> None:
    with pytest.raises(UsageError, match="shares"):
        StratifiedSplit(test=1.0)
    with pytest.raises(TrainingError, match="_label"):
        StratifiedSplit().cut(many().drop("_label"), AS_OF)
