"""Leaks of every kind, planted and found by name; and sets without one, in which nothing is found."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Sequence
from typing import Any, NamedTuple

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from scipy import stats

from drivetrain.core.clock import DAY
from drivetrain.core.records.run import LeakageFinding
from drivetrain.train.impute import impute
from drivetrain.train.leakage.leakage import CHECKS, Leakage
from drivetrain.train.leakage.look import look_for_leaks
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.split import Split, TimeSplit
from drivetrain.train.split.group_split import GroupSplit
from drivetrain.train.split.holdout import Holdout
from drivetrain.train.weigh import Reweigh
from train.leakage.world import AS_OF, SHAPES, SPLIT, features_of, honest, look
from train.world import moment

LABEL = pl.col("_label")
Plant = Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]


class Planted(NamedTuple):
    """A leak: how it comes in, and what must be said of it."""

    plant: Plant
    check: str
    severity: str = "warned"
    feature: str = "f.leak"
    shape: str = "even"
    options: dict[str, Any] = {}


def adds(expression: pl.Expr) -> Plant:
    return lambda frame, _: frame.with_columns(expression.alias("f.leak"))


def column(make: Callable[[np.ndarray, np.random.Generator], Any]) -> Plant:
    """A feature made of the labels; where there is none it is null."""

    def plant(frame: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
        labels = frame["_label"].fill_null(0.0).to_numpy()
        return frame.with_columns(pl.Series("f.leak", make(labels, chance)))

    return plant


def of_frame(make: Callable[[pl.DataFrame, np.random.Generator], pl.DataFrame]) -> Plant:
    return make


def copies(frame: pl.DataFrame, chance: np.random.Generator, noise: float = 0.0) -> pl.DataFrame:
    """A fiftieth of the rows again, later, under other names."""
    again = frame.head(frame.height // 4).sample(frame.height // 50, seed=int(chance.integers(99)))
    shift = moment([AS_OF - DAY] * again.height)
    shaken = [
        (pl.col(name) + pl.Series(noise * chance.normal(size=again.height))).alias(name)
        for name in ("f.plain0", "f.plain1", "f.plain2", "f.plain3", "f.skew", "f.tail")
    ]
    again = again.with_columns(
        shift.alias("_at"),
        (shift + pl.duration(hours=1)).alias("_label_at"),
        pl.format("copy of {}", "_entity").alias("_entity"),
        *shaken,
    )
    return pl.concat([frame, again])


def encoded(frame: pl.DataFrame, _: np.random.Generator, *, of: pl.Expr | None = None) -> pl.DataFrame:
    """A category as the mean label of all rows that have it, or of some."""
    rows = frame if of is None else frame.filter(of)
    rows = rows.filter(LABEL.is_not_null())
    means = rows.group_by("f.tail_number").agg(LABEL.mean().alias("f.leak"))
    return frame.join(means, on="f.tail_number", how="left", maintain_order="left")


def filled_in_later(frame: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    """A field that says a lot of the label once it is filled in, a week after; until then it says nothing."""
    noise = pl.Series(chance.normal(size=frame.height))
    told = 1.6 * LABEL.fill_null(0.0) + noise
    old = pl.col("_at") < pl.lit(AS_OF - 20 * DAY).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return frame.with_columns(pl.when(old).then(told).otherwise(noise).alias("f.leak"))


def missing_until_later(frame: pl.DataFrame, chance: np.random.Generator) -> pl.DataFrame:
    noise = pl.Series(chance.normal(size=frame.height))
    old = pl.col("_at") < pl.lit(AS_OF - 5 * DAY).cast(pl.Datetime("us")).dt.replace_time_zone("UTC")
    return frame.with_columns(pl.when(old).then(noise).alias("f.leak"))


def with_labels(rows: TrainingRows, schema: Any) -> TrainingRows:
    return dataclasses.replace(rows, schema=schema)


def beyond(rows: TrainingRows) -> TrainingRows:
    """Categories of a feature that only rows that judge have, learned all the same."""
    fields = [
        replace(field, categories=(*field.categories, "ZZ")) if field.name == "f.carrier" else field
        for field in rows.schema.fields
    ]
    return dataclasses.replace(rows, schema=type(rows.schema)(tuple(fields)))


class Backward(TimeSplit):
    """A split in time whose rows that teach and that judge are the wrong way round."""

    def cut(self, frame: pl.DataFrame, as_of: int) -> Split:
        cut = super().cut(frame, as_of)
        late = frame["_at"] >= frame["_at"].quantile(0.5)
        return dataclasses.replace(cut, train=late, refit=late, valid=late & False, test=~late)


class Forgetful(TimeSplit):
    """A split in time that teaches from labels that were not known when the test window opened."""

    def cut(self, frame: pl.DataFrame, as_of: int) -> Split:
        cut = super().cut(frame, as_of)
        return dataclasses.replace(cut, refit=cut.before, train=cut.before & ~cut.valid)


class Careless(TimeSplit):
    """A split that was asked to keep groups together, and does not."""

    @property
    def groups(self) -> tuple[str, ...]:
        return ("f.carrier",)


PLANTED: dict[str, Planted] = {
    "the label itself": Planted(adds(LABEL), "target", "refused"),
    "the label turned round": Planted(adds(1 - LABEL), "target", "refused"),
    "the label as text": Planted(
        adds(pl.when(LABEL == 1).then(pl.lit("late")).otherwise(pl.lit("punctual"))), "target", "refused"
    ),
    "the label as a boolean": Planted(adds(LABEL == 1), "target", "refused"),
    "the number that the label was cut from": Planted(
        column(lambda label, chance: 15 + np.where(label == 1, 1, -1) * chance.gamma(1.0, 20.0, len(label))),
        "target",
        "refused",
    ),
    "a band of a number": Planted(
        column(
            lambda label, chance: np.where(
                label == 1, chance.uniform(2, 3, len(label)), chance.choice([0.5, 4.5], len(label)) + chance.random()
            )
        ),
        "target",
        "refused",
    ),
    "codes of outcomes": Planted(
        column(lambda label, chance: np.where(label == 1, chance.integers(0, 3, len(label)), 7)), "target", "refused"
    ),
    "a rare label itself": Planted(adds(LABEL), "target", "refused", shape="rare"),
    "the label where it is filled in": Planted(
        of_frame(
            lambda frame, chance: frame.with_columns(
                pl.when(pl.Series(chance.random(frame.height) < 0.6)).then(LABEL * 3 + 1).alias("f.leak")
            )
        ),
        "target",
        "refused",
    ),
    "one of several classes": Planted(adds((LABEL + 7).cast(pl.String)), "target", "refused", shape="classes"),
    "a number itself": Planted(adds(LABEL), "target", "refused", shape="number"),
    "a number under another scale": Planted(adds(-(LABEL**3)), "target", "refused", shape="number"),
    "a number rounded": Planted(adds(LABEL.round(2)), "target", "refused", shape="heavy number"),
    "the label with some noise": Planted(
        column(lambda label, chance: label + chance.normal(0.0, 0.25, len(label))), "too good alone"
    ),
    "the label with errors": Planted(
        column(lambda label, chance: np.where(chance.random(len(label)) < 0.03, 1 - label, label)), "too good alone"
    ),
    "a number with some noise": Planted(
        column(lambda label, chance: label + chance.normal(0.0, 0.1, len(label))), "too good alone", shape="number"
    ),
    "one class told well": Planted(
        column(lambda label, chance: (label == 2) * 4.0 + chance.normal(size=len(label))),
        "too good alone",
        shape="classes",
    ),
    "parity of a number": Planted(
        column(lambda label, chance: 2 * chance.integers(0, 100, len(label)) + label), "too good alone"
    ),
    "set after the event": Planted(
        column(
            lambda label, chance: (
                pl.Series(chance.normal(size=len(label)))
                .to_frame("x")
                .select(pl.when(pl.Series((label == 1) & (chance.random(len(label)) < 0.6))).then("x"))["x"]
            )
        ),
        "nulls tell",
        shape="rare",
    ),
    "null where there is no label": Planted(
        of_frame(
            lambda frame, chance: frame.with_columns(
                pl.when(LABEL.is_not_null()).then(pl.Series(chance.normal(size=frame.height))).alias("f.leak")
            )
        ),
        "known with the label",
        "refused",
        shape="number",
    ),
    "how long the label took": Planted(
        adds((pl.col("_label_at") - pl.col("_at")).dt.total_seconds() / 60), "tells when the label comes"
    ),
    "filled in later": Planted(of_frame(filled_in_later), "relation breaks"),
    "missing until later": Planted(of_frame(missing_until_later), "missing when recent"),
    "mean labels of all rows": Planted(of_frame(encoded), "fitted on test rows", "refused"),
    "a name of each row": Planted(adds("id-" + pl.int_range(pl.len()).cast(pl.String)), "id-like"),
    "a serial number": Planted(adds(pl.int_range(pl.len()) + 4_711), "id-like"),
    "a serial number in another order": Planted(
        of_frame(
            lambda frame, chance: frame.with_columns(
                pl.Series("f.leak", chance.permutation(frame.height).astype(np.int64) + 10_000)
            )
        ),
        "id-like",
    ),
    "a random number of each row": Planted(
        of_frame(
            lambda frame, chance: frame.with_columns(
                pl.Series("f.leak", chance.integers(0, 2**52, frame.height, dtype=np.int64))
            )
        ),
        "id-like",
    ),
    "the time": Planted(adds(pl.col("_at").dt.epoch("s")), "id-like"),
    "rows that judge and teach": Planted(of_frame(copies), "duplicates", feature=""),
    "rows nearly the same": Planted(
        of_frame(lambda frame, chance: copies(frame, chance, noise=1e-4)), "near duplicates", feature=""
    ),
    "what teaches is later": Planted(
        of_frame(lambda frame, _: frame), "train after test", "refused", "", options={"split": Backward("20d", "20d")}
    ),
    "labels not known yet": Planted(
        of_frame(lambda frame, _: frame.with_columns(pl.col("_label_at") + pl.duration(days=3))),
        "train after test",
        "refused",
        "",
        options={"split": Forgetful("20d", None)},
    ),
    "a split by chance": Planted(
        of_frame(lambda frame, _: frame), "train after test", "warned", "", options={"split": Holdout()}
    ),
    "groups cut in two": Planted(
        of_frame(lambda frame, _: frame), "in two parts", "refused", "", options={"split": Careless("20d", "20d")}
    ),
    "entities cut in two": Planted(
        of_frame(lambda frame, _: frame.with_columns(_entity=pl.format("e{}", pl.int_range(pl.len()) % 50))),
        "in two parts",
        "warned",
        "",
        options={"split": Holdout()},
    ),
    "categories of rows that judge": Planted(
        of_frame(lambda frame, _: frame), "fitted on test rows", "refused", "f.carrier", options={"change": beyond}
    ),
}


@pytest.mark.parametrize("name", PLANTED)
def test_a_planted_leak_is_found(name: str) -> None:
    case = PLANTED[name]
    frame = case.plant(honest(case.shape, 1), np.random.default_rng(5))
    found = look(frame, **case.options)
    told = {(one.check, one.feature, one.severity) for one in found}
    assert (case.check, case.feature, case.severity) in told, found
    [said] = [one for one in found if (one.check, one.feature) == (case.check, case.feature)]
    assert case.feature in said.evidence
    assert any(letter.isdigit() for letter in said.evidence)
    other = {one.feature for one in found if one.severity == "refused"} - {case.feature}
    assert not other, found


def test_mean_labels_of_the_rows_that_teach_are_told_apart() -> None:
    frame = honest("even", 1)
    cut = SPLIT.cut(frame, AS_OF)
    leaky = encoded(frame, np.random.default_rng(0), of=cut.refit.to_frame("m")["m"])  # type: ignore[arg-type]
    leaky = leaky.with_columns(pl.col("f.leak").fill_null(frame.filter(cut.refit)["_label"].mean()))
    told = [one for one in look(leaky) if one.check == "target encoding"]
    assert [one.severity for one in told] == ["warned"]


@pytest.mark.parametrize("by", ["median", "mean", "most_frequent"])
def test_a_fill_that_was_learned_from_rows_that_judge(by: Any) -> None:
    frame = honest("even", 1).with_columns(
        pl.when(pl.col("_at") < pl.lit(AS_OF - 20 * DAY).cast(pl.Datetime("us")).dt.replace_time_zone("UTC"))
        .then(pl.col("f.plain3"))
        .otherwise(pl.when(pl.col("f.plain3").is_not_null()).then(99.0))
        .alias("f.plain3")
    )
    preparing = Preparing((impute("f.plain3", by=by),))
    rows = TrainingRows.cut(frame, features_of(frame), SPLIT, AS_OF, needs_valid=False, preparing=preparing)
    honest_lesson = rows.lesson()
    assert look_for_leaks(frame, rows, lesson=honest_lesson) == ()
    whole = {"median": pl.col("f.plain3").median(), "mean": pl.col("f.plain3").mean(), "most_frequent": pl.lit(99.0)}
    value = frame.filter(LABEL.is_not_null()).select(whole[by]).item()
    wrong = dataclasses.replace(
        honest_lesson, imputations=tuple(replace(one, value=value) for one in honest_lesson.imputations)
    )
    [said] = look_for_leaks(frame, rows, lesson=wrong)
    assert (said.check, said.feature, said.severity) == ("fitted on test rows", "f.plain3", "refused")
    assert "it is that of all rows" in said.evidence


def test_weights_that_were_learned_from_other_rows() -> None:
    frame = honest("even", 1)
    preparing = Preparing(weigh=Reweigh("f.flag"))
    rows = TrainingRows.cut(frame, features_of(frame), SPLIT, AS_OF, needs_valid=False, preparing=preparing)
    lesson = rows.lesson()
    assert look_for_leaks(frame, rows, lesson=lesson) == ()
    assert lesson.weighing is not None
    wrong = dataclasses.replace(lesson, weighing=replace(lesson.weighing, rows=len(frame)))
    [said] = look_for_leaks(frame, rows, lesson=wrong)
    assert (said.check, said.severity) == ("fitted on test rows", "refused")


SETS = 24
"""Of each shape."""


@pytest.mark.parametrize("shape", SHAPES)
def test_where_nothing_leaks_alarms_are_no_oftener_than_stated(shape: str) -> None:
    """At a stated level of 99 % over all features together, alarms in 24 sets of a shape: none, or the odd one."""
    alarms = [found for seed in range(SETS) if (found := look(honest(shape, 100 + seed)))]
    # More than two of 24 at a rate of one in a hundred has a probability of 0.2 %.
    assert len(alarms) <= stats.binom.ppf(0.999, SETS, 0.01), alarms


def test_a_feature_as_good_as_allowed_is_not_called_too_good() -> None:
    """Labels normal apart, so that the true ROC AUC is 0.9 to the digit; a hundred sets."""
    distance = np.sqrt(2) * stats.norm.ppf(0.9)
    alarms = 0
    for seed in range(100):
        chance = np.random.default_rng(seed)
        frame = honest("few rows" if seed % 2 else "even", seed, rows=1_000)
        labels = frame["_label"].fill_null(0.0).to_numpy()
        noise = chance.normal(size=len(labels)) + distance * labels
        alarms += any(one.feature == "f.leak" for one in look(frame.with_columns(pl.Series("f.leak", noise))))
    assert alarms <= stats.binom.ppf(0.999, 100, 0.01)


def test_groups_kept_together_and_twins_by_chance_are_no_leak() -> None:
    frame = honest("even", 3)
    assert {one.check for one in look(frame, split=GroupSplit("f.tail_number"))} == {"train after test"}
    coarse = frame.select(
        "_entity", "_at", "_label", "_label_at", "f.flag", "f.carrier", "f.count", pl.col("f.plain0").round(0)
    )
    assert look(coarse) == ()


def test_every_check_is_planted() -> None:
    assert {case.check for case in PLANTED.values()} | {"target encoding", "read too early"} == set(CHECKS)


def severities(found: Sequence[LeakageFinding]) -> dict[str, str]:
    return {one.check: one.severity for one in found}


def test_what_is_done_is_the_projects_choice() -> None:
    frame = adds(LABEL.fill_null(0.0))(honest("even", 1), np.random.default_rng(0))
    assert severities(look(frame)) == {"target": "refused"}
    assert severities(look(frame, rules=Leakage(on="warn"))) == {"target": "warned"}
    assert severities(look(frame, rules=Leakage(allow=["f.leak"]))) == {"target": "allowed"}
    assert severities(look(frame, rules=Leakage(allow=["target"]))) == {"target": "allowed"}
    names = frame.with_columns(pl.int_range(pl.len()).alias("f.leak"))
    assert severities(look(names, rules=Leakage(on="refuse"))) == {"id-like": "refused"}


def test_sampled_it_is_found_as_well() -> None:
    """A rare label is looked at whole, whatever the sample."""
    frame = honest("rare", 2, rows=30_000)
    labels = frame["_label"].fill_null(0.0).to_numpy()
    leaky = frame.with_columns(pl.Series("f.leak", np.where(labels == 1, 5.0, np.random.default_rng(1).random(30_000))))
    assert severities(look(leaky, rules=Leakage(rows=1_000))) == {"target": "refused"}
    assert look(frame, rules=Leakage(rows=1_000)) == ()


def test_rows_at_one_moment_are_judged_in_turn() -> None:
    """Without time nothing is later; a leak is found all the same, and nothing else."""
    frame = honest("even", 4).with_columns(
        pl.col("_at").min(), (pl.col("_at").min() + pl.duration(hours=1)).alias("_label_at")
    )
    frame = frame.sort("_label", nulls_last=True)
    assert look(frame, split=Holdout()) == ()
    noisy = column(lambda label, chance: label + chance.normal(0.0, 0.25, len(label)))(frame, np.random.default_rng(1))
    assert severities(look(noisy, split=Holdout())) == {"too good alone": "warned"}
