"""Two versions of a shop's model compared, held against what they are when asked by hand."""

from __future__ import annotations

import json
import subprocess

import numpy as np
import pytest
from sklearn.metrics import average_precision_score, roc_auc_score
from tests.loop.shop import command, copy_shop, edit

from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.records import ModelVersion, Run
from drivetrain.features.encoding import encode
from drivetrain.features.label import AT, ENTITY, LABEL
from drivetrain.loop.project import Project
from drivetrain.registry.load import load_engine
from web.rivals import make_rivals


@pytest.fixture(scope="module")
def rivals(made_shop, tmp_path_factory):
    project = Project.load(make_rivals(made_shop, tmp_path_factory.mktemp("rivals") / "shop"))
    yield project
    project.store.close()


@pytest.fixture(scope="module")
def found(rivals):
    return rivals.diff("returned@1", "2")


def asked(project, number, entities):
    """What a version says of rows of its own training set, and its contributions, straight from LightGBM's engine."""
    version = project.store.catalog.get(ModelVersion, f"returned@{number}")
    table, _, at = version.training_set.removeprefix("table:").rpartition("@")
    rows = project.store.tables.read(table, int(at))
    rows = rows.filter(rows[ENTITY].is_in(entities)).sort(ENTITY)
    engine = load_engine(project.store, version)
    inputs = encode(rows, version.input_schema)
    return rows, np.asarray(engine.predict(inputs)), np.asarray(engine.explain(inputs)), version


def test_features_and_configuration_say_what_the_project_changed(found):
    assert {change.name: (change.before is None, change.after is None) for change in found.features} == {
        "history.mean_amount_90d": (False, True),
        "history.mean_amount_60d": (True, False),
        "history.week_7d": (True, False),
    }
    assert [change.name for change in found.configuration] == ["split"]
    assert "valid='21d'" in found.configuration[0].before
    assert found.environment == ()


def test_a_definition_that_keeps_its_name_is_told_by_its_words(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, 'pl.col("returned") == 1, name="returned"', 'pl.col("returned") != 0, name="returned"')
    another = 'label=dt.label(orders, (pl.col("returned") == 1) & (pl.col("amount") > 40))'
    edit(folder, 'label=dt.label(orders, pl.col("returned") == 1)', another)
    project = Project.load(folder)
    project.run(at="2026-06-30")
    said = project.diff(1, 2)
    changed = {change.name: change for change in said.features}
    assert set(changed) == {"history.returned_90d", "history.returned_180d"}
    assert changed["history.returned_90d"].before != changed["history.returned_90d"].after
    assert {change.name for change in said.code.definitions} == {*changed, "label"}
    assert "The label of the same rows is another" in said.metrics.note
    assert all(one.paired is None for one in said.metrics.metrics)


def test_metrics_are_those_of_scikit_learn_on_rows_that_neither_learned_from(rivals, found):
    fence = max(run.train_until for run in rivals.store.catalog.find(Run, "returned"))
    rows = rivals.training_set()
    entities = rows.filter(rows[AT].dt.epoch("us") >= fence)[ENTITY].to_list()
    assert found.metrics.rows == len(entities) == found.predictions.rows
    assert found.predictions.of == "unseen"
    by_name = {one.metric: one for one in found.metrics.metrics}
    for place, number in enumerate((1, 2)):
        frame, said, _, _ = asked(rivals, number, entities)
        for name, truth in (("roc_auc", roc_auc_score), ("average_precision", average_precision_score)):
            assert by_name[name].on_same[place].value == pytest.approx(truth(frame[LABEL].to_numpy(), said), abs=1e-9)
    gain = by_name["roc_auc"].on_same[1].value - by_name["roc_auc"].on_same[0].value
    assert by_name["roc_auc"].paired.value == pytest.approx(gain)
    loss = by_name["log_loss"]
    assert loss.paired.value == pytest.approx(loss.on_same[0].value - loss.on_same[1].value)


def test_predictions_are_what_each_version_says_with_its_own_features(rivals, found):
    said = found.predictions
    entities = [row.entity for row in said.changed]
    answers = [dict(zip((part := asked(rivals, n, entities))[0][ENTITY], part[1], strict=True)) for n in (1, 2)]
    for row in said.changed:
        assert (row.before, row.after) == (answers[0][row.entity], answers[1][row.entity])
    sizes = [abs(row.after - row.before) for row in said.changed]
    assert sizes == sorted(sizes, reverse=True)
    assert sizes[0] == pytest.approx(said.quantiles["1"])
    assert sum(one.rows for one in said.slices if one.column == "basket.category") == said.rows
    whole = sum(one.mean * one.rows for one in said.slices) / said.rows
    assert whole == pytest.approx(said.difference)


