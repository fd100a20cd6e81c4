"""Categories as means: as scikit-learn counts them, from no row's own label, the same wherever a version answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from sklearn.preprocessing import TargetEncoder

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.records import Field, InputSchema
from drivetrain.features.encoding import encode
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine
from drivetrain.train.encode import TargetEncode, Taught, learn_means
from drivetrain.train.impute import impute
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.split.holdout import Holdout
from drivetrain.train.trainers import LightGBM
from train.world import AS_OF, FEATURES, SPLIT, train, training_set

MANY = 40
SCHEMA = InputSchema((Field("n"), Field("c", "category", tuple(f"{at:02}" for at in range(MANY)))))
CARRIER = TargetEncode("request.carrier", smoothing=7)


def world(rows: int = 600) -> tuple[np.ndarray, Taught]:
    random = np.random.default_rng(3)
    codes = random.integers(0, MANY, rows).astype(float)
    codes[random.random(rows) < 0.1] = np.nan
    moments = np.sort(random.integers(0, 300, rows))
    labels = (random.random(rows) < 0.3).astype(float)
    return np.column_stack([random.normal(size=rows), codes]), Taught(labels, moments, moments + random.integers(0, 40))


def test_what_is_served_is_scikit_learns() -> None:
    rows, taught = world()
    known = ~np.isnan(rows[:, 1])
    seen = Taught(taught.labels[known], taught.moments[known], taught.known[known])
    for smoothing in (0.0, 0.5, 7.0):
        schema, _, (told,) = learn_means(
            SCHEMA, [TargetEncode("c", smoothing=smoothing)], rows[known], seen, timed=True
        )
        golden = TargetEncoder(smooth=smoothing, target_type="binary").fit(rows[known, 1:], seen.labels)
        assert schema.fields[1].means[:-1] == pytest.approx(golden.encodings_[0])
        assert schema.fields[1].means[-1] == told.prior == pytest.approx(golden.target_mean_)
    assert schema.read.fields == (Field("n"), Field("c"))


def test_by_time_a_row_reads_labels_known_before_it() -> None:
    rows, taught = world()
    _, own, (told,) = learn_means(SCHEMA, [TargetEncode("c", smoothing=7)], rows, taught, timed=True)
    assert told.by == "time"
    for at, code in enumerate(rows[:, 1]):
        alike = (rows[:, 1] == code) & (taught.known < taught.moments[at])
        expected = (taught.labels[alike].sum() + 7 * told.prior) / (alike.sum() + 7)
        assert own[1][at] == pytest.approx(told.prior if np.isnan(code) else expected)


@pytest.mark.parametrize("by", ["time", "folds"])
def test_no_row_is_told_its_own_label(by: Any) -> None:
    """Turn one label, and what that row reads moves by the prior alone, which moves for all alike."""
    rows, taught = world(200)
    taught = taught._replace(known=taught.moments)  # known at once: at the same moment, not before it
    declared = [TargetEncode("c", smoothing=2, by=by)]
    _, before, (was,) = learn_means(SCHEMA, declared, rows, taught, timed=True)
    for at in range(0, 200, 7):
        turned = taught.labels.copy()
        turned[at] = 1 - turned[at]
        _, after, (now,) = learn_means(SCHEMA, declared, rows, taught._replace(labels=turned), timed=True)
        weight = (after[1][at] - before[1][at]) / (now.prior - was.prior)
        assert 0 < weight <= 1 + 1e-9


def test_by_folds_the_row_s_own_fold_is_left_out() -> None:
    rows, taught = world()
    _, own, _ = learn_means(SCHEMA, [TargetEncode("c", smoothing=0.001, by="folds", folds=3)], rows, taught, timed=True)
    whole = {code: taught.labels[rows[:, 1] == code] for code in range(MANY)}
    for code, labels in whole.items():
        mine = own[1][rows[:, 1] == code]
        assert len(np.unique(mine.round(12))) <= 3
        assert (np.abs(mine - labels.mean()) > 1e-6).any()


def _noise(seed: int, rows: int = 3_000) -> pl.DataFrame:
    """Labels that nothing tells, and a category of five rows each."""
    random = np.random.default_rng(seed)
    frame = training_set(rows, seed=seed)
    names = random.integers(0, rows // 5, rows)
    return frame.with_columns(
        pl.Series("_label", (random.random(rows) < 0.4).astype(float)),
        pl.Series("request.carrier", [f"c{name}" for name in names]),
        pl.Series("plane.delay", random.normal(size=rows)),
    )


@pytest.mark.parametrize("by", ["time", "folds"])
def test_a_category_of_noise_teaches_nothing_where_own_labels_teach_noise(by: Any) -> None:
    """Means that hold a row's own label tell it to whoever learns from them; ours tell next to nothing."""
    ours, naive = [], []
    for seed in range(3):
        frame = _noise(seed)
        data = TrainingRows.cut(
            frame, FEATURES, SPLIT, AS_OF, needs_valid=False,
            preparing=Preparing(encode=(TargetEncode("request.carrier", smoothing=1, by=by),)),
        )  # fmt: skip
        lesson = data.lesson()
        at = lesson.schema.names.index("request.carrier")
        with_own = np.array(lesson.schema.fields[at].means)[data.rows[:, at].astype(int)]
        naive.append(roc_auc_score(lesson.labels, with_own))
        ours.append(roc_auc_score(lesson.labels, lesson.rows[:, at]))
    assert np.mean(naive) > 0.75
    assert 0.47 < np.mean(ours) < 0.53


