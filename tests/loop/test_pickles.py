"""Pickles: refused in a sentence; opened only where the project trusts them, by digest, and told on the card."""

from __future__ import annotations

import io
import json
import pickle
from pathlib import Path

import joblib
import numpy as np
import polars as pl
import pytest
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from tests.loop.shop import copy_shop
from tests.loop.test_tracking import numbers

from drivetrain.adapters.sklearn.pickled import PickledEngine
from drivetrain.core.errors import CorruptBlob, RefusedError, StoreError
from drivetrain.core.records import Field, InputSchema, ModelVersion
from drivetrain.loop.adopt.adopt import adopt
from drivetrain.loop.project import Project
from drivetrain.loop.tracking import PICKLED
from drivetrain.registry.load import load_engine
from drivetrain.registry.tracking import experiments, files, models, runs, versions

MODEL = "returned"
RAN = Path("/tmp/drivetrain-pickle-ran")


class Bomb:
    def __reduce__(self):
        return Path.touch, (RAN,)


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def trusting(folder: Path, *names: str) -> Project:
    """The project, whose settings trust these models' pickles."""
    path = folder / "drivetrain.toml"
    kept = path.read_text().partition("[models]")[0]
    path.write_text(f"{kept}[models]\ntrust_pickles = {json.dumps(names)}\n")
    return Project.load(folder)


def learned(project: Project) -> tuple[list[str], np.ndarray, object]:
    frame = project.training_set().filter(pl.col("_label").is_not_null())
    columns = numbers(frame, project)
    rows = frame.select(columns).cast(pl.Float64).to_numpy()
    fitted = make_pipeline(SimpleImputer(), LogisticRegression(max_iter=500))
    return columns, rows, fitted.fit(rows, frame["_label"].cast(pl.Float64).to_numpy())


def logged(project: Project, columns: list[str], data: bytes, form: str = "cloudpickle") -> int:
    """What MLflow's client logs of a scikit-learn model that it pickles."""
    place = project.store
    run = runs.create(place, experiments.DEFAULT).run
    said = {
        "flavors": {"sklearn": {"pickled_model": "model.pkl", "serialization_format": form}},
        "signature": {"inputs": json.dumps([{"type": "double", "name": name} for name in columns])},
    }
    for name, content in (("MLmodel", json.dumps(said).encode()), ("model.pkl", data)):
        files.keep(place, f"{experiments.DEFAULT}/{run.run_id}/artifacts", f"model/{name}", io.BytesIO(content))
    models.held(place, MODEL)
    return versions.create(place, MODEL, f"runs:/{run.run_id}/model", run_id=run.run_id).version


def test_by_default_it_is_refused_with_what_to_do_and_nothing_of_it_runs(shop):
    project = Project.load(shop)
    number = logged(project, ["basket.amount"], pickle.dumps(Bomb()))
    with pytest.raises(RefusedError, match=r"it is a pickle, and opening one can run anything: .*skops.*trust_pickles"):
        project.tracking.judge(MODEL, number)
    assert trusting(shop, "another").tracking.versions(MODEL)
    with pytest.raises(RefusedError, match="it is a pickle"):
        trusting(shop, "another").tracking.judge(MODEL, number)
    assert not RAN.exists()


def test_trusted_it_answers_says_so_on_its_card_and_opens_by_digest_alone(shop, made_shop, tmp_path):
    project = Project.load(shop)
    columns, rows, fitted = learned(project)
    number = logged(project, columns, pickle.dumps(fitted))
    project.store.close()
    project = trusting(shop, MODEL)
    again = logged(project, columns, pickle.dumps(fitted))
    assert [one.engine for one in project.tracking.versions(MODEL)[:2]] == ["pickle", ""]
    assert again == number + 1
    judged = project.tracking.judge(MODEL, number)
    assert (judged.engine, judged.artifacts[0].format) == ("pickle", "pickle")
    assert b"runs code of its author" in project.store.blobs.get(judged.card)
    engine = load_engine(project.store, judged)
    assert np.array_equal(engine.predict(rows), fitted.predict_proba(rows)[:, 1])
    assert engine.predict_row(rows[3].tolist()) == fitted.predict_proba(rows[3:4])[0, 1]

    project.versions.export(number, tmp_path / "pickled.zip")
    other = Project.load(copy_shop(made_shop, tmp_path / "other"))
    with pytest.raises(RefusedError, match=r"pickled.zip holds a pickle, 'model.pkl', .* trust_pickles"):
        other.versions.take(tmp_path / "pickled.zip", because="it came by mail")
    assert other.store.catalog.get(ModelVersion, f"{MODEL}@{number}") is None
    other.store.close()
    other = trusting(other.folder, MODEL)
    other.versions.take(tmp_path / "pickled.zip", because="we know who made it")
    assert load_engine(other.store, judged).predict_row(rows[3].tolist()) == engine.predict_row(rows[3].tolist())

    with pytest.raises(RefusedError, match=r"model.pkl is a pickle, .* expected skops or ONNX, .* trust_pickles"):
        load_engine(trusting(shop).store, judged)
    path = project.store.blobs.path(judged.artifacts[0].digest)
    path.chmod(0o644)
    path.write_bytes(pickle.dumps(Bomb()))
    with pytest.raises(CorruptBlob):
        load_engine(project.store, judged)
    assert not RAN.exists()
    assert "pickle" in PICKLED


def test_what_a_pickle_must_hold(tmp_path):
    schema = InputSchema((Field("a"), Field("b")))
    path = tmp_path / "m.pkl"
    rows = np.arange(20.0).reshape(10, 2)
    fitted = LogisticRegression().fit(rows, rows[:, 0] > 9)
    joblib.dump(fitted, path, compress=3)
    assert np.array_equal(PickledEngine(path, schema).predict(rows), fitted.predict_proba(rows)[:, 1])
    with pytest.raises(StoreError, match="reads other columns"):
        PickledEngine(path, InputSchema((Field("a"),)))
    path.write_bytes(pickle.dumps({"not": "a model"}))
    with pytest.raises(StoreError, match="holds no fitted estimator; found dict"):
        PickledEngine(path, schema)
    path.write_bytes(b"cnowhere_at_all\nThing\n.")
    with pytest.raises(StoreError, match="can't be opened: No module named 'nowhere_at_all'"):
        PickledEngine(path, schema)
    path.write_bytes(path.read_bytes()[:5])
    with pytest.raises(StoreError, match="can't be opened"):
        PickledEngine(path, schema)


def test_adopting_a_pickle_says_what_it_is_and_what_to_do(tmp_path):
    path = tmp_path / "churn.pkl"
    path.write_bytes(pickle.dumps(Bomb()))
    words = " ".join(adopt(path, tmp_path / "draft").unknown)
    assert "churn.pkl was not opened. A pickle runs what it says when it is opened" in words
    assert "trust_pickles" in words
    assert not RAN.exists()
