"""Features made and chosen by the machine, from the declaration to skew: the shop with more features than it needs."""

from __future__ import annotations

import json

import polars as pl
import pytest
from tests.loop.shop import ORDER, command, copy_shop, edit, make_shop, serving

import drivetrain as dt
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import ModelVersion, Run
from drivetrain.loop.project import Project
from drivetrain.serve.log.columns import predictions_table

VIEWS = """
spread = project.feature_view(
    "spread", entity=customer, source=orders, features=dt.grid("amount", windows=["40d", "60d"], of=["std", "min"])
)
pairs = project.feature_view(
    "pairs",
    of=[history, basket],
    features=dt.interactions(numbers=["basket.amount", "history.mean_amount_90d", "history.count_90d"]),
)
trend = project.feature_view("trend", of=[history], features=dt.ratios(history, "count"))


model = """
CHOICE = """    tune=dt.Tune(trials=2),
    encode=dt.TargetEncode("basket.category"),
    select=dt.Select(rounds=19, rows=1_500, keep=4),
"""


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    folder = make_shop(tmp_path_factory.mktemp("selected") / "shop")
    edit(folder, "\n\nmodel = ", VIEWS)
    edit(folder, "features=[basket, history]", "features=[basket, history, spread, pairs, trend]")
    edit(folder, "    tune=dt.Tune(trials=2),\n", CHOICE)
    done = command(folder, "run")
    return folder, done.stdout + done.stderr


@pytest.fixture
def project(made, tmp_path):
    loaded = Project.load(copy_shop(made[0], tmp_path / "shop"))
    yield loaded
    loaded.store.close()


@pytest.fixture
def record(project):
    run = project.store.catalog.find(Run, "returned")[0]
    assert run.selection is not None
    return run


def test_the_run_says_what_it_kept_and_the_version_reads_no_more(made, project, record):
    kept = record.selection.kept
    assert 1 <= len(kept) <= 4
    assert len(record.selection.features) == len(project.models["returned"].feature_names()) == 22
    assert record.selection.summary in made[1]
    version = project.store.catalog.get(ModelVersion, "returned@1")
    assert version.input_schema.names == kept
    assert version.features.keys() == {name.partition(".")[0] for name in kept}
    assert "basket.category" in record.baseline_schema.names
    card = project.store.blobs.get(version.card).decode()
    assert f"{record.selection.summary}, chosen by null importance" in card
    assert all(f"<code>{one.feature}</code>" in card for one in record.selection.features)


def test_what_is_served_is_what_a_training_set_has(project, record):
    project.store.close()
    with serving(project.folder) as client:
        customers = [*(f"c{number:03d}" for number in range(8)), "nobody yet"]
        for number, customer in enumerate(customers):
            order = {**ORDER, "order_id": f"new-{number}", "customer": customer}
            answer = client.predict("returned", [order], at=f"2026-06-{15 + number}T12:00:00Z")
        told = json.loads(command(project.folder, "trace", answer["request_id"], "--json").stdout)
    assert tuple(feature["name"] for feature in told["features"]) == record.selection.kept
    again = Project.load(project.folder)
    found = again.skew()
    assert found["mismatches"] == {}
    assert found["values"] == len(customers) * len(record.selection.kept)
    logged = again.store.tables.read(predictions_table("returned"))
    assert {len(values) for values in logged["values"].to_list()} == {len(record.selection.kept)}
    again.store.close()


@pytest.mark.slow
def test_it_is_made_again_to_the_byte(project):
    found = project.reproduce("returned@1")
    assert found.verdict == "bits"
    assert {part.name: part.equal for part in found.parts}["features kept"]


def test_a_definition_that_was_left_out_may_change_and_the_version_serves_on(project, record):
    left = next(view for view in ("spread", "trend", "pairs") if f"{view}." not in " ".join(record.selection.kept))
    edit(
        project.folder,
        *{
            "spread": ('windows=["40d", "60d"]', 'windows=["40d", "50d"]'),
            "trend": ('dt.ratios(history, "count")', "dt.ratios(history)"),
            "pairs": ('"history.count_90d"]', '"history.count_30d"]'),
        }[left],
    )
    changed = Project.load(project.folder)
    version = changed.store.catalog.get(ModelVersion, "returned@1")
    now = changed.models["returned"].definitions
    assert now[left] != project.models["returned"].definitions[left]
    assert all(now[name] == digest for name, digest in version.features.items())
    asked, answered = project.folder / "asked.csv", project.folder / "answered.parquet"
    pl.DataFrame([{**ORDER, "order_id": f"new-{at}", "customer": f"c{at:03}"} for at in range(9)]).write_csv(asked)
    told = []
    for source in ("online", "offline"):
        changed.predict_batch("returned", asked, answered, at="2026-06-20", features=source)
        told.append(pl.read_parquet(answered)["prediction"].to_list())
    assert told[0] == told[1]
    assert len(set(told[0])) > 1
    changed.store.close()


@pytest.mark.slow
def test_diff_says_what_one_reads_and_the_other_left_out(project, record):
    edit(project.folder, "keep=4", f"keep={len(record.selection.kept) - 1 or 1}, level=0.9")
    later = Project.load(project.folder)
    later.run()
    said = later.diff(1, 2)
    assert any(change.name == "select" for change in said.configuration)
    both = {change.name: (change.before, change.after) for change in said.features}
    other = later.store.catalog.get(ModelVersion, "returned@2")
    for name in set(record.selection.kept) ^ set(other.input_schema.names):
        assert any("left out" in (side or "") for side in both[name])
    assert other.input_schema.names != record.input_schema.names
    later.store.close()


@pytest.mark.parametrize(
    ("asked", "words"),
    [
        ({"encode": dt.TargetEncode("basket.shop")}, "encodes a feature it does not have; found 'basket.shop'"),
        (
            {"encode": [dt.TargetEncode("basket.category"), dt.TargetEncode("basket.category", smoothing=1)]},
            "encodes a feature twice; found 'basket.category'",
        ),
        ({"select": dt.Select(always=["basket.shop"])}, "always reads a feature it does not have; found 'basket.shop'"),
    ],
)
def test_what_can_not_be_declared(made, tmp_path, asked, words):
    project = Project.load(copy_shop(made[0], tmp_path / "shop"))
    declared = project.models["returned"]
    with pytest.raises(ProjectError, match=words):
        project.model(
            "other", label=declared.label, features=declared.features, trainer=declared.trainer, split=declared.split,
            **asked,
        )  # fmt: skip
    project.store.close()
