"""Models that tell other things than a yes or no, from the declaration to the answer."""

from __future__ import annotations

import re

import numpy as np
import polars as pl
import pytest
from sklearn import metrics as golden
from tests.loop.answers import diabetes, digits, offers, strokes
from tests.loop.shop import serving
from tests.web.conftest import Caller

from drivetrain.core.errors import DrivetrainError, ProjectError, TrainingError, UsageError
from drivetrain.core.records import Alias, Evaluation, ModelVersion, Run, Task
from drivetrain.loop.project import Project
from drivetrain.train.predict import predict_run
from drivetrain.web.app import create_app

CLASSES = tuple("0123456789")


def judged(project: Project) -> tuple[Run, Evaluation, ModelVersion, pl.DataFrame]:
    """What came of a run, and the rows it was tested on."""
    (run,) = project.store.catalog.find(Run)
    (evaluation,) = project.store.catalog.find(Evaluation)
    (version,) = project.store.catalog.find(ModelVersion)
    frame = project.training_set()
    at = frame["_at"].dt.epoch("us")
    return run, evaluation, version, frame.filter((at >= evaluation.since) & (at < evaluation.until))


@pytest.fixture(scope="module")
def classes(tmp_path_factory):
    return digits().run(tmp_path_factory.mktemp("digits") / "project")


@pytest.fixture(scope="module")
def numbers(tmp_path_factory):
    return diabetes().run(tmp_path_factory.mktemp("diabetes") / "project")


def test_text_makes_classes_and_figures_are_scikit_learns(classes):
    run, evaluation, version, test = judged(classes)
    assert run.task == version.task == evaluation.task == Task("multiclass", CLASSES)
    said, truth = predict_run(classes.store, run, test), test["_label"].cast(pl.Int64).to_numpy()
    assert said.shape == (len(test), 10) == (evaluation.rows, 10)
    assert evaluation.metric == "log_loss"
    assert evaluation.metrics["log_loss"].value == pytest.approx(golden.log_loss(truth, said, labels=range(10)))
    assert evaluation.metrics["accuracy"].value == pytest.approx(np.mean(said.argmax(axis=1) == truth))
    assert evaluation.metrics["macro_roc_auc"].value == pytest.approx(
        golden.roc_auc_score(truth, said, multi_class="ovr")
    )
    assert all(0.9 < evaluation.metrics[name].low < evaluation.metrics[name].high for name in ("accuracy", "macro_f1"))
    assert np.array_equal(evaluation.confusion, golden.confusion_matrix(truth, said.argmax(axis=1)))
    precision, recall, _, support = golden.precision_recall_fscore_support(truth, said.argmax(axis=1))
    assert [each.precision.value for each in evaluation.classes] == pytest.approx(precision)
    assert [each.recall.value for each in evaluation.classes] == pytest.approx(recall)
    assert [each.count for each in evaluation.classes] == support.tolist()
    sure = [each.recall for each in evaluation.classes if each.recall.value == 1]
    assert [measure.low for measure in sure] == [None] * len(sure), "49 of 49 are not certainty"
    assert evaluation.positives is None
    naive = evaluation.baselines["naive"]
    assert naive["macro_roc_auc"].value == 0.5
    assert naive["log_loss"].value == pytest.approx(np.log(10), abs=0.05)
    assert version.gates.passed
    assert {gap.metric for gap in evaluation.comparisons} >= {"log_loss", "accuracy", "brier"}


def test_a_number_is_told_as_such_and_figures_are_scikit_learns(numbers):
    run, evaluation, version, test = judged(numbers)
    assert run.task == version.task == Task("regression")
    said, truth = predict_run(numbers.store, run, test), test["_label"].to_numpy()
    assert evaluation.metrics["mae"].value == pytest.approx(golden.mean_absolute_error(truth, said))
    assert evaluation.metrics["r2"].value == pytest.approx(golden.r2_score(truth, said))
    assert evaluation.metrics["rmse"].value == pytest.approx(golden.root_mean_squared_error(truth, said))
    assert run.metrics.keys() >= {"valid.mae", "valid.rmse", "valid.r2"}
    assert evaluation.baselines["naive"]["mae"].value > evaluation.metrics["mae"].value
    assert evaluation.metric == "mae"
    (outcome,) = version.gates.outcomes
    assert outcome.gate == "mae against baseline naive"
    assert outcome.reason.startswith("Yes: mean absolute error 4")
    predicted = [one.predicted for one in evaluation.calibration]
    assert predicted == sorted(predicted)
    assert 60 < min(predicted) < max(predicted) < 300


