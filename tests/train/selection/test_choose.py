"""Features are found that say something, and those that say nothing are not; by whatever trainer, killed or not."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import polars as pl
import pytest
from sklearn.linear_model import LogisticRegression

from drivetrain.core.errors import StoreError, TrainingError, UsageError
from drivetrain.core.protocols import FitTask
from drivetrain.features.target import Target
from drivetrain.train.encode import TargetEncode
from drivetrain.train.impute import impute
from drivetrain.train.rows import Preparing
from drivetrain.train.select import Select
from drivetrain.train.trainers import LightGBM, Sklearn
from train.selection.world import QUICK, chosen, frame, mistakes, names, rows_of

NULLS = Select(rounds=20)
WAYS = {
    "null_importance": NULLS,
    "permutation": Select("permutation", rounds=2),
    "stability": Select("stability", rounds=20, share=0.8),
}
NONE = 4
"""Worlds in which nothing says anything."""


@pytest.mark.parametrize("by", WAYS)
def test_what_says_something_is_kept_and_what_says_nothing_is_not(by: str, tmp_path: Path) -> None:
    missed = wrong = 0
    for seed in range(3):
        found = chosen(rows_of(frame(told=3, features=12, seed=seed)), WAYS[by], tmp_path / f"{seed}")
        lost, false = mistakes(found, 3)
        missed, wrong = missed + lost, wrong + false
        assert [one.feature for one in found.features] == list(names(12))
        assert all(one.why for one in found.features)
    assert missed <= 1, "of 9 that say something"
    assert wrong <= 1, "of 27 that say nothing"


@pytest.mark.parametrize("by", WAYS)
def test_where_nothing_says_anything_it_says_so(by: str, tmp_path: Path) -> None:
    said = []
    for seed in range(NONE):
        try:
            chosen(rows_of(frame(told=0, features=12, seed=40 + seed)), WAYS[by], tmp_path / f"{seed}")
        except TrainingError as error:
            said.append(str(error))
    assert len(said) >= NONE - 1
    for words in ("no feature carries more than chance; found 12 features, the strongest x.f", "leave select= out"):
        assert all(words in one for one in said)


@pytest.mark.parametrize("by", WAYS)
@pytest.mark.parametrize("kind", ["regression", "ranking"])
def test_numbers_and_rankings_are_told_apart_from_chance_too(by: str, kind: str, tmp_path: Path) -> None:
    target = Target(kind=kind) if kind == "ranking" else Target()  # type: ignore[arg-type]
    found = chosen(rows_of(frame(told=2, features=8, kind=kind), target), WAYS[by], tmp_path / "rounds")
    lost, false = mistakes(found, 2)
    assert lost == 0
    assert false <= 1


def test_the_strongest_are_kept_and_some_always(tmp_path: Path) -> None:
    data = rows_of(frame(told=3, features=8))
    some = chosen(data, Select(rounds=20, keep=1, always=("x.f07",)), tmp_path / "a")
    told = {one.feature: one for one in some.features}
    assert len(some.kept) == 2
    assert told["x.f07"].why == "always read, no more than chance"
    assert sum(one.why == "beyond the 1 strongest" for one in some.features) == 2
    assert some.summary == "2 of 8 features kept"
    assert [one.feature for one in some.ranked[:2]] == ["x.f00", "x.f07"]
    every = chosen(data, Select(rounds=20, keep=1, always=("x",)), tmp_path / "b")
    assert every.kept == names(8)


def test_what_always_is_read_is_read_where_nothing_says_anything(tmp_path: Path) -> None:
    found = chosen(rows_of(frame(told=0, features=6)), Select(rounds=20, always=("x.f02",)), tmp_path / "a")
    assert "x.f02" in found.kept


def test_who_tells_no_importance_is_asked_by_permutation(tmp_path: Path) -> None:
    data = rows_of(frame(told=2, features=6))
    trainer = Sklearn(LogisticRegression)
    with pytest.raises(TrainingError, match="does not tell how much it leans on a feature"):
        chosen(data, NULLS, tmp_path / "a", trainer)
    assert chosen(data, WAYS["permutation"], tmp_path / "b", trainer).kept == names(2)


def test_filled_and_encoded_columns_are_judged_with_what_is_told_of_them(tmp_path: Path) -> None:
    data = frame(told=2, features=6, rows=2_400)
    holes = data.with_columns(
        pl.when(pl.col("x.f00") > -0.3).then("x.f00").alias("x.f00"),
        pl.when(pl.col("x.f01") > 0).then(pl.lit("high")).otherwise(pl.lit("low")).alias("x.f01"),
    )
    preparing = Preparing(impute=(impute(indicator=True),), encode=(TargetEncode("x.f01"),))
    for by, way in WAYS.items():
        assert chosen(rows_of(holes, preparing=preparing), way, tmp_path / by).kept == names(2), by


class Counting:
    """A trainer that counts its fits, and dies at one of them."""

    name, engine = QUICK.name, QUICK.engine

    def __init__(self, dies_at: int | None = None) -> None:
        self.fits = 0
        self._dies_at = dies_at

    def __repr__(self) -> str:
        return repr(QUICK)

    def search_space(self) -> dict[str, Any]:
        return {}

    def fit(self, task: FitTask) -> Any:
        self.fits += 1
        if self.fits == self._dies_at:
            raise KeyboardInterrupt
        return QUICK.fit(task)


@pytest.mark.parametrize("by", ["null_importance", "stability"])
def test_rounds_that_were_made_are_not_made_again(by: str, tmp_path: Path) -> None:
    data = rows_of(frame(told=2, features=6))
    undisturbed = chosen(data, WAYS[by], tmp_path / "whole", whole := Counting())  # type: ignore[arg-type]
    with pytest.raises(KeyboardInterrupt):
        chosen(data, WAYS[by], tmp_path / "cut", Counting(dies_at=9))  # type: ignore[arg-type]
    with (tmp_path / "cut").open("ab") as file:
        file.write(b'{"search":"torn')
    again = chosen(data, WAYS[by], tmp_path / "cut", second := Counting())  # type: ignore[arg-type]
    assert again == undisturbed
    assert second.fits == whole.fits - 7  # of the eight, the first only finds out how many rounds there are
    chosen(data, WAYS[by], tmp_path / "cut", third := Counting(), seed=2)  # type: ignore[arg-type]
    assert third.fits == whole.fits, "another seed is another selection"


def test_a_damaged_file_is_named(tmp_path: Path) -> None:
    (tmp_path / "cut").write_bytes(b"nothing\n")
    with pytest.raises(StoreError, match=r"cut is damaged: .*selection then begins anew"):
        chosen(rows_of(frame(told=1, features=3)), NULLS, tmp_path / "cut")


def test_validation_rows_are_needed_where_they_judge(tmp_path: Path) -> None:
    data = rows_of(frame(told=1, features=3))
    without = replace(data, valid=data.valid & False)
    with pytest.raises(TrainingError, match="chosen by permutation on validation rows, and there are none"):
        chosen(without, WAYS["permutation"], tmp_path / "a")
    assert chosen(without, NULLS, tmp_path / "b").fits == 21


def test_too_few_features_for_so_strict_a_level_are_named(tmp_path: Path) -> None:
    with pytest.raises(TrainingError, match=r"halves may name no feature at all: 3 are too few for 0.01"):
        chosen(rows_of(frame(told=1, features=3)), Select("stability", level=0.01), tmp_path / "a")


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"by": "luck"}, "Select knows no such way; found 'luck'"),
        ({"keep": 0}, "Select would keep no feature; found keep=0"),
        ({"level": 1.5}, "a level is a chance"),
        ({"level": 0.001}, "so few rounds can't tell a chance of 0.001; found rounds=40; expected 999 or more"),
        ({"rows": 10}, "can't judge by so few rows"),
        ({"always": "x.f00"}, "needs a list of features"),
        ({"by": "stability", "rounds": 11}, "looks at pairs of halves"),
        ({"by": "stability", "share": 0.5}, "more than one half"),
        ({"by": "stability", "level": 0.0}, "keeps some wrong features on average"),
    ],
)
def test_what_can_not_be_asked(asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        Select(**asked)


def test_lightgbm_itself_is_judged_with_the_rounds_that_validation_rows_bear(tmp_path: Path) -> None:
    """Noise would fill two hundred rounds: stopped early, they are few, and what says little stands out."""
    found = chosen(rows_of(frame(told=2, features=6, rows=800)), NULLS, tmp_path / "a", LightGBM())
    assert set(names(2)) <= set(found.kept)