def test_causes_are_differences_of_lightgbms_own_contributions(rivals, found):
    row = found.predictions.changed[0]
    added = []
    for number in (1, 2):
        _, _, values, version = asked(rivals, number, [row.entity])
        added.append(dict(zip((*version.input_schema.names, "(base)"), values[0], strict=True)))
    for cause in row.causes:
        assert cause.before == pytest.approx(added[0].get(cause.feature, 0.0))
        assert cause.after == pytest.approx(added[1].get(cause.feature, 0.0))
    gap = {name: added[1].get(name, 0.0) - added[0].get(name, 0.0) for name in {*added[0], *added[1]}}
    assert row.causes[0].feature == max(gap, key=lambda name: abs(gap[name]))
    gone = next(cause for cause in row.causes if cause.feature == "history.mean_amount_90d")
    assert gone.values[1] == "not read"
    assert found.predictions.unit == "log-odds"


def test_a_version_against_itself_is_the_same_everywhere(rivals):
    said = rivals.diff(2, 2)
    assert (said.features, said.configuration, said.parameters, said.environment) == ((), (), (), ())
    assert said.predictions.size == 0.0
    assert said.predictions.changed == ()
    assert all(table.same for table in said.data.tables)


def test_personal_values_are_withheld(made_shop, tmp_path):
    folder = make_rivals(made_shop, tmp_path / "shop")
    edit(
        folder,
        '"order_id": dt.Column("string", nullable=False)',
        '"order_id": dt.Column("string", nullable=False, privacy="personal")',
    )
    edit(folder, '"amount": dt.Column("float", low=0)', '"amount": dt.Column("float", low=0, privacy="personal")')
    project = Project.load(folder)
    said = project.diff(1, 2)
    project.store.close()
    assert {row.entity for row in said.predictions.changed} == {"(withheld)"}
    told = [cause for row in said.predictions.changed for cause in row.causes if "amount" in cause.feature]
    assert told
    assert {value for cause in told for value in cause.values} <= {"(withheld)", "not read"}


def test_names_that_are_none_are_refused_plainly(rivals):
    with pytest.raises(UnknownName, match="has no version 9"):
        rivals.diff(1, 9)
    for name in ("", "x", "@1", "returned@", "-1", "1.0", "²"):
        with pytest.raises(UsageError, match="not the name of a version"):
            rivals.diff(1, name)
    with pytest.raises(UnknownName, match="no such model"):
        rivals.diff("other@1", 2)


def test_the_commit_and_what_was_not_committed_are_on_record(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")

    def git(*words):
        subprocess.run(
            ["git", "-C", folder, "-c", "user.name=a", "-c", "user.email=a@b.c", *words],
            check=True,
            capture_output=True,
        )

    git("init", "-q")
    git("add", "project.py", ".gitignore")
    git("commit", "-qm", "first")
    edit(folder, 'valid="21d"', 'valid="20d"')
    (folder / "beside.py").write_text("NEW = 1\n")
    (folder / "secret.toml").write_text("password = 'x'\n")
    project = Project.load(folder)
    project.run(at="2026-06-30")
    making = project.store.catalog.find(Run, "returned")[0].making
    patch = project.store.blobs.get(making.changes).decode()
    assert '-    split=dt.TimeSplit(test="30d", valid="21d"),' in patch
    assert "+NEW = 1" in patch
    assert "password" not in patch
    head = subprocess.run(["git", "-C", folder, "rev-parse", "HEAD"], check=True, capture_output=True, text=True)
    assert making.commit == head.stdout.strip()
    assert b"numpy==" in project.store.blobs.get(making.lock)
    assert making.machine.threads == 1
    said = project.diff(1, 2)
    assert said.code.commit == (None, making.commit)
    assert said.code.dirty == (False, True)


def test_the_command_says_the_same_in_words_and_in_json(rivals, found):
    told = json.loads(command(rivals.folder, "diff", "1", "2", "--json").stdout)
    assert told["predictions"]["changed"][0]["entity"] == found.predictions.changed[0].entity
    text = command(rivals.folder, "diff", "returned@1", "returned@2").stdout
    assert found.predictions.changed[0].entity in text
    assert "not read" in text
    assert f"the same {found.metrics.rows} rows" in text
    assert command(rivals.folder, "diff", "1", "nine", check=False).returncode == 2
