"""Drafts of realistic programs: what they say, that they load, and that nothing was run."""

from __future__ import annotations

import json
import pickle
import subprocess
import sys
from pathlib import Path

import lightgbm
import numpy as np
import onnx
import polars as pl
import pytest
import skops.io
from hypothesis import given, settings
from hypothesis import strategies as st
from onnx import TensorProto, helper
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from tests.loop.adopt.programs import CASES, Case, notebook

import drivetrain as dt
from drivetrain.core.errors import DrivetrainError, UnknownName, UsageError
from drivetrain.core.records import Artifact, Run
from drivetrain.loop.adopt.adopt import Adopted
from drivetrain.loop.adopt.program import read_program
from drivetrain.loop.project import Project

RAN = Path("/tmp/drivetrain-adopt-ran")


def adopted(folder: Path, name: str, text: str | bytes) -> tuple[Adopted, Project]:
    place = folder / name
    place.write_bytes(text if isinstance(text, bytes) else text.encode())
    made = dt.adopt(place, folder / "made")
    return made, Project.load(folder / "made")


def features(project: Project) -> list[str]:
    (model,) = project.models.values()
    return [name.partition(".")[2] for name in model.feature_names()]


@pytest.mark.parametrize("case", CASES, ids=[case.name for case in CASES])
def test_a_program_becomes_a_project_that_loads(case: Case, tmp_path):
    made, project = adopted(tmp_path, case.name, case.text)
    assert f"dt.label({next(iter(project.sources))}, {case.label})" in made.project
    assert features(project) == (case.features or ["value"])
    assert f"trainer={case.trainer}," in made.project
    assert project.metric == case.metric
    said = "\n".join(made.unknown)
    for part in case.says:
        assert part in said
    for part in case.draft:
        assert part in made.project
    assert list(project.endpoints)
    assert "TODO" in made.project
    assert not RAN.exists()


def test_the_file_that_a_program_reads_tells_its_columns_and_types(tmp_path):
    (tmp_path / "loans.csv").write_text(
        "loan_id,issued,amount,city,late\n1,2024-01-05,10.5,Ulm,1\n2,2024-01-06,7.0,Bonn,0\n"
    )
    text = (
        "import pandas as pd\nfrom lightgbm import LGBMClassifier\ndf = pd.read_csv('loans.csv')\n"
        "LGBMClassifier().fit(df.drop(columns=['late', 'loan_id', 'issued']), df['late'])\n"
    )
    made, project = adopted(tmp_path, "loans.py", text)
    assert features(project) == ["amount", "city"]
    (source,) = project.sources.values()
    assert {name: column.type for name, column in source.contract.columns.items()} == {
        "amount": "float", "city": "string", "late": "int", "issued": "time", "loan_id": "int",
    }  # fmt: skip
    assert (source.time, source.key) == ("issued", ("loan_id",))
    assert "is a guess" not in made.project


def test_a_draft_whose_file_is_there_runs_to_a_judged_version(tmp_path):
    rng = np.random.default_rng(0)
    size = 3_000
    x = rng.normal(size=size)
    pl.DataFrame(
        {
            "row_id": range(size),
            "at": pl.Series(np.arange(size) * 3_600_000_000 * 2).cast(pl.Datetime("us")),
            "x": x,
            "z": rng.normal(size=size),
            "late": (rng.random(size) < 1 / (1 + np.exp(-2 * x))).astype(int),
        }
    ).write_parquet(tmp_path / "rows.parquet")
    text = (
        "import pandas as pd, numpy as np\nfrom sklearn.linear_model import LogisticRegression\n"
        "df = pd.read_parquet('rows.parquet')\ndf['x2'] = df['x'] ** 2\n"
        "LogisticRegression(C=1.0).fit(df[['x', 'z', 'x2']], df['late'])\n"
    )
    (tmp_path / "work.py").write_text(text)
    made = dt.adopt(tmp_path / "work.py", tmp_path)
    assert made.written == str(tmp_path / "project.py")
    project = Project.load(tmp_path)
    project.run()
    status = project.status()
    assert status["endpoints"][0]["versions"] == {"champion": 1}
    project.store.close()


def kept(made_shop) -> tuple[tuple[bytes, bytes], int]:
    """The text and the graph of a model that LightGBM fitted, and how many trees it has."""
    project = Project.load(made_shop)
    (run,) = project.store.catalog.find(Run, "returned")
    found: Artifact = next(one for one in run.artifacts if one.format == "lightgbm")
    onnx = next((one for one in run.artifacts if one.format == "onnx"), None)
    data = project.store.blobs.get(found.digest), project.store.blobs.get(onnx.digest) if onnx else b""
    trees = int(run.parameters["num_iterations"])
    project.store.close()
    return data, trees


def test_lightgbms_text_tells_features_and_trees(made_shop, tmp_path):
    (text, _), trees = kept(made_shop)
    booster = lightgbm.Booster(model_str=text.decode())
    made, project = adopted(tmp_path, "model.txt", text)
    assert f"LightGBM, {booster.num_trees()} trees" in made.found[0]
    assert booster.num_trees() == trees
    assert f"num_iterations={trees}" in made.project
    assert features(project) == booster.feature_name()


def test_xgboosts_json_tells_features_and_trees(tmp_path):
    model = {
        "learner": {
            "feature_names": ["age", "income"],
            "gradient_booster": {"model": {"trees": [{"id": 0}, {"id": 1}, {"id": 2}], "gbtree_model_param": {}}},
            "objective": {"name": "binary:logistic"},
        },
        "version": [3, 0, 0],
    }
    made, project = adopted(tmp_path, "model.json", json.dumps(model))
    assert made.found[0] == "XGBoost, 3 trees, objective binary:logistic"
    assert features(project) == ["age", "income"]
    assert "dt.XGBoost(num_boost_round=3)" in made.project


