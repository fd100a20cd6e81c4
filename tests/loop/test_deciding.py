"""From a score to a decision, from the declaration to what callers, files, cards and archives have of it."""

from __future__ import annotations

import shutil

import jsonschema
import numpy as np
import polars as pl
import pytest
from tests.loop.answers import Told, diabetes, digits, frame_of
from tests.loop.shop import command, serving
from tests.web.conftest import Caller

from drivetrain.core.clock import now
from drivetrain.core.errors import ProjectError, UsageError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.records import Artifact, Evaluation, FairnessReport, ModelVersion, Run
from drivetrain.loop.project import Project
from drivetrain.registry.archive.forms import is_of
from drivetrain.registry.load import load_engine, predict_version
from drivetrain.train.deciding.reading import DecidingEngine
from drivetrain.train.predict import predict_run
from drivetrain.web.app import create_app

DECLARED = (
    'rows="flights", slices=["carrier"], protected=["carrier"], weigh=dt.ClassWeights(), calibrate=dt.Calibrate(), '
    'threshold=dt.Threshold(cost={"false_positive": 1, "false_negative": 8}), conformal=dt.Conformal(coverage=0.9), '
)


def flights() -> Told:
    """Whether a flight is late, of a known chance."""
    chance = np.random.default_rng(3)
    rows = chance.normal(size=(4_000, 3))
    late = chance.random(4_000) < 1 / (1 + np.exp(-(1.5 * rows[:, 0] + rows[:, 1] - 2.5)))
    frame = frame_of(rows, late=late, carrier=chance.choice(["AA", "UA", "B6"], 4_000))
    return Told("late", frame, 'pl.col("late")', more=DECLARED)


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """The project, and what its run printed."""
    folder = flights().write(tmp_path_factory.mktemp("late") / "project")
    printed = command(folder, "run")
    project = Project.load(folder)
    yield project, printed.stdout + printed.stderr
    project.store.close()


def judged(project: Project) -> tuple[Run, Evaluation, ModelVersion, pl.DataFrame]:
    (run,), (evaluation,) = project.store.catalog.find(Run), project.store.catalog.find(Evaluation)
    (version,) = project.store.catalog.find(ModelVersion)
    frame = project.training_set()
    at = frame["_at"].dt.epoch("us")
    return run, evaluation, version, frame.filter((at >= evaluation.since) & (at < evaluation.until))


def asked(project: Project, rows: pl.DataFrame) -> pl.DataFrame:
    (model,) = project.models.values()
    return rows.select(pl.col("_entity").alias("row_id"), *model.request_columns)


def test_the_run_says_what_was_learned(made):
    project, printed = made
    run, _, _, _ = judged(project)
    assert "answers of late: calibrated by" in printed
    assert "acts from 0.1" in printed
    assert run.decided.of == "the validation rows"
    assert run.decided.threshold.exact == pytest.approx(1 / 9)
    assert run.decided.threshold.value == pytest.approx(1 / 9, abs=0.06)
    assert run.weighing.by == ()
    assert {"calibrate", "threshold", "conformal", "weigh"} <= run.making.configuration.keys()


def test_what_judges_it_is_what_is_served(made):
    project, _ = made
    run, evaluation, version, test = judged(project)
    said = predict_version(project.store, version, test)
    assert said.tolist() == predict_run(project.store, run, test).tolist()
    assert evaluation.metrics["mean_prediction"].value == pytest.approx(said.mean())
    gaps = {gap.metric: gap for gap in evaluation.uncalibrated}
    assert gaps["log_loss"].difference.low > 0
    assert evaluation.acting.threshold == run.decided.threshold.value
    never = next(one for one in evaluation.acting.alternatives if one.name == "never")
    assert never.saved.low > 0
    held = evaluation.covering
    assert held.covered.low < 0.96
    assert held.covered.high > 0.9
    assert {part.column for part in held.parts} == {"month", "class", "carrier"}
    (fairness,) = project.store.catalog.find(FairnessReport)
    assert fairness.threshold == evaluation.acting.threshold


def test_the_card_tells_it(made):
    project, _ = made
    _, evaluation, version, _ = judged(project)
    card = project.store.blobs.get(version.card).decode()
    for words in (
        "From its answer to a decision",
        "Its probabilities are calibrated, by",
        "calibration bends them back",
        f"Acting on what scores {evaluation.acting.threshold:.3f} or more costs {evaluation.acting.cost.value:.3f}",
        "for each of the flights; acting on none",
        "Each answer comes with a set that is to hold what comes in 90 % of all cases",
        "How its probabilities were calibrated",
        "By label alone.",
        "it would be 0.111",
    ):
        assert words in card, words


