"""What a project says of leaks and of splits: a refusal leaves the champion where it is, and names what to do."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

import polars as pl
import pytest

import drivetrain as dt
from drivetrain.core.errors import ProjectError, TrainingError
from drivetrain.core.records import ModelVersion, Run
from drivetrain.registry.aliases import champion

BEGIN = datetime(2026, 1, 1, tzinfo=UTC)


def flown(_seen):
    dice = random.Random(3)
    for number in range(2_400):
        out, wind = BEGIN + timedelta(hours=number), dice.gauss(10, 4)
        cancelled, late = dice.random() < 0.05, dice.gauss(wind, 6)
        yield {
            "number": number,
            "plane": f"N{dice.randrange(60)}",
            "wind": wind,
            "out": out,
            "landed": out + timedelta(hours=3),
            "air_time": None if cancelled else dice.gauss(100, 20),
            "delay": None if cancelled else late,
        }


def project_of(folder: Path, *, leaky: bool = False, **settings):
    project = dt.Project("flights", objective="Warn passengers", metric="roc_auc")
    project.folder = folder
    flights = project.source("flights", dt.rows(flown, fresh=lambda: 1), key="number", time="out", available="landed")
    columns = ["wind", "air_time"] if leaky else ["wind"]

    @project.request_features(inputs=dict.fromkeys(columns, "float"))
    def flight(_request: pl.DataFrame) -> list[pl.Expr]:
        return [pl.col(column) for column in columns]

    project.model(
        "late",
        label=dt.label(flights, pl.col("delay") >= 12),
        features=[flight],
        trainer=dt.LightGBM(num_iterations=5),
        **{"split": dt.TimeSplit(test="20d", valid="20d")} | settings,
    )
    return project


def runs(project) -> list[tuple[str, list[str]]]:
    return [
        (run.status, [f"{one.feature} {one.severity}" for one in run.leakage or ()])
        for run in project.store.catalog.find(Run, "late")
    ]


def test_a_refusal_leaves_the_champion_and_allowing_it_goes_on(tmp_path):
    honest = project_of(tmp_path)
    honest.run()
    assert runs(honest) == [("done", [])]
    leaky = project_of(tmp_path, leaky=True)
    with pytest.raises(TrainingError, match=r"flight\.air_time leaks, by the check 'known with the label'"):
        leaky.run()
    assert runs(leaky) == [("failed", ["flight.air_time refused"]), ("done", [])]
    standing = champion(leaky.store, "late")
    assert standing is not None
    assert standing.version == 1
    assert standing.input_schema.names == ("flight.wind",)
    allowed = project_of(tmp_path, leaky=True, leakage=dt.Leakage(allow=["flight.air_time"]))
    allowed.run()
    assert runs(allowed)[0] == ("done", ["flight.air_time allowed"])
    assert "What might give the answer away" in card_of(allowed)


def card_of(project) -> str:
    newest = max(project.store.catalog.find(ModelVersion, "late"), key=lambda one: one.version)
    return project.store.blobs.get(newest.card).decode()


def test_planes_that_judge_teach_nothing(tmp_path):
    """The groups are a column of the label's table that the model does not read."""
    project = project_of(tmp_path, split=dt.GroupSplit("plane", test=0.3, valid=0.2))
    project.run()
    run = project.store.catalog.find(Run, "late")[0]
    assert [(one.check, one.severity) for one in run.leakage] == [("train after test", "warned")]
    frame = project.training_set("late").filter(pl.col("_label").is_not_null())
    cut = project.models["late"].split.cut(frame, run.train_until)
    planes = [set(frame.filter(mask)["plane"]) for mask in (cut.refit, cut.test)]
    assert not planes[0] & planes[1]
    assert run.train_rows == cut.refit.sum()


def test_a_view_that_reads_rows_before_they_are_there_is_told(tmp_path):
    """By hand: every flight lands three hours after it left, so that each row is read three hours too early."""
    project = project_of(tmp_path)
    flights = project.sources["flights"]
    settings = {"entity": dt.Entity("plane", keys=["plane"]), "source": flights, "features": [dt.last("wind")]}
    early = project.feature_view("early", delay="0s", **settings)
    late = project.feature_view("late_too", delay="4h", **settings)
    plain = project.feature_view("plain", **settings)
    model = project.models.pop("late")
    project.model(
        "late", label=model.label, features=[*model.features, early, late, plain], trainer=model.trainer,
        split=model.split,
    )  # fmt: skip
    project.run()
    [told] = project.store.catalog.find(Run, "late")[0].leakage
    assert (told.check, told.feature, told.severity) == ("read too early", "early", "warned")
    assert told.evidence.endswith("before the table says so, in 2,400 of 2,400 rows, by 3h in the middle of them")


def test_what_is_allowed_must_be_there(tmp_path):
    with pytest.raises(ProjectError, match=r"found 'flight\.rain'; expected one of flight\.wind; or a check: target"):
        project_of(tmp_path, leakage=dt.Leakage(allow=["flight.rain"]))


def test_another_split_or_other_rules_are_another_fit(tmp_path):
    made = [
        project_of(tmp_path, **settings).models["late"].fit_digest()
        for settings in (
            {},
            {"split": dt.Holdout()},
            {"split": dt.StratifiedSplit()},
            {"split": dt.GroupSplit("plane")},
            {"split": dt.RollingOrigin(test="20d", valid="20d")},
            {"split": dt.PurgedSplit(test="20d")},
            {"leakage": dt.Leakage(on="warn")},
        )
    ]
    assert len(set(made)) == len(made)
    assert project_of(tmp_path, leakage=dt.Leakage()).models["late"].fit_digest() == made[0]
