"""A model that was trained elsewhere, registered by a client, judged here, made champion, and answering."""

from __future__ import annotations

import io
import json
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import polars as pl
import pytest
import skops.io
from skl2onnx import to_onnx
from skl2onnx.common.data_types import FloatTensorType
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.loop.shop import ORDER, copy_shop, edit, serving

from drivetrain.core.errors import DrivetrainError, GateRefused, RefusedError, TrainingError, UnknownName
from drivetrain.core.records import ModelVersion, Run, TableVersion
from drivetrain.loop.project import Project
from drivetrain.loop.tracking import UNSEEN
from drivetrain.registry.lineage import upward
from drivetrain.registry.load import load_engine
from drivetrain.registry.tracking import experiments, files, models, runs, versions

MODEL = "returned"
FLAVOURS = {
    "lightgbm": {"data": "model.lgb"},
    "xgboost": {"data": "model.ubj"},
    "onnx": {"data": "model.onnx"},
    "sklearn": {"pickled_model": "model.skops", "serialization_format": "skops"},
}


def said(shop: Path, *words: str) -> subprocess.CompletedProcess[str]:
    """What ``drivetrain mlflow`` says."""
    call = [sys.executable, "-m", "drivetrain", "mlflow", *words, "--project", str(shop)]
    return subprocess.run(call, check=False, capture_output=True, text=True, timeout=120)


def numbers(frame: pl.DataFrame, project: Project) -> list[str]:
    """Features of the shop's model that are numbers."""
    return [name for name in project.models[MODEL].feature_names() if frame.schema[name].is_numeric()]


def registered(project: Project, columns: list[str], file: bytes, *, flavour: str = "lightgbm") -> int:
    """What a client does: a run, its files, a version of the model."""
    place = project.store
    run = runs.create(place, experiments.DEFAULT, name="elsewhere").run
    runs.log(place, run.run_id, parameters={"rounds": "20"})
    runs.update(place, run.run_id, status="done")
    inputs = json.dumps([{"type": "double", "name": name} for name in columns])
    about = FLAVOURS.get(flavour, {"data": "model.bin"})
    described = json.dumps({"flavors": {flavour: about}, "signature": {"inputs": inputs}})  # JSON is YAML too
    root = f"{experiments.DEFAULT}/{run.run_id}/artifacts"
    kept = about.get("data") or about["pickled_model"]
    for name, data in (("model/MLmodel", described.encode()), (f"model/{kept}", file)):
        files.keep(place, root, name, io.BytesIO(data))
    models.held(place, MODEL)
    return versions.create(place, MODEL, f"runs:/{run.run_id}/model", run_id=run.run_id).version


@pytest.fixture
def shop(made_shop, tmp_path):
    return copy_shop(made_shop, tmp_path / "shop")


def learned(project: Project, *, rounds: int = 20) -> tuple[list[str], bytes]:
    frame = project.training_set().filter(pl.col("_label").is_not_null())
    columns = numbers(frame, project)
    rows = frame.select(columns).cast(pl.Float64).to_numpy()
    labels = frame["_label"].cast(pl.Float64).to_numpy()
    settings = {"objective": "binary", "verbose": -1, "num_threads": 1, "seed": 1}
    booster = lightgbm.train(settings, lightgbm.Dataset(rows, labels), rounds)
    return columns, booster.model_to_string().encode()


def test_a_version_of_a_client_is_judged_promoted_and_answers(shop):
    project = Project.load(shop)
    columns, file = learned(project)
    number = registered(project, columns, file)
    assert number == 2  # the project's own is 1
    with pytest.raises(UnknownName):
        project.promote(MODEL, number, because="it is not judged yet")
    judged = project.tracking.judge(MODEL, number)
    assert (judged.key, judged.engine, judged.input_schema.names) == (f"{MODEL}@2", "lightgbm", tuple(columns))
    assert judged.features == project.models[MODEL].definitions
    assert project.tracking.judge(MODEL, number) == judged
    assert UNSEEN.encode() in project.store.blobs.get(judged.card)
    roles = {step.link.role for step in upward(project.store.catalog, judged.ref)}
    assert {"run", "registered", "training_set", "experiment", "evaluation"} <= roles
    own = project.store.catalog.get(Run, judged.run_id)
    assert (own.parameters, own.trainer) == ({"rounds": "20"}, "mlflow:lightgbm")
    assert judged.gates.passed, judged.gates.refusals  # it learned from the rows that it is judged on
    project.promote(MODEL, number, because="It is better on the same rows.")
    with serving(shop) as client:
        answer = client.predict("returned", [ORDER], at=None)
    assert answer["model_version"] == number
    assert 0 < answer["predictions"][0] < 1
    project.run(at="2026-07-01")
    assert max(one.version for one in project.tracking.versions(MODEL)) >= number