def test_the_dashboard_tells_it(made):
    project, _ = made
    run, evaluation, _, _ = judged(project)
    call = Caller(create_app(project))
    page, of_run = call("/models/late/versions/1").text, call(f"/runs/{run.run_id}").text
    assert "From its answer to a decision" in page
    assert f"Acting on what scores {evaluation.acting.threshold:.3f} or more costs" in page
    assert "By label alone:" in of_run


def test_served_logged_and_watched(made):
    project, _ = made
    run, _, version, test = judged(project)
    rows = asked(project, test.head(40)).to_dicts()
    said = predict_run(project.store, run, test.head(40))
    engine = load_engine(project.store, version)
    assert isinstance(engine, DecidingEngine)
    at = "2026-04-20T00:00:00Z"
    with serving(project.folder, endpoint="late") as client:
        alone = client.predict("late", rows[:1], at=at)
        many = client.predict("late", rows, at=at)
        why = client.call("POST", "/v1/endpoints/late/explain", {"instances": rows[:1], "at": at})
        document = client.call("GET", "/openapi.json")
        whole = client.describe("late")
        client.feedback("late", [{"request_id": many["request_id"], "row": 0, "label": 1}])
    assert alone["predictions"] == pytest.approx(said[:1].tolist(), abs=1e-12)
    assert many["predictions"] == pytest.approx(said.tolist(), abs=1e-6)
    assert many["decisions"] == [value >= engine.threshold for value in many["predictions"]]
    assert many["sets"] == [engine.read(value).classes for value in many["predictions"]]
    assert set(map(len, many["sets"])) <= {1, 2}
    assert "intervals" not in many
    assert (whole["answer"]["threshold"], whole["answer"]["coverage"]) == (engine.threshold, 0.9)
    assert (alone["decisions"], alone["sets"]) == (many["decisions"][:1], many["sets"][:1])
    components = document["components"]
    answer = document["paths"]["/v1/endpoints/late"]["get"]["responses"]["200"]["content"]["application/json"]["schema"]
    for given, schema in ((whole, answer), (many, components["schemas"]["Answer"])):
        exact = {**schema, "components": components, "additionalProperties": False}
        jsonschema.Draft202012Validator(exact).validate(given)
    told = {**components["schemas"]["Explained"], "components": components}
    jsonschema.Draft202012Validator(told).validate(why)
    (row,) = why["explanations"]
    assert row["prediction"] == alone["predictions"][0]
    assert why["unit"] == "log-odds"
    assert row["uncalibrated"] == pytest.approx(1 / (1 + np.exp(-row["margin"])), abs=1e-6)
    assert row["uncalibrated"] > row["prediction"], "weighed by label, the model itself says more"
    project.skew()
    assert project.tick(now()) == []
    traced = project.trace(many["request_id"])
    assert traced["prediction"]["prediction"] == many["predictions"][0]
    assert traced["follows"] == {"decision": many["decisions"][0], "classes": many["sets"][0]}


def test_a_file_has_them_as_columns(made, tmp_path):
    project, _ = made
    run, _, version, test = judged(project)
    asked(project, test).write_parquet(tmp_path / "in.parquet")
    project.predict_batch(None, tmp_path / "in.parquet", tmp_path / "out.parquet")
    found = pl.read_parquet(tmp_path / "out.parquet")
    assert found["prediction"].to_list() == pytest.approx(predict_run(project.store, run, test).tolist())
    engine = load_engine(project.store, version)
    assert found["decision"].to_list() == [engine.read(value).decision for value in found["prediction"]]
    assert found["prediction_set"].to_list() == [engine.read(value).classes for value in found["prediction"]]
    asked(project, test.head(0)).write_parquet(tmp_path / "none.parquet")
    project.predict_batch(None, tmp_path / "none.parquet", tmp_path / "out.parquet")
    assert pl.read_parquet(tmp_path / "out.parquet").schema == found.schema
    asked(project, test.head(2)).with_columns(decision=1).write_parquet(tmp_path / "in.parquet")
    with pytest.raises(UsageError, match=r"columns that scoring makes; found decision"):
        project.predict_batch(None, tmp_path / "in.parquet", tmp_path / "out.parquet")


def test_made_again_and_moved_it_decides_alike(made, tmp_path):
    project, _ = made
    _, _, version, test = judged(project)
    again = project.reproduce(1)
    assert again.verdict == "bits"
    assert "artifact decide.json" in {part.name for part in again.parts}
    project.versions.export(1, tmp_path / "late.zip")
    shutil.copytree(project.folder, tmp_path / "other", ignore=shutil.ignore_patterns(".drivetrain"))
    other = Project.load(tmp_path / "other")
    other.versions.take(tmp_path / "late.zip", because="trained where the rows are")
    theirs = other.store.catalog.find(ModelVersion)[0]
    assert predict_version(other.store, theirs, test).tolist() == predict_version(project.store, version, test).tolist()
    assert load_engine(other.store, theirs).threshold == load_engine(project.store, version).threshold
    other.store.close()


