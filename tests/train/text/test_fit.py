"""Texts from a training set to answers."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace
from sklearn.feature_extraction.text import TfidfVectorizer
from sklearn.linear_model import LogisticRegression
from sklearn.metrics import roc_auc_score

from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.records import Run
from drivetrain.features.encoding import encode
from drivetrain.features.texts import gathered
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine
from drivetrain.train.baselines import HistoricalRate
from drivetrain.train.fit import importance
from drivetrain.train.impute import impute
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing
from drivetrain.train.text import reading as readings
from drivetrain.train.text.tfidf import Tfidf
from drivetrain.train.trainers import LightGBM, Sklearn, TextLinear
from drivetrain.train.tune import Tune
from train.text.messages import training_set
from train.world import train

READ = Preparing(text=(Tfidf("sms.message", most=200),))


def fitted(store: Store, frame: pl.DataFrame, **changes: Any) -> Run:
    task: dict[str, Any] = {
        "model": "spam",
        "features": ("sms.hour", "sms.message"),
        "trainer": TextLinear(C=1.0),
        "baselines": {"rate": HistoricalRate()},
        "preparing": READ,
    }
    return train(store, frame, **(task | changes))


@pytest.fixture(scope="module")
def frame() -> pl.DataFrame:
    return training_set()


@pytest.mark.parametrize(
    "trainer",
    [TextLinear(), LightGBM(num_iterations=30, min_data_in_leaf=5), Sklearn("random_forest", n_estimators=30)],
)
def test_unwanted_messages_are_told(store: Store, frame: pl.DataFrame, trainer: Any) -> None:
    run = fitted(store, frame, trainer=trainer)
    later = frame.tail(200)
    assert roc_auc_score(later["_label"].to_numpy(), predict_run(store, run, later)) > 0.93
    assert np.ptp(predict_run(store, run, later, baseline="rate")) == 0
    assert [field.type for field in run.input_schema.fields] == ["number", "text"]  # type: ignore[union-attr]
    shares = importance(run)
    if isinstance(trainer, Sklearn):
        assert shares == {}
        return
    assert set(shares) == {"sms.hour", "sms.message"}
    assert sum(shares.values()) == pytest.approx(1.0)
    assert shares["sms.message"] > 0.7


def test_a_batch_and_a_row_are_answered_alike(store: Store, frame: pl.DataFrame) -> None:
    run = fitted(store, frame)
    schema = run.input_schema
    assert schema is not None
    engine = open_engine(store.blobs, run.artifacts, schema)
    some = frame.tail(60)
    batch = np.asarray(engine.predict(encode(some, schema)))
    encoder = schema.encoder()
    rows = [encoder.encode(values) for values in some.select(schema.names).iter_rows()]
    assert [engine.predict_row(row) for row in rows] == batch.tolist()
    assert np.array_equal(np.asarray(engine.predict(gathered(rows))), batch)
    assert rows[0][1] == len(some["sms.message"][0])


def test_it_is_the_road_that_scikit_learn_goes(store: Store, frame: pl.DataFrame) -> None:
    """The same vectorizer and the same regression, fitted on the rows that taught, answer alike."""
    run = fitted(store, frame, features=("sms.message",))
    teach = frame.filter(pl.col("_label_at").dt.epoch("us") <= run.train_until).head(run.train_rows)
    texts = [text or "" for text in teach["sms.message"]]
    vectorizer = TfidfVectorizer(min_df=2, max_features=200)
    regression = LogisticRegression(C=1.0, tol=1e-10, max_iter=5_000)
    regression.fit(vectorizer.fit_transform(texts), teach["_label"].to_numpy())
    later = frame.tail(100)
    expected = regression.predict_proba(vectorizer.transform([text or "" for text in later["sms.message"]]))[:, 1]
    assert np.max(np.abs(predict_run(store, run, later) - expected)) < 1e-3


def test_words_are_learned_from_rows_that_teach(store: Store, frame: pl.DataFrame) -> None:
    """A word that comes in the test window alone is in no vocabulary; what is tuned learns from earlier rows still."""
    marked = frame.with_columns(
        pl.when(pl.int_range(pl.len()) >= 800)
        .then(pl.col("sms.message") + " novelty")
        .otherwise(
            pl.when(pl.int_range(pl.len()) >= 600).then(pl.col("sms.message") + " recent").otherwise("sms.message")
        )
        .alias("sms.message")
    )
    run = fitted(store, marked, tune=Tune(trials=2), trainer=TextLinear())
    [kept] = [store.blobs.get(each.digest) for each in run.artifacts if each.format == "tfidf"]
    assert b'"recent"' in kept
    assert b'"novelty"' not in kept
    assert len(run.trials) == 2
    assert run.metrics["valid.roc_auc"] > 0.9


def test_numbers_beside_texts_are_filled(store: Store, frame: pl.DataFrame) -> None:
    gaps = frame.with_columns(pl.when(pl.int_range(pl.len()) % 7 > 0).then("sms.hour").alias("sms.hour"))
    preparing = Preparing((impute(by="median", indicator=True),), None, READ.text)
    run = fitted(store, gaps, trainer=LightGBM(num_iterations=5), preparing=preparing)
    engine = open_engine(store.blobs, run.artifacts, run.input_schema)  # type: ignore[arg-type]
    rows = encode(gaps.tail(70), run.input_schema)  # type: ignore[arg-type]
    explained = np.asarray(engine.explain(rows))
    assert explained.shape == (70, 3)
    assert np.allclose(1 / (1 + np.exp(-explained.sum(axis=1))), np.asarray(engine.predict(rows)))


def test_words_are_told(store: Store, frame: pl.DataFrame) -> None:
    run = fitted(store, frame)
    schema = run.input_schema
    assert schema is not None
    engine: Any = open_engine(store.blobs, run.artifacts, schema)
    row = schema.encoder().encode([9.0, "free prize call me later"])
    [told] = engine.words(gathered([row]))
    [words] = told["sms.message"]
    assert {"'free'", "'prize'"} == {word for word, added in words if added > 0.5}
    assert [abs(added) for _, added in words] == sorted((abs(added) for _, added in words), reverse=True)
    assert len(words) == 5


def test_rows_that_lost_their_texts_are_refused(store: Store, frame: pl.DataFrame) -> None:
    run = fitted(store, frame)
    engine = open_engine(store.blobs, run.artifacts, run.input_schema)  # type: ignore[arg-type]
    rows = encode(frame.head(5), run.input_schema)  # type: ignore[arg-type]
    for lost in (rows[:2], rows.copy(), rows.tolist()):
        with pytest.raises(StoreError, match="lost the texts"):
            engine.predict(np.asarray(lost))
    with pytest.raises(StoreError, match="lost the texts"):
        engine.predict_row([3.0, 12.0])
    assert isinstance(engine.predict_row([3.0, 0.0]), float)  # the empty text is nothing but its length


def test_the_same_again_is_the_same(store: Store, frame: pl.DataFrame) -> None:
    first, again = (fitted(store, frame, seed=3) for _ in range(2))
    assert first.artifacts == again.artifacts
    assert first.run_id == again.run_id
    other = fitted(store, frame, seed=3, preparing=Preparing(text=(Tfidf("sms.message", most=201),)))
    assert other.run_id != first.run_id


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"preparing": Preparing(text=(Tfidf("sms.hour"),))},
            "sms.hour is declared as text, and holds none; found a number",
        ),
        ({"frame": pl.lit("hello").alias("sms.message")}, "every text of sms.message is the same"),
        ({"frame": pl.lit(None, pl.String).alias("sms.message")}, "feature sms.message is null in all"),
        (
            {"frame": pl.int_range(pl.len()).cast(pl.String).alias("sms.message")},
            "no piece of sms.message comes in 2 texts or more",
        ),
    ],
)
def test_what_can_not_be_read_is_said(store: Store, frame: pl.DataFrame, change: dict[str, Any], message: str) -> None:
    changed = frame.with_columns(change.pop("frame")) if "frame" in change else frame
    with pytest.raises(TrainingError, match=message):
        fitted(store, changed, **change)


def test_too_many_columns_are_refused(store: Store, frame: pl.DataFrame, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(readings, "CELLS", 1_000)
    with pytest.raises(TrainingError, match=r"the texts of 798 rows become .* columns: too many to hold") as refused:
        fitted(store, frame)
    assert "most=" in str(refused.value)


def test_without_what_reads_its_texts_it_is_not_opened(store: Store, frame: pl.DataFrame) -> None:
    run = replace(fitted(store, frame), artifacts=fitted(store, frame).artifacts[:1])
    with pytest.raises(StoreError, match=r"nothing says how the texts of sms\.message are read"):
        predict_run(store, run, frame.head(3))
