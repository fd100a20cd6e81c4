"""Versions as folders that MLflow's own client loads: each library's, answering as the version does."""

from __future__ import annotations

import json

import numpy as np
import pytest
import skops.io
from msgspec.structs import replace
from sklearn.linear_model import LinearRegression, LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.loop.shop import command, copy_shop

from drivetrain.core.errors import RefusedError, UsageError
from drivetrain.core.records import Artifact, Field, InputSchema, ModelVersion, Run, Task
from drivetrain.loop.mlflow.folder import laid_out
from drivetrain.loop.project import Project
from drivetrain.registry.load import load_engine
from web.mlflow.conftest import run as client

DICE = np.random.default_rng(5)
ROWS = np.round(DICE.normal(size=(300, 3)), 3)
LABELS = (ROWS[:, 0] + DICE.normal(size=300) > 0).astype(float)
SCHEMA = InputSchema((Field("a.x"), Field("a.y"), Field("b z")))


@pytest.fixture
def shop(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    yield loaded
    loaded.store.close()


def version(project: Project, format: str, data: bytes, **changes: object) -> ModelVersion:
    """A version of the shop's whose artifact is this one."""
    own = project.store.catalog.get(ModelVersion, "returned@1")
    run = replace(project.store.catalog.get(Run, own.run_id), run_id=f"of-{format}", input_schema=SCHEMA)
    artifact = Artifact(f"model.{format}", format, project.store.blobs.put(data), len(data))
    project.store.catalog.commit(run)
    engine = {"skops": "sklearn"}.get(format, format)
    made = {"version": 7, "run_id": run.run_id, "artifacts": (artifact,), "engine": engine, "input_schema": SCHEMA}
    return replace(own, **(made | changes))


def sklearn_file(estimator: object, tmp_path) -> bytes:
    skops.io.dump(estimator, tmp_path / "m.skops")
    return (tmp_path / "m.skops").read_bytes()


def xgboost_file() -> bytes:
    xgboost = pytest.importorskip("xgboost")
    data = xgboost.DMatrix(ROWS, LABELS, feature_names=["f0", "f1", "f2"])
    booster = xgboost.train({"objective": "binary:logistic", "nthread": 1, "seed": 1}, data, 7)
    return bytes(booster.save_raw("ubj"))


@pytest.mark.services
def test_the_client_loads_each_and_it_answers_as_the_version_does(shop, mlflow_python, tmp_path):
    own = shop.store.catalog.get(ModelVersion, "returned@1")
    shares = make_pipeline(StandardScaler(), LogisticRegression()).fit(ROWS, LABELS)
    values = LinearRegression().fit(ROWS, ROWS @ [1.0, 2.0, 3.0] + LABELS)
    made = {
        "Booster": own,
        "Pipeline": version(shop, "skops", sklearn_file(shares, tmp_path)),
        "LinearRegression": version(shop, "skops", sklearn_file(values, tmp_path), task=Task("regression")),
    }
    places = []
    for name, one in made.items():
        (tmp_path / name).mkdir()
        for path, data in laid_out(shop, one).files.items():
            (tmp_path / name / path).write_bytes(data)
        places.append(str(tmp_path / name))
    rows = np.round(np.abs(DICE.normal(size=(40, 8))), 2)
    printed = client(mlflow_python, "takes", "file:///nowhere", json.dumps(rows.tolist()), *places).splitlines()
    found = [json.loads(line) for line in printed if line.startswith("{")]
    assert [one["own"] for one in found] == list(made)
    for one, told in zip(made.values(), found, strict=True):
        engine = load_engine(shop.store, one)
        said = engine.predict(rows[:, : len(one.input_schema.fields)])
        if told["own"] == "Booster":
            assert told["said"] == [float(answer).hex() for answer in said]
        else:  # over a frame, whose columns lie apart, sums are taken in another order
            assert np.allclose([float.fromhex(answer) for answer in told["said"]], said, rtol=1e-13, atol=0)


@pytest.mark.services
def test_xgboost_reads_a_frame_by_its_columns_names(shop, mlflow_python, tmp_path):
    one = version(shop, "xgboost", xgboost_file())
    laid = laid_out(shop, one)
    assert laid.flavours == ("xgboost", "python_function")
    for path, data in laid.files.items():
        (tmp_path / path).write_bytes(data)
    printed = client(mlflow_python, "takes", "file:///nowhere", json.dumps(ROWS[:20].tolist()), str(tmp_path))
    told = json.loads(printed.splitlines()[-1])
    assert told["said"] == [float(answer).hex() for answer in load_engine(shop.store, one).predict(ROWS[:20])]


def test_what_would_answer_otherwise_has_no_python_function(shop):
    laid = laid_out(shop, version(shop, "catboost", b"CBM1"))
    assert laid.flavours == ("catboost",)
    assert "gives margins, not probabilities" in laid.note
    assert b'model_type: "CatBoost"' in laid.files["MLmodel"]
    assert laid_out(shop, version(shop, "onnx", b"\x08")).flavours == ("onnx",)


def test_what_stands_around_a_model_is_not_left_out_in_silence(shop):
    own = shop.store.catalog.get(ModelVersion, "returned@1")
    around = replace(own, artifacts=(*own.artifacts, Artifact("around.bin", "around", shop.store.blobs.put(b"x"), 1)))
    laid = laid_out(shop, around)
    assert "python_function" not in laid.flavours
    assert "made of the model's by around, which stays here" in laid.note
    assert "python_function" in laid_out(shop, own).flavours


def test_what_mlflow_can_only_unpickle_is_refused_with_what_to_do(shop):
    with pytest.raises(RefusedError, match=r"no flavour that opens returned@7 .* drivetrain export VERSION --output"):
        laid_out(shop, version(shop, "torch", b"PK"))
    with pytest.raises(RefusedError, match="it was removed"):
        laid_out(shop, version(shop, "torch", b"PK", artifacts=()))


def test_a_folder_that_holds_something_is_left_alone(shop, tmp_path):
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "mine").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        shop.versions.mlmodel(1, tmp_path / "full")
    assert command(shop.folder, "export", "1", "--mlmodel", str(tmp_path / "new")).stdout.startswith(
        str(tmp_path / "new")
    )
    assert {"MLmodel", "model.lgb", "requirements.txt"} <= {one.name for one in (tmp_path / "new").iterdir()}
