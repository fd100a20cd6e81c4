"""A model of classes in service: labels come back by name, are scored, and decide on the version in the shadow."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.loop.answers import digits
from tests.loop.shop import serving

from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.core.errors import RequestError
from drivetrain.core.records import Alias, Decision, Feedback, ModelVersion, MonitorReport, Prediction, Run
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import current, point
from drivetrain.serve.log.columns import feedback_frame, feedback_table, predictions_frame, predictions_table
from drivetrain.train.predict import predict_run

SINCE = micros_of("2026-04-11")
MONITOR = (
    'project.monitor("digit", drift=None, retrain=dt.Retrain(when=["performance"], shadow="7d"), '
    'performance=dt.Performance(metric="accuracy", drop=0.05, also={}, calibration=None, min_labels=50))'
)


@pytest.fixture(scope="module")
def project(tmp_path_factory):
    folder = digits().write(tmp_path_factory.mktemp("told") / "project")
    source = (folder / "project.py").read_text()
    (folder / "project.py").write_text(source.replace('project.monitor("digit")', MONITOR))
    made = Project.load(folder)
    assert made.run().refused == ()
    yield made
    made.store.close()


def test_over_http_a_class_is_told_by_name_and_a_yes_is_refused(project):
    row = project.training_set().head(1)
    asked = row.select(pl.col("_entity").alias("row_id"), *project.models["digit"].request_columns).to_dicts()
    with serving(project.folder, endpoint="digit") as client:
        answer = client.predict("digit", asked, at="2026-04-10T00:00:00Z")
        told = {"request_id": answer["request_id"], "row": 0, "at": "2026-04-10T01:00:00Z"}
        assert client.feedback("digit", [{**told, "label": row["_label"][0]}]) == {"accepted": 1}
        with pytest.raises(RequestError, match="one of several classes; found true"):
            client.feedback("digit", [{**told, "label": True}])
    label = project.trace(answer["request_id"])["feedback"]
    assert label["names"] == [row["_label"][0]]


def test_its_answers_are_scored_and_the_shadow_judged(project):
    (run,) = project.store.catalog.find(Run)
    frame = project.training_set()
    rows = frame.sample(420, seed=1)
    said, truth = predict_run(project.store, run, rows), rows["_label"].to_list()
    first = project.store.catalog.get(ModelVersion, "digit@1")
    project.store.catalog.commit(msgspec.structs.replace(first, version=2, run_id="other"))
    point(project.store, "digit", "shadow", 2, because="a second opinion", actor="loop", at=SINCE)
    worse = np.roll(said, 1, axis=1)
    predictions, labels = [], []
    for number in range(420):
        at = SINCE + number * (DAY // 60)
        for role, version, scores in (("champion", 1, worse[number]), ("shadow", 2, said[number])):
            predictions.append(
                Prediction(
                    request_id=f"q{number}", row=0, endpoint="digit", at=at, logged_at=at, model="digit",
                    version=version, role=role, entity=f"e{number}", request=msgspec.Raw(b"{}"),
                    values=[0.0] * len(first.input_schema.fields), ages=[], prediction=scores.tolist(), latency_us=100,
                )
            )  # fmt: skip
        when = at + HOUR
        labels.append(
            Feedback(
                endpoint="digit",
                label=float("nan"),
                names=[truth[number]],
                at=when,
                logged_at=when,
                entity=f"e{number}",
            )
        )
    project.store.tables.append(predictions_table("digit"), predictions_frame(predictions))
    project.store.tables.append(feedback_table("digit"), feedback_frame(labels))
    project.tick(SINCE + 8 * DAY)
    (report,) = project.store.catalog.find(MonitorReport)
    right = np.mean(worse.argmax(axis=1) == np.array(truth, int))
    assert report.performance["accuracy"].value == pytest.approx(right, abs=0.01)
    assert report.shadow["shadow v2"]["accuracy"].value > 0.9 > report.performance["accuracy"].value
    assert current(project.store, "digit")["champion"] == 2
    because = {
        one.version: one.because for one in project.store.catalog.find(Decision, "digit") if one.what == "promote"
    }
    assert "420 labelled requests" in because[2]
    assert project.store.catalog.get(Alias, "digit:shadow").version is None