def test_a_version_answers_alike_everywhere_and_is_made_alike_again(store: Store) -> None:
    declared = Preparing(
        impute=(impute("request.carrier", by="constant", value="none", indicator=True),), encode=(CARRIER,)
    )
    frame = training_set().with_columns(
        pl.when(pl.int_range(pl.len()) % 7 > 0).then("request.carrier").alias("request.carrier")
    )
    run = train(store, frame, preparing=declared)
    assert run.input_schema is not None
    (told,) = run.encodings
    assert (told.feature, told.by, told.categories) == ("request.carrier", "time", 4)
    asked = frame.head(40).with_columns(pl.Series("request.carrier", ["UA", None, "never seen", "AA"] * 10))
    many = predict_run(store, run, asked)
    engine = open_engine(store.blobs, run.artifacts, run.input_schema)
    rows = encode(asked, run.input_schema)
    encoder = run.input_schema.encoder()
    one = [encoder.encode(row) for row in asked.select(FEATURES).rows()]
    assert np.array_equal(rows, np.array(one), equal_nan=True)
    assert np.array_equal(many, np.array([engine.predict_row(row) for row in rows.tolist()]))
    again = train(store, frame, preparing=declared)
    assert [one.digest for one in again.artifacts] == [one.digest for one in run.artifacts]
    assert again.input_schema == run.input_schema
    # A baseline reads categories: means of rows without their own labels would make groups of their own.
    assert run.baseline_schema is not None
    assert not any(field.means for field in run.baseline_schema.fields)
    plain = train(store, frame, preparing=Preparing(impute=declared.impute))
    baseline = "rate by carrier"
    assert [one.digest for one in plain.baselines[baseline]] == [one.digest for one in run.baselines[baseline]]
    assert np.array_equal(
        predict_run(store, run, asked, baseline=baseline), predict_run(store, plain, asked, baseline=baseline)
    )


def test_rows_that_judge_change_no_mean() -> None:
    frame = training_set()
    mask = SPLIT.cut(frame, AS_OF).refit
    spoilt = frame.with_columns(pl.when(mask).then("_label").otherwise(1 - pl.col("_label")).alias("_label"))
    found = [
        TrainingRows.cut(
            one, FEATURES, SPLIT, AS_OF, needs_valid=False, preparing=Preparing(encode=(CARRIER,))
        ).lesson()
        for one in (frame, spoilt)
    ]
    assert found[0].schema == found[1].schema
    assert np.array_equal(found[0].rows, found[1].rows, equal_nan=True)


def test_more_values_are_told_apart_than_a_model_could() -> None:
    frame = _noise(1)
    plain = TrainingRows.cut(frame, FEATURES, SPLIT, AS_OF, needs_valid=False)
    ours = TrainingRows.cut(
        frame, FEATURES, SPLIT, AS_OF, needs_valid=False, preparing=Preparing(encode=(CARRIER,))
    )  # fmt: skip
    assert [len(data.schema.fields[1].categories) > 255 for data in (plain, ours)] == [False, True]


def test_rows_without_times_are_encoded_by_folds() -> None:
    data = TrainingRows.cut(
        training_set(), FEATURES, Holdout(test=0.2, valid=0.1), AS_OF, needs_valid=False,
        preparing=Preparing(encode=(CARRIER,)),
    )  # fmt: skip
    assert [one.by for one in data.lesson().encodings] == ["folds"]


@pytest.mark.parametrize(
    ("features", "asked", "words"),
    [
        ((), {}, "needs the features that it encodes, each once; found none"),
        (("a", "a"), {}, "each once; found a, a"),
        (("a",), {"smoothing": -1}, "smoothing is a number of rows"),
        (("a",), {"by": "chance"}, "knows no such way; found 'chance'"),
        (("a",), {"folds": 1}, "no other fold to learn from"),
    ],
)
def test_what_can_not_be_asked(features: tuple[str, ...], asked: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        TargetEncode(*features, **asked)


def test_what_can_not_be_learned(store: Store) -> None:
    with pytest.raises(
        TrainingError, match=r"feature plane.delay can't be target-encoded; found a number; expected text"
    ):
        train(store, preparing=Preparing(encode=(TargetEncode("plane.delay"),)))
    named = training_set().with_columns(
        pl.when(pl.col("_label") > 0).then(pl.lit("late")).otherwise(pl.lit("fine")).alias("_label")
    )
    third = named.with_columns(
        pl.when(pl.int_range(pl.len()) % 3 == 0).then(pl.lit("early")).otherwise("_label").alias("_label")
    )
    with pytest.raises(TrainingError, match="can't be read as a mean label where the label is"):
        train(store, third, preparing=Preparing(encode=(CARRIER,)), trainer=LightGBM(num_iterations=5), baselines={})