def test_onnx_tells_its_inputs_as_the_onnx_library_reads_them(made_shop, tmp_path):
    inputs = [helper.make_tensor_value_info(name, TensorProto.FLOAT, [None, 1]) for name in ("age", "income")]
    output = helper.make_tensor_value_info("out", TensorProto.FLOAT, [None, 2])
    node = helper.make_node("Concat", ["age", "income"], ["out"], axis=1)
    graph = helper.make_graph([node], "g", inputs, [output])
    _, project = adopted(tmp_path, "model.onnx", helper.make_model(graph).SerializeToString())
    assert features(project) == ["age", "income"]
    (_, data), _ = kept(made_shop)
    if data:
        (tmp_path / "trees.onnx").write_bytes(data)
        said = dt.adopt(tmp_path / "trees.onnx")
        assert f"{len(onnx.load_model_from_string(data).graph.node)} nodes" in said.found[0]


def test_skops_tells_features_and_estimator(tmp_path):
    rows = pl.DataFrame({"age": [1.0, 2, 3, 4], "income": [3.0, 2, 1, 5]})
    fitted = make_pipeline(StandardScaler(), LogisticRegression(C=0.3)).fit(rows, [0, 1, 0, 1])
    made, project = adopted(tmp_path, "model.skops", skops.io.dumps(fitted))
    assert features(project) == ["age", "income"]
    assert "dt.Sklearn('sklearn.linear_model.LogisticRegression')" in made.project


class Bomb:
    def __reduce__(self):
        return Path.touch, (RAN,)


@pytest.mark.parametrize("name", ["model.pkl", "model.joblib", "no_suffix", "model.json", "model.txt"])
def test_a_pickle_is_not_opened_whatever_it_is_called(name, tmp_path):
    made, project = adopted(tmp_path, name, pickle.dumps(Bomb()))
    assert "was not opened" in made.unknown[0]
    assert not RAN.exists()
    assert list(project.models)


def test_what_is_none_of_these_is_refused(tmp_path):
    with pytest.raises(UnknownName, match="there is no file"):
        dt.adopt(tmp_path / "nowhere.py")
    for name, text in {
        "a.csv": "a,b\n",
        "b.json": "{}",
        "c.ipynb": "[]",
        "d.ipynb": "no",
        "e.onnx": "\x07",
        "f.skops": "x",
    }.items():
        (tmp_path / name).write_text(text)
        with pytest.raises(UsageError):
            dt.adopt(tmp_path / name)
    (tmp_path / "ok.py").write_text("x = 1")
    (tmp_path / "project.py").write_text("mine")
    with pytest.raises(UsageError, match="is there already"):
        dt.adopt(tmp_path / "ok.py", tmp_path)
    assert (tmp_path / "project.py").read_text() == "mine"


WORDS = st.sampled_from(
    (Path(__file__).parent / "words.txt").read_text().split() + ["\n", "\n    "]  # noqa: RUF005 - reads better so
)


@settings(max_examples=150, deadline=None)
@given(st.lists(WORDS, max_size=30), st.booleans())
def test_whatever_a_program_says_the_draft_is_python_or_it_is_refused_plainly(tmp_path_factory, words, cells):
    folder = tmp_path_factory.mktemp("fuzz")
    text = " ".join(words)
    place = folder / ("x.ipynb" if cells else "x.py")
    place.write_text(notebook(text) if cells else text)
    try:
        dt.adopt(place, folder)
    except DrivetrainError:
        return
    Project.load(folder)


@settings(max_examples=60, deadline=None)
@given(
    st.binary(max_size=200), st.sampled_from([".onnx", ".skops", ".json", ".txt", ".safetensors", ".ipynb", ".py", ""])
)
def test_whatever_bytes_are_read_or_refused(tmp_path_factory, data, suffix):
    place = tmp_path_factory.mktemp("fuzz") / f"x{suffix}"
    place.write_bytes((b"tree\n" if suffix == ".txt" else b"") + data)
    try:
        dt.adopt(place)
    except DrivetrainError:
        return


def test_what_a_function_computes_is_told_though_its_names_are_gone_at_the_end(tmp_path):
    text = """
import pandas as pd
from lightgbm import LGBMClassifier

def prepare(path):
    rows = pd.read_csv(path)
    rows["speed"] = rows["km"] / rows["hours"]
    return rows

def fit(rows):
    wanted = (rows["delay"] >= 15)
    return LGBMClassifier().fit(rows[["speed", "km"]], wanted)

fit(prepare("trips.csv"))
"""
    made, project = adopted(tmp_path, "trips.py", text)
    assert "(pl.col('km') / pl.col('hours')).alias('speed')" in made.project
    assert "dt.label(trips, (pl.col('delay') >= 15))" in made.project
    assert features(project) == ["speed", "km"]


def test_cells_are_told_by_their_number(tmp_path):
    (tmp_path / "n.ipynb").write_text(notebook("x = 1", "y = (", "z = 3"))
    program = read_program(tmp_path / "n.ipynb")
    assert len(program.body) == 2
    assert program.notes[0].startswith("cell 3, line 1 is no Python")


def test_the_command_prints_the_draft_alone_on_stdout(tmp_path):
    (tmp_path / "churn.py").write_text(CASES[0].text)
    done = subprocess.run(
        [sys.executable, "-m", "drivetrain", "adopt", str(tmp_path / "churn.py")],
        check=True,
        capture_output=True,
        text=True,
    )
    compile(done.stdout, "project.py", "exec")
    assert "parted at random" in done.stderr
