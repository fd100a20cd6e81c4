"""Missing values filled: as scikit-learn fills them, by rows that teach alone, the same wherever a version answers."""

from __future__ import annotations

import math
from typing import Any

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.impute import SimpleImputer

from drivetrain.core.errors import TrainingError, UsageError
from drivetrain.core.protocols import FitTask, Trainer
from drivetrain.core.records import Field, InputSchema
from drivetrain.features.encoding import encode
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine
from drivetrain.train.baselines import HistoricalRate
from drivetrain.train.filling import FilledEngine, Filling
from drivetrain.train.fit import importance
from drivetrain.train.impute import Impute, impute, learn, with_constants
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.trainers import LightGBM, Sklearn, XGBoost
from train.world import AS_OF, FEATURES, SPLIT, Tune, train, training_set

NUMBER, FLAG, NAME = Field("n"), Field("b", "boolean"), Field("c", "category", ("AA", "UA"))
SCHEMA = InputSchema((NUMBER, FLAG, NAME))
values = st.one_of(st.none(), st.floats(-1e6, 1e6))
DECLARED = (
    impute("plane.delay", indicator=True),
    impute("request.carrier", by="constant", value="unknown", indicator=True),
    impute(by="mean"),
)


def holes(seed: int = 0) -> pl.DataFrame:
    """A training set with nulls in every column."""
    random = np.random.default_rng(seed + 50)
    frame = training_set(seed=seed)
    return frame.with_columns(
        pl.when(pl.Series(random.random(len(frame)) > 0.15)).then(name).alias(name) for name in FEATURES
    )


@settings(deadline=None)
@given(st.lists(values, min_size=1, max_size=30).filter(lambda row: any(value is not None for value in row)))
def test_the_statistics_are_scikit_learns(column: list[float | None]) -> None:
    rows = np.array([[math.nan if value is None else value] for value in column])
    for by in ("median", "mean", "most_frequent"):
        schema, (told,) = learn(InputSchema((NUMBER,)), [impute(by=by)], rows)  # type: ignore[arg-type]
        golden = SimpleImputer(strategy=by).fit_transform(rows)
        assert Filling(schema).matrix(rows) == pytest.approx(golden)
        assert told.share == pytest.approx(np.isnan(rows).mean())


@settings(deadline=None)
@given(st.lists(st.tuples(values, st.sampled_from([0.0, 1.0, None]), st.sampled_from([0.0, 1.0, None])), min_size=1))
def test_one_row_is_filled_as_many_are(found: list[tuple[float | None, ...]]) -> None:
    rows = np.array([[math.nan if value is None else value for value in row] for row in found], dtype=np.float64)
    fields = (
        Field("n", fill=1.5, indicator=True), Field("b", "boolean", fill=0.0), Field("c", "category", ("AA", "UA")),
    )  # fmt: skip
    filling = Filling(InputSchema(fields))
    many = filling.matrix(rows)
    assert many.shape == (len(rows), 4)
    assert np.array_equal(many, np.array([filling.row(row) for row in rows.tolist()]), equal_nan=True)
    assert np.array_equal(many[:, 3], np.isnan(rows[:, 0]))
    assert not np.isnan(many[:, :2]).any()
    assert np.array_equal(many[:, 2], rows[:, 2], equal_nan=True)


def test_who_names_a_feature_fills_it_the_rest_goes_by_type() -> None:
    declared = [impute(by="most_frequent"), impute("n", by="constant", value=-1), impute(by="mean")]
    rows = np.array([[1.0, 1.0, 1.0], [math.nan, 1.0, 1.0], [3.0, 0.0, 0.0]])
    schema, told = learn(SCHEMA, declared, rows)
    assert [(each.feature, each.by, each.value) for each in told] == [
        ("n", "constant", -1.0), ("b", "most_frequent", 1.0), ("c", "most_frequent", "UA"),
    ]  # fmt: skip
    assert [field.fill for field in schema.fields] == [-1.0, 1.0, 1.0]
    _, told = learn(SCHEMA, [impute()], rows)
    assert [each.feature for each in told] == ["n", "b"]