def test_an_archive_whose_decisions_are_spoilt_is_refused(made):
    project, _ = made
    _, _, version, _ = judged(project)
    short = b'{"reach": {"method": "set", "coverage": 0.9, "floors": [0.1]}}'
    for spoilt in (b'{"threshold": "low"}', short, b"\x80\x04."):
        artifact = Artifact("decide.json", "decide", digest_bytes(spoilt), len(spoilt))
        assert not is_of(artifact.format, spoilt)
    kept = version.artifact("decide")
    assert is_of(kept.format, project.store.blobs.get(kept.digest))


def test_numbers_come_with_intervals_and_quantiles_are_moved(tmp_path):
    known = diabetes()
    for name, label, coverage in (
        ("progress", known.label, 0.8),
        ("spread", f'{known.label}, kind="quantile", levels=[0.1, 0.5, 0.9]', 0.8),
    ):
        told = known.but(name=name, label=label, more=f"conformal=dt.Conformal(coverage={coverage})", gates="")
        project = told.run(tmp_path / name)
        run, evaluation, version, test = judged(project)
        held = evaluation.covering
        assert held.method == ("residual" if name == "progress" else "quantile")
        assert held.covered.low < 0.92
        assert held.covered.high > 0.75
        engine = load_engine(project.store, version)
        said = predict_run(project.store, run, test)
        reads = [engine.read(value).interval for value in said.tolist()]
        inside = [low <= label <= high for (low, high), label in zip(reads, test["_label"], strict=True)]
        assert np.mean(inside) == pytest.approx(held.covered.value)
        assert "comes with an interval that is to hold" in project.store.blobs.get(version.card).decode()
        asked(project, test.head(3)).write_parquet(tmp_path / "in.parquet")
        project.predict_batch(None, tmp_path / "in.parquet", tmp_path / "out.parquet")
        found = pl.read_parquet(tmp_path / "out.parquet")
        assert list(zip(found["prediction_low"], found["prediction_high"], strict=True)) == reads[:3]
        assert project.reproduce(1).verdict == "bits", "also where the label says its kind"
        project.store.close()


def test_of_classes(tmp_path):
    project = digits().but(more="calibrate=dt.Calibrate(), conformal=dt.Conformal(coverage=0.97)").run(tmp_path / "d")
    run, evaluation, version, test = judged(project)
    assert [trial.method for trial in run.decided.calibration.trials] == ["temperature", "sigmoid", "isotonic"]
    assert evaluation.covering.covered.value > 0.94
    engine = load_engine(project.store, version)
    said = predict_run(project.store, run, test.head(30))
    labels = map(str, test["_label"].head(30))
    held = [label in engine.read(answer).classes for answer, label in zip(said.tolist(), labels, strict=True)]
    assert np.mean(held) > 0.85
    project.store.close()


@pytest.mark.parametrize(
    ("more", "said"),
    [
        ('threshold=dt.Threshold(cost={"false_positive": 1})', "nobody would ever act"),
        ("threshold=1.5", "the threshold of model 'late' is no probability"),
        (
            'threshold="0.5"',
            "the threshold of model 'late' is no probability; found 0.5; expected 0 to 1, or dt.Threshold",
        ),
        ("conformal=dt.Conformal(coverage=90)", "coverage is a share of the outcomes; found 90"),
        ('calibrate=dt.Calibrate("temperature")', "can't be calibrated by temperature where the label is a yes or no"),
        ("conformal=dt.Conformal()", "learns from validation rows how its answers are read, and its split has none"),
    ],
)
def test_bad_declarations_are_refused_where_they_stand(more, said, tmp_path):
    folder = flights().but(more=more).write(tmp_path / "p")
    text = (folder / "project.py").read_text()
    if "validation" in said:
        text = text.replace('valid="25d"', "valid=None")
    (folder / "project.py").write_text(text.replace('pl.col("late"))', 'pl.col("late") > 0)'))
    with pytest.raises((ProjectError, UsageError), match=said):
        Project.load(folder)


def test_a_number_as_threshold_is_for_fairness_alone(tmp_path):
    project = flights().but(more='protected=["carrier"], threshold=0.25').run(tmp_path / "p")
    run, evaluation, version, _ = judged(project)
    assert run.decided is None
    assert evaluation.acting is None
    (fairness,) = project.store.catalog.find(FairnessReport)
    assert fairness.threshold == 0.25
    assert not isinstance(load_engine(project.store, version), DecidingEngine)
    project.store.close()