@pytest.mark.parametrize("made", ["classes", "numbers"])
def test_what_is_served_is_what_the_model_itself_says(made, request):
    project = request.getfixturevalue(made)
    run, _, _, test = judged(project)
    (name,) = project.endpoints
    said = predict_run(project.store, run, test.head(70)).tolist()
    rows = test.head(70).select(pl.col("_entity").alias("row_id"), *project.models[name].request_columns).to_dicts()
    with serving(project.folder, endpoint=name) as client:
        alone = client.predict(name, rows[:1], at="2026-04-20T00:00:00Z")
        many = client.predict(name, rows, at="2026-04-20T00:00:00Z")
        told = client.describe(name)["answer"]
    assert told == {"kind": run.task.kind, "classes": list(run.task.classes), "levels": []}
    assert alone["predictions"] == said[:1]
    assert many["predictions"] == pytest.approx(said) if made == "numbers" else many["predictions"] == said
    assert many["model_version"] in {1, "1", f"{name}@1"}


@pytest.mark.parametrize(
    ("made", "card", "page"),
    [
        (
            "classes",
            ["probability of each of 10 classes", "What was taken for what", "right as often as it said"],
            ["log loss was", "What was taken for what", "Macro F1"],
        ),
        ("numbers", ["It gives a number.", "mean of what came"], ["mean absolute error was", "what came on average"]),
    ],
)
def test_card_and_pages_tell_of_what_there_is(made, card, page, request):
    project = request.getfixturevalue(made)
    call = Caller(create_app(project))
    (name,) = project.models
    for words, path in ((card, f"/models/{name}/versions/1/card"), (page, f"/models/{name}/versions/1")):
        told = call(path)
        assert told.status_code == 200
        text = re.sub(r'<div class="meaning".*?</div>', "", told.text)
        for each in words:
            assert each.lower() in text.lower(), (path, each)
        for binary in ("were positive", "positives", "came true", "act on the riskiest", "base rate"):
            assert binary not in text, (path, binary)
    for path in ("/", "/models", f"/endpoints/{name}", "/endpoints"):
        assert call(path).status_code == 200, path


def test_any_of_several_labels(tmp_path):
    run, evaluation, version, test = judged(strokes().run(tmp_path / "project"))
    assert run.task == Task("multilabel", ("bent", "round", "straight"))
    assert evaluation.metric == "micro_average_precision"
    assert evaluation.metrics["micro_f1"].value > 0.9
    assert [each.name for each in evaluation.classes] == ["bent", "round", "straight"]
    assert version.engine == "onnx"
    assert evaluation.rows == len(test)


def test_quantiles(tmp_path):
    told = diabetes().but(label='pl.col("progress"), kind="quantile", levels=[0.1, 0.5, 0.9]')
    project = told.run(tmp_path / "project")
    run, evaluation, _, test = judged(project)
    assert run.task == Task("quantile", levels=(0.1, 0.5, 0.9))
    said = predict_run(project.store, run, test)
    below = test["_label"].to_numpy() <= said[:, 2]
    assert evaluation.metrics["coverage@0.9"].value == pytest.approx(below.mean())
    assert [one.predicted for one in evaluation.calibration] == [0.1, 0.5, 0.9]
    assert Caller(create_app(project))("/models/progress/versions/1/card").text.count("Do its quantiles hold?") == 1
    assert Caller(create_app(project))("/models/progress/versions/1").status_code == 200