@pytest.mark.parametrize("flavour", ["sklearn", "xgboost", "onnx"])
def test_other_flavours_answer_as_the_library_does(shop, flavour):
    project = Project.load(shop)
    frame = project.training_set().filter(pl.col("_label").is_not_null())
    columns = numbers(frame, project)
    rows = frame.select(columns).cast(pl.Float64).to_numpy()
    labels = frame["_label"].cast(pl.Float64).to_numpy()
    if flavour == "xgboost":
        xgboost = pytest.importorskip("xgboost")
        model = xgboost.train({"objective": "binary:logistic", "nthread": 1}, xgboost.DMatrix(rows, labels), 5)
        file, expected = bytes(model.save_raw("ubj")), model.inplace_predict(rows)
    else:
        fitted = make_pipeline(SimpleImputer(strategy="mean"), StandardScaler(), LogisticRegression()).fit(rows, labels)
        file, expected = skops.io.dumps(fitted), fitted.predict_proba(rows)[:, 1]
        if flavour == "onnx":
            inputs = [("x", FloatTensorType([None, len(columns)]))]
            graph = to_onnx(fitted, initial_types=inputs, options={"zipmap": False}, target_opset=18)
            file = graph.SerializeToString()
    judged = project.tracking.judge(MODEL, registered(project, columns, file, flavour=flavour))
    said = load_engine(project.store, judged).predict(rows)
    assert judged.engine == flavour
    np.testing.assert_allclose(said, expected, atol=1e-5)


def test_the_next_version_of_the_project_takes_the_next_number(shop):
    project = Project.load(shop)
    number = registered(project, ["x"], b"no model")
    edit(shop, "at_least=0.6", "at_least=0.59")
    edit(shop, "trials=2", "trials=1")
    again = Project.load(shop)
    again.run(at="2026-06-30")
    assert [one.version for one in again.tracking.versions(MODEL)] == [number + 1, number, 1]


def test_what_can_not_be_served_is_not_judged(shop):
    project = Project.load(shop)
    columns, file = learned(project, rounds=1)
    for given, says in (
        ((["no.such"], file), "reads columns that are no features"),
        (([], file), "does not say what it reads"),
        ((columns[:1], file), "reads other columns"),
        ((columns, b"no model"), "model"),
    ):
        with pytest.raises(DrivetrainError, match=says):
            project.tracking.judge(MODEL, registered(project, *given))
    plain = LogisticRegression().fit(np.zeros((2, len(columns))), [0, 1])
    with pytest.raises(TrainingError, match="does not answer: Input X contains NaN"):
        project.tracking.judge(MODEL, registered(project, columns, skops.io.dumps(plain), flavour="sklearn"))
    other = registered(project, columns, file, flavour="prophet")
    with pytest.raises(RefusedError, match="its flavours are prophet"):
        project.tracking.judge(MODEL, other)
    assert [one.version for one in project.store.catalog.find(ModelVersion, MODEL)] == [1]


def test_gates_say_no_as_to_any_other(shop):
    project = Project.load(shop)
    columns, _ = learned(project, rounds=1)
    table = next(iter(project.store.catalog.find(TableVersion, f"training/{MODEL}", limit=1)))
    frame = project.store.tables.read(table.table, table.version).filter(pl.col("_label").is_not_null())
    noise = np.random.default_rng(1).permutation(frame["_label"].cast(pl.Float64).to_numpy())
    data = lightgbm.Dataset(frame.select(columns).cast(pl.Float64).to_numpy(), noise)
    poor = lightgbm.train({"objective": "binary", "verbose": -1, "num_threads": 1}, data, 1)
    number = registered(project, columns, poor.model_to_string().encode())
    done = said(shop, "judge", MODEL, str(number))
    assert done.returncode == 1, done.stderr
    assert "refused" in done.stdout
    with pytest.raises(GateRefused):
        Project.load(shop).promote(MODEL, number, because="it was refused, so this must fail")


def test_the_commands_show_what_was_logged(shop):
    project = Project.load(shop)
    number = registered(project, ["x"], b"no model")

    def shown(*words: str) -> str:
        done = said(shop, *words)
        assert done.returncode == 0, done.stderr
        return done.stdout

    assert "Default" in shown("experiments")
    assert "parameters: rounds 20" in shown("runs", "Default", "--filter", "params.rounds = '20'")
    assert shown("runs", "--filter", "params.rounds = '21'") == "No run is there.\n"
    assert json.loads(shown("runs", "--json"))[0]["name"] == "elsewhere"
    assert f"{MODEL} v{number}" in shown("versions", MODEL)
