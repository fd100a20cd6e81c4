"""How answers are read is part of what opens: in every form of a model, and of the run that was fitted."""

from __future__ import annotations

from typing import Any

import numpy as np
import polars as pl
import pytest
from msgspec.structs import replace

from drivetrain.core.errors import StoreError, TrainingError, UsageError
from drivetrain.core.records import Artifact, Decider, Run
from drivetrain.core.records.deciding import Calibration, Reach, Sigmoid
from drivetrain.features.encoding import encode
from drivetrain.store.bundle import Store
from drivetrain.train.artifacts import open_engine
from drivetrain.train.deciding.calibrate import Calibrate
from drivetrain.train.deciding.conformal import Conformal
from drivetrain.train.deciding.deciding import Deciding
from drivetrain.train.deciding.reading import FORMAT, DecidingEngine, Read, keep_decider, load_decider, own
from drivetrain.train.deciding.threshold import Threshold
from drivetrain.train.impute import impute
from drivetrain.train.margin import explaining, probes
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.score import log_loss
from drivetrain.train.split import TimeSplit
from drivetrain.train.split.rolling_origin import RollingOrigin
from drivetrain.train.weigh import ClassWeights
from train.world import FEATURES, SPLIT, Tune, train, training_set

COST = Threshold(cost={"false_positive": 1, "false_negative": 5})
ALL = Deciding(Calibrate(), COST, Conformal(coverage=0.9))
BENT = Preparing(weigh=ClassWeights({True: 9, False: 1}))


class Fixed:
    """An engine that says what it is asked."""

    def __init__(self, width: int = 1) -> None:
        self.width = width

    def predict(self, rows: Any) -> Any:
        return np.asarray(rows)[:, 0] if self.width == 1 else np.asarray(rows)[:, : self.width]

    def predict_row(self, row: Any) -> float | list[float]:
        return float(row[0]) if self.width == 1 else list(row[: self.width])

    def explain(self, rows: Any) -> Any:
        return np.asarray(rows) * 2


def labelled() -> pl.DataFrame:
    """Rows that the run was judged on."""
    frame = training_set(6_000)
    return frame.filter(SPLIT.cut(frame, int(frame["_at"].dt.epoch("us").max()) + 1).test)  # type: ignore[arg-type]


@pytest.fixture
def run(store: Store) -> Run:
    return train(store, training_set(6_000), preparing=BENT, deciding=ALL)


def test_answers_are_calibrated_in_every_form(store: Store, run: Run) -> None:
    assert run.decided is not None
    assert run.input_schema is not None
    assert run.artifacts[-1].format == FORMAT
    assert {"lightgbm", "onnx"} <= {each.format for each in run.artifacts}
    rows = encode(labelled(), run.input_schema)
    decide = run.artifacts[-1]
    said = []
    for artifact in run.artifacts[:-1]:
        engine = open_engine(store.blobs, (artifact, decide), run.input_schema)
        assert isinstance(engine, DecidingEngine)
        said.append(np.asarray(engine.predict(rows)))
        alone = [engine.predict_row(row) for row in rows[:20].tolist()]
        assert alone == pytest.approx(said[-1][:20].tolist(), abs=1e-6)
    assert said[0] == pytest.approx(said[1], abs=1e-4)
    labels = labelled()["_label"].to_numpy()
    bare = predict_run(store, run, labelled(), calibrated=False)
    assert bare.mean() > labels.mean() + 0.15, "weighed by label, it says too much"
    assert predict_run(store, run, labelled()).mean() == pytest.approx(labels.mean(), abs=0.04)
    assert log_loss(labels, predict_run(store, run, labelled())) < log_loss(labels, bare) - 0.05
    assert predict_run(store, run, labelled()).tolist() == pytest.approx(said[0].tolist(), abs=1e-4)


def test_the_margin_is_the_models_own(store: Store, run: Run) -> None:
    assert run.input_schema is not None
    found = explaining(store.blobs, run.artifacts, run.input_schema, probes(run.input_schema))
    assert found is not None
    assert found[1] == "logistic"
    engine = open_engine(store.blobs, run.artifacts, run.input_schema)
    assert own(engine) is not engine
    assert own(own(engine)) is own(engine)


def test_filled_in_before_and_calibrated_after(store: Store) -> None:
    run = train(
        store, training_set(6_000), preparing=Preparing((impute("plane.delay", by="median"),), BENT.weigh), deciding=ALL
    )
    assert predict_run(store, run, labelled()).mean() == pytest.approx(labelled()["_label"].mean(), abs=0.04)


def test_the_rows_that_taught_no_fit_are_those_of_the_split(store: Store) -> None:
    frame = training_set(3_000)
    whole = train(store, frame, deciding=ALL).decided
    assert whole is not None
    cut = SPLIT.cut(frame, whole.until + 20 * 86_400_000_000)
    assert (whole.of, whole.rows) == ("the validation rows", pytest.approx(cut.valid.sum(), abs=40))
    rolling = RollingOrigin(folds=3, test="20d", valid="10d")
    folds = train(store, frame, split=rolling, deciding=ALL).decided
    assert folds is not None
    assert folds.of == "the rows of 3 folds"
    assert folds.rows == pytest.approx(3_000 * 0.3, abs=40)
    assert folds.until <= whole.until