def test_an_order(tmp_path):
    project = offers().run(tmp_path / "project")
    run, evaluation, _, test = judged(project)
    said = predict_run(project.store, run, test)
    groups = test["_group"].to_numpy()
    theirs = []
    for one in dict.fromkeys(groups):
        gains = 2.0 ** test["_label"].to_numpy()[groups == one] - 1
        if gains.any():
            theirs.append(golden.ndcg_score([gains], [said[groups == one]], k=10))
    assert evaluation.metrics["ndcg@10"].value == pytest.approx(np.mean(theirs))
    assert evaluation.groups == len(theirs) == evaluation.metrics["ndcg@10"].count
    assert evaluation.metric == "ndcg@10"
    assert Caller(create_app(project))("/models/offers/versions/1/card").status_code == 200


def test_a_class_that_nobody_learned_is_counted_and_named(tmp_path):
    told = digits()
    late = pl.int_range(pl.len()) > pl.len() - 40
    strange = pl.when(late & (pl.int_range(pl.len()) % 4 == 0)).then(pl.lit("%")).otherwise("digit").alias("digit")
    project = told.but(frame=told.frame.with_columns(strange)).run(tmp_path / "project")
    run, evaluation, _, test = judged(project)
    assert run.task.classes == CLASSES
    assert evaluation.unseen == {"%": 10}
    assert evaluation.rows == len(test) - 10
    told_of = Caller(create_app(project))("/models/digit/versions/1/card").text
    assert "never learned, and rows of them are in no figure: % (10)" in told_of


def test_a_champion_of_fewer_classes_is_judged_on_the_same_rows(tmp_path):
    told = digits()
    few = told.frame.with_columns(pl.when(pl.col("digit") == "9").then(pl.lit("4")).otherwise("digit").alias("digit"))
    project = told.but(frame=few).run(tmp_path / "project")
    assert project.store.catalog.get(Alias, "digit:champion").version == 1
    more = told.frame.with_columns(("s" + pl.col("row_id")).alias("row_id"))
    more.write_parquet(project.folder / "raw" / "more.parquet")
    again = Project.load(project.folder)
    again.run()
    evaluation = again.store.catalog.find(Evaluation)[0]
    gap = next(one for one in evaluation.comparisons if one.against == "champion v1" and one.metric == "accuracy")
    assert evaluation.task.classes == CLASSES
    assert gap.theirs < gap.ours


def test_rows_about_the_same_subject_are_drawn_together(tmp_path):
    told = diabetes()
    twice = pl.concat([told.frame, told.frame.with_columns(("t" + pl.col("row_id")).alias("row_id"))]).sort("seen")
    twice = twice.with_columns(patient=pl.col("row_id").str.strip_chars("tr"))
    made = {}
    for drawn in ("", 'bootstrap=dt.Bootstrap(cluster="patient"),'):
        project = told.but(frame=twice, more=drawn, gates="").run(tmp_path / f"project{len(made)}")
        made[drawn] = judged(project)[1]
    by_day, by_patient = made.values()
    assert by_patient.block == "patient"
    assert by_patient.metrics["mae"].value == pytest.approx(by_day.metrics["mae"].value)
    assert by_patient.metrics["mae"].high != by_day.metrics["mae"].high


