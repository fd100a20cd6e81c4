"""A project that really ran, with two versions of its model to compare."""

from __future__ import annotations

from pathlib import Path

from tests.loop.shop import copy_shop, edit

from drivetrain.core.records import Measure
from drivetrain.loop.diff.said import Code, Data, MetricDifference, Metrics, Predictions, TableChange, VersionDiff
from drivetrain.loop.making import Change
from drivetrain.loop.project import Project

OLD = 'dt.mean("amount", windows=["90d"])'
NEW = 'dt.mean("amount", windows=["60d"]), dt.count(windows=["7d"], name="week")'


def make_rivals(made: Path, folder: Path) -> Path:
    """A copy of a shop that ran, with a second version that reads other features."""
    copy_shop(made, folder)
    edit(folder, OLD, NEW)
    edit(folder, 'valid="21d"', 'valid="20d"')
    project = Project.load(folder)
    project.run(at="2026-06-30")
    project.store.close()
    return folder


def seeded_diff(before: int, after: int, model: str) -> VersionDiff:
    """A comparison that nothing was found out for: the pages must say so, and stay whole."""
    return VersionDiff(
        model=model, before=before, after=after, made=("2013-06-30T18:00:00Z", "2013-10-15T06:00:00Z"),
        data=Data(
            tables=(
                TableChange(table="training/late", before=1, after=2, rows_before=149_000, rows_after=180_000,
                            note="version 1 was erased"),
                TableChange(table="flights", before=6, after=None, rows_before=162_000),
            ),
            rows=(149_000, 180_000),
            window=(("2013-01-01T00:00:00Z", "2013-06-01T00:00:00Z"), ("2013-01-01T00:00:00Z", "2013-09-15T00:00:00Z")),
        ),
        features=(), code=Code(commit=(None, "3f2a" * 10), dirty=(False, True), note="older than the note"),
        configuration=(Change("trainer", "LightGBM()", f"LightGBM({'num_leaves=31, ' * 20})"),), parameters=(),
        environment=(Change("numpy", "2.1.0", None),),
        metrics=Metrics(metrics=(MetricDifference(metric="roc_auc", before=Measure(0.7, 0.6, 0.8, 10)),), note="None."),
        predictions=Predictions(of="none", note="The rows that v1 was trained on can't be read."),
    )  # fmt: skip