def test_answers_and_labels_of_a_fold_belong_together(store: Store) -> None:
    frame = training_set(2_000)
    rolling = RollingOrigin(folds=2, test="20d", valid="10d")
    rows = TrainingRows.cut(frame, FEATURES, rolling, int(frame["_at"].dt.epoch("us").max()) + 1, needs_valid=True)  # type: ignore[arg-type]
    masks = [fold.valid.filter(rows.split.refit).to_numpy() for fold in rows.split.folds]
    told = rows.unseen([rows.labels[mask] / 2 for mask in masks])
    assert (told.answers * 2).tolist() == told.labels.tolist()
    assert (np.diff(told.ats) >= 0).all()


def test_nothing_declared_changes_nothing(store: Store) -> None:
    frame = training_set()
    plain = train(store, frame)
    assert plain.decided is None
    assert FORMAT not in {each.format for each in plain.artifacts}
    again = train(store, frame, deciding=Deciding())
    assert again.run_id == plain.run_id
    assert Deciding().meaning == []
    ids = {train(store, frame, deciding=one).run_id for one in (ALL, replace_threshold(ALL), Deciding(Calibrate()))}
    assert len(ids | {plain.run_id}) == 4
    schema = plain.input_schema
    assert schema is not None
    assert not isinstance(open_engine(store.blobs, plain.artifacts, schema), DecidingEngine)


def replace_threshold(deciding: Deciding) -> Deciding:
    other = Threshold(cost={"false_positive": 1, "false_negative": 6})
    return Deciding(deciding.calibrate, other, deciding.conformal)


def test_the_same_twice(store: Store, run: Run) -> None:
    again = train(store, training_set(6_000), preparing=BENT, deciding=ALL)
    assert again.artifacts == run.artifacts
    assert again.decided == run.decided


def test_tuned(store: Store) -> None:
    tuned = train(store, training_set(3_000), deciding=Deciding(threshold=COST), tune=Tune(trials=2, rows=500))
    assert tuned.decided is not None
    assert tuned.decided.threshold is not None
    assert 0 < tuned.decided.threshold.value < 0.5


def test_what_follows_from_an_answer() -> None:
    assert DecidingEngine(Fixed(), Decider(threshold=0.3)).read(0.3) == Read(decision=True)
    assert DecidingEngine(Fixed(), Decider(threshold=0.3)).read(0.29) == Read(decision=False)
    reach = Reach(method="residual", coverage=0.9, reach=2.0)
    assert DecidingEngine(Fixed(), Decider(reach=reach)).read(5.0) == Read(None, (3.0, 7.0))
    names = Reach(method="set", coverage=0.9, floors=(0.2, 0.5), classes=("no", "yes"))
    assert DecidingEngine(Fixed(), Decider(threshold=0.3, reach=names)).read(0.6) == Read(True, None, ["no", "yes"])
    bare = DecidingEngine(Fixed(), Decider(calibration=Calibration(method="sigmoid", curves=(Sigmoid(1.0, 0.0),))))
    assert not bare.decides
    assert bare.calibrates
    assert bare.read(0.4) == Read()
    assert bare.predict(np.array([[0.4, 1.0]])).tolist() == pytest.approx([0.4])  # type: ignore[attr-defined]
    assert bare.explain(np.array([[0.4, 1.0]])).tolist() == [[0.8, 2.0]]  # type: ignore[union-attr]
    several = DecidingEngine(Fixed(3), Decider(calibration=Calibration(method="temperature", inverse=0.5)))
    assert sum(several.predict_row([0.7, 0.2, 0.1])) == pytest.approx(1)  # type: ignore[arg-type]


def test_what_is_kept_is_read_again_and_damage_is_told(store: Store) -> None:
    decider = Decider(threshold=0.25, reach=Reach(method="residual", coverage=0.9, reach=1.5))
    artifact = keep_decider(store.blobs, decider)
    assert load_decider(store.blobs, [artifact]) == decider
    assert load_decider(store.blobs, []) is None
    spoilt = Artifact(name="decide.json", format=FORMAT, digest=store.blobs.put(b"{"), size=1)
    with pytest.raises(StoreError, match="how answers are read can't be read"):
        load_decider(store.blobs, [spoilt])
    with pytest.raises(StoreError, match="0000"):
        load_decider(store.blobs, [replace(artifact, digest="0" * len(artifact.digest))])


@pytest.mark.parametrize(
    ("deciding", "said"),
    [
        (Deciding(threshold=COST), "a threshold is for a yes or no, and the label is a number"),
        (Deciding(calibrate=Calibrate()), "can't be calibrated by auto where the label is a number"),
    ],
)
def test_what_does_not_suit_the_label(store: Store, deciding: Deciding, said: str) -> None:
    frame = training_set().with_columns(_label=pl.col("weather.wind") + pl.int_range(pl.len()) * 0.01)
    with pytest.raises(UsageError, match=said):
        train(store, frame, deciding=deciding, baselines={})


def test_without_validation_rows(store: Store) -> None:
    with pytest.raises(TrainingError, match="no row falls into the valid part"):
        train(store, deciding=ALL, split=TimeSplit(test="20d", valid=None))
    one = training_set().with_columns(
        _label=pl.when(pl.col("_at") > pl.col("_at").quantile(0.55)).then(0.0).otherwise("_label")
    )
    with pytest.raises(TrainingError, match="every label of the valid part is the same"):
        train(store, one, deciding=ALL)
    with pytest.raises(TrainingError, match=r"a coverage of 0\.999 can't be learned from so few rows"):
        train(store, deciding=Deciding(conformal=Conformal(coverage=0.999)))
    failed = store.catalog.find(Run, "late")[0]
    assert failed.status == "failed"
    assert "0.999" in failed.error