@pytest.mark.parametrize(
    ("change", "error", "words"),
    [
        ({"gates": 'dt.Gate("roc_auc", at_least=0.7)', "label": 'pl.col("progress"), kind="regression"'}, ProjectError,
         "the gate on ROC AUC does not suit a label that is a number"),
        ({"gates": 'dt.Gate("mae", at_most=50)', "label": 'pl.col("progress") >= 100'}, ProjectError,
         "the gate on mean absolute error does not suit a label that is a yes or no"),
        ({"more": 'tune=dt.Tune(metric="log_loss"),', "label": 'pl.col("progress"), kind="regression"'}, UsageError,
         "log_loss can't be tuned for where the label is a number"),
        ({"more": 'metric="accuracy",', "label": 'pl.col("progress"), kind="regression"'}, ProjectError,
         "the metric of model 'progress' does not suit its label"),
        ({"label": 'pl.col("progress"), kind="guess"'}, ProjectError, "of no known kind"),
        ({"label": 'pl.col("progress"), kind="quantile"'}, ProjectError, "does not say which quantiles"),
        ({"label": 'pl.col("progress"), kind="quantile", levels=[0.9, 0.1]'}, ProjectError, "ascending"),
        ({"label": 'pl.col("progress"), levels=[0.5]'}, ProjectError, "does not say which quantiles"),
        ({"label": 'pl.col("progress"), kind="ranking"'}, ProjectError, "which rows are ranked together"),
        ({"more": ")\nproject.endpoint('one', model=model)\nproject.monitor('one', performance=dt.Performance()",
          "label": 'pl.col("progress"), kind="regression"'}, ProjectError, "does not suit a label that is a number"),
        ({"more": ")\nproject.endpoint('one', model=model)\nproject.monitor('one', performance=dt.Performance()",
          "label": 'pl.col("progress").cast(pl.String)'}, ProjectError, "does not suit a label that is one of several"),
    ],
)  # fmt: skip
def test_what_does_not_suit_the_kind_is_refused_where_it_is_declared(change, error, words, tmp_path):
    with pytest.raises(error, match=words):
        Project.load(diabetes().but(**change).write(tmp_path / "project"))


def spoilt(frame: pl.DataFrame, how: str) -> pl.DataFrame:
    column = frame.columns[-1]
    late = pl.int_range(pl.len()) > pl.len() // 2
    values = {
        "constant": pl.lit(frame[column][0]),
        "infinite": pl.when(pl.int_range(pl.len()) == 3).then(float("inf")).otherwise(column),
        "a class comes late": pl.when((pl.col(column) == "7") & ~late).then(pl.lit("1")).otherwise(column),
        "all strange": pl.when(pl.int_range(pl.len()) >= pl.len() * 3 // 4 + 1).then(pl.lit("%")).otherwise(column),
        "free text": pl.col("row_id"),
    }
    return frame.with_columns(values[how].alias(column))


@pytest.mark.parametrize(
    ("made", "how", "words"),
    [
        (digits, "constant", "every label of the train part is the same"),
        (diabetes, "constant", "every label of the train part is the same"),
        (diabetes, "infinite", "1 labels are not finite; found inf for 'r00003'"),
        (digits, "a class comes late", "no row of the train part has the class '7'"),
        (digits, "free text", "too many classes"),
    ],
)
def test_labels_that_can_not_be_learned_fail_the_run_by_name(made, how, words, tmp_path):
    told = made()
    project = Project.load(told.but(frame=spoilt(told.frame, how), gates="").write(tmp_path / "project"))
    with pytest.raises(DrivetrainError, match=words):
        project.run()
    (run,) = project.store.catalog.find(Run)
    assert run.status == "failed"
    assert words in run.error


def test_a_test_window_of_strange_classes_only_is_refused(tmp_path):
    told = digits()
    project = Project.load(told.but(frame=spoilt(told.frame, "all strange"), gates="").write(tmp_path / "project"))
    with pytest.raises(TrainingError, match="knows the class of none of its"):
        project.run()


def test_numbers_may_be_classes_and_the_projects_metric_stands_where_it_suits(tmp_path):
    told = digits()
    frame = told.frame.with_columns(pl.col("digit").cast(pl.Int64))
    told = told.but(frame=frame, label='pl.col("digit"), kind="multiclass"', metric="accuracy", gates="")
    run, evaluation, _, _ = judged(told.run(tmp_path / "project"))
    assert run.task.classes == CLASSES
    assert evaluation.metric == "accuracy"


def test_what_only_the_values_tell_is_refused_before_anything_is_fitted(tmp_path):
    project = Project.load(diabetes().but(gates='dt.Gate("roc_auc", at_least=0.7)').write(tmp_path / "project"))
    with pytest.raises(ProjectError, match="does not suit a label that is a number"):
        project.run()
    assert project.store.catalog.find(Run) == []