def test_a_constant_category_may_be_a_new_one() -> None:
    declared = [impute("c", by="constant", value="none")]
    schema = with_constants(SCHEMA, declared)
    assert schema.fields[2].categories == ("AA", "UA", "none")
    learned, _ = learn(schema, declared, np.array([[1.0, 1.0, math.nan]]))
    assert learned.fields[2].fill == 2.0
    assert learned.read.fields[2] == Field("c", "category", ("AA", "UA", "none"))


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"by": "mode"}, "does not know this way"),
        ({"by": "constant"}, "takes a value"),
        ({"value": 3}, "takes a value"),
        ({"by": "constant", "value": math.inf}, "can't fill with this"),
    ],
)
def test_what_can_not_be_asked(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(UsageError, match=words):
        impute("n", **arguments)


def test_what_can_not_be_learned(store: Store) -> None:
    with pytest.raises(TrainingError, match="c can't be filled by median; found a category"):
        learn(SCHEMA, [impute("c")], np.zeros((2, 3)))
    with pytest.raises(TrainingError, match="found a number, and 'none'"):
        learn(SCHEMA, [impute("n", by="constant", value="none")], np.zeros((2, 3)))
    with pytest.raises(TrainingError, match="no median of n to fill in; found null in all 2 rows"):
        learn(SCHEMA, [impute("n")], np.full((2, 3), math.nan))


@pytest.mark.parametrize("teach", ["train", "refit"])
def test_rows_that_judge_change_no_statistic(teach: str) -> None:
    """Whatever they hold: each split learns from its own training rows."""
    frame = holes()
    mask = getattr(SPLIT.cut(frame, AS_OF), teach)
    spoilt = frame.with_columns(
        pl.when(mask).then("plane.delay").otherwise(1e6).alias("plane.delay"),
        pl.when(mask).then("weather.wind").otherwise(-1e6).alias("weather.wind"),
        pl.when(mask).then("request.night").otherwise(pl.lit(value=True)).alias("request.night"),
    )
    found = []
    for each in (frame, spoilt):
        cut = TrainingRows.cut(each, FEATURES, SPLIT, AS_OF, needs_valid=False, preparing=Preparing(DECLARED))
        lesson = cut.lesson(cut.train if teach == "train" else None)
        found.append((lesson.schema, lesson.imputations))
    assert found[0] == found[1]
    whole = TrainingRows.cut(frame, FEATURES, SPLIT, AS_OF, needs_valid=False, preparing=Preparing(DECLARED)).lesson()
    assert (found[0][0] == whole.schema) is (teach == "refit")


def test_a_run_says_what_it_filled(store: Store) -> None:
    frame = holes()
    run = train(store, frame, preparing=Preparing(DECLARED))
    taught = frame.filter(SPLIT.cut(frame, AS_OF).refit)
    told = {each.feature: each for each in run.imputations}
    assert told["plane.delay"].value == pytest.approx(taught["plane.delay"].median())
    assert told["plane.delay"].share == pytest.approx(taught["plane.delay"].null_count() / len(taught))
    assert told["weather.wind"].value == pytest.approx(taught["weather.wind"].mean())
    assert told["request.night"].value == pytest.approx(taught["request.night"].mean())
    assert told["request.carrier"].value == "unknown"
    assert [each.indicator for each in run.imputations] == [True, True, False, False]
    assert set(importance(run)) == set(FEATURES)
    assert sum(importance(run).values()) == pytest.approx(1)
    assert run.run_id != train(store, frame).run_id


TRAINERS: dict[str, Trainer] = {
    "lightgbm": LightGBM(num_iterations=20),
    "xgboost": XGBoost(num_boost_round=20),
    "linear": Sklearn("logistic_regression"),
    "rate": HistoricalRate(by=["request.carrier", "request.night"]),
}


@pytest.mark.parametrize("name", TRAINERS)
def test_every_form_answers_filled_rows_as_the_fit_saw_them(store: Store, name: str) -> None:
    """Packaging's gate passed; then what is opened answers rows with nulls as the model itself answers filled ones."""
    if name == "xgboost":
        pytest.importorskip("xgboost")
    seen: list[FitTask] = []
    inner = TRAINERS[name]

    class Seen:
        name, engine = inner.name, inner.engine
        search_space = inner.search_space

        def __repr__(self) -> str:
            return repr(inner)

        def fit(self, task: FitTask) -> Any:
            seen.append(task)
            self.fitted = inner.fit(task)
            return self.fitted

    trainer = Seen()
    frame = holes()
    run = train(store, frame, trainer=trainer, baselines={}, preparing=Preparing(DECLARED))
    assert run.packaging is not None
    assert run.packaging.chosen is not None
    assert run.input_schema is not None
    raw = encode(frame, run.input_schema)
    assert np.isnan(raw).any()
    assert not any(np.isnan(task.rows).any() for task in seen)
    assert seen[-1].schema == run.input_schema.read
    filled = Filling(run.input_schema).matrix(raw)
    expected = np.asarray(trainer.fitted.predict(filled))
    for artifact in run.artifacts:
        if artifact.format == "background":
            continue
        engine = open_engine(store.blobs, (artifact,), run.input_schema)
        assert isinstance(engine, FilledEngine)
        assert np.max(np.abs(np.asarray(engine.predict(raw)) - expected)) <= run.packaging.tolerance
        explained = engine.explain(raw[:50])
        if explained is not None:
            assert np.asarray(explained).shape == (50, len(FEATURES) + 1)
    engine = open_engine(store.blobs, run.artifacts, run.input_schema)
    encoder = run.input_schema.encoder()
    online = [engine.predict_row(encoder.encode(row)) for row in frame.select(FEATURES).head(200).iter_rows()]
    offline = [engine.predict_row(row) for row in raw[:200].tolist()]
    assert online == offline
    assert np.max(np.abs(np.array(online) - predict_run(store, run, frame)[:200])) <= 1e-6


def test_lightgbm_online_is_offline_bit_for_bit(store: Store) -> None:
    frame = holes()
    run = train(store, frame, preparing=Preparing(DECLARED))
    assert run.input_schema is not None
    engine = open_engine(store.blobs, run.artifacts, run.input_schema)
    encode_row = run.input_schema.encoder().encode
    online = [engine.predict_row(encode_row(row)) for row in frame.select(FEATURES).iter_rows()]
    assert np.array_equal(np.array(online), predict_run(store, run, frame))


def test_an_unseen_category_is_filled_as_a_null_is(store: Store) -> None:
    frame = holes()
    run = train(store, frame, preparing=Preparing((impute("request.carrier", by="most_frequent"),)))
    null = predict_run(store, run, frame.with_columns(pl.lit(None, pl.String).alias("request.carrier")))
    unseen = predict_run(store, run, frame.with_columns(pl.lit("ZZ").alias("request.carrier")))
    assert np.array_equal(null, unseen)


def test_tuning_sees_filled_rows(store: Store) -> None:
    run = train(store, holes(), trainer=LightGBM(), tune=Tune(trials=2, rows=500), preparing=Preparing(DECLARED))
    assert run.status == "done"
    assert len(run.trials) == 2


def test_a_model_that_fills_nothing_is_opened_as_it_is(store: Store) -> None:
    run = train(store)
    assert run.input_schema is not None
    assert run.imputations == ()
    assert not isinstance(open_engine(store.blobs, run.artifacts, run.input_schema), FilledEngine)


def test_an_impute_is_plain_text() -> None:
    assert repr(impute("n")) == repr(Impute(("n",), "median", None, indicator=False))


def test_what_an_indicator_contributes_counts_to_its_feature() -> None:
    class Sum:
        """Adds up what it reads."""

        def predict(self, rows: np.ndarray) -> np.ndarray:
            return np.asarray(rows).sum(axis=1)

        def predict_row(self, row: list[float]) -> float:
            return sum(row)

        def explain(self, rows: np.ndarray) -> np.ndarray:
            return np.column_stack([rows, np.full(len(rows), 0.25)])

    schema = InputSchema(
        (Field("n", fill=2.0, indicator=True), Field("b", "boolean"), Field("m", fill=5.0, indicator=True))
    )
    engine = FilledEngine(Sum(), schema)
    rows = np.array([[math.nan, 1.0, math.nan], [7.0, 0.0, 1.0]])
    assert np.asarray(engine.predict(rows)).tolist() == [10.0, 8.0]
    assert [engine.predict_row(row) for row in rows.tolist()] == [10.0, 8.0]
    assert np.asarray(engine.explain(rows)).tolist() == [[3.0, 1.0, 6.0, 0.25], [7.0, 0.0, 1.0, 0.25]]
