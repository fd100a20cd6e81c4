"""Months played by several sets of rules: which were better, what they cost, and whether they beat what needs none."""

from __future__ import annotations

import re
import sys

import msgspec
import polars as pl
import pytest
from sklearn.metrics import roc_auc_score
from tests.docs.executed import REPOSITORY, squeezed, write
from tests.loop.shop import command, free_port

from drivetrain.core.clock import datetime_of, micros_of
from drivetrain.core.errors import ProjectError, UnknownName, UsageError
from drivetrain.loop.project import Project
from drivetrain.monitor.spec import Alternative, Monitor, Retrain
from drivetrain.serve.log.columns import predictions_table
from drivetrain.store.bundle import open_store

SINCE, UNTIL = "2026-02-10", "2026-03-24"
PAGE = REPOSITORY / "docs" / "policies.md"


@pytest.fixture(scope="module")
def clicks(tmp_path_factory):
    """The page's own project: after a while something else decides, and who never learns anew knows nothing then on."""
    folder = tmp_path_factory.mktemp("clicks")
    for about, text in re.findall(
        r"^```python file=(\S+)\n(.*?)^```$", PAGE.read_text("utf-8"), re.MULTILINE | re.DOTALL
    ):
        write(folder / about, text)
    made = folder / "clicks"
    (made / "drivetrain.toml").write_text(f"[serve]\nport = {free_port()}\n[compute]\nthreads = 1\n")
    yield made
    for name in ("world", "project"):
        sys.modules.pop(name, None)


@pytest.mark.slow
def test_who_learns_anew_is_better_where_the_world_turns_and_the_table_says_so(clicks):
    told = msgspec.json.decode(
        command(clicks, "replay", "--compare", "static", "anew", "--since", SINCE, "--until", UNTIL, "--json").stdout
    )
    table = {row["name"]: row for row in told["table"]}
    assert list(table) == [
        "static",
        "anew",
        "what came last",
        "the share so far",
        "the first version",
        "last week's model",
    ]
    assert told["best"] == "anew"
    assert told["words"][0].startswith("anew is surely better on ROC AUC: +0.")
    assert "anew does not surely beat what needs no rules: -0." in told["words"][2], "a week's rows told more"
    assert table["last week's model"]["figure"]["value"] > table["anew"]["figure"]["value"]
    assert table["static"]["retrainings"] == 0 < table["anew"]["promotions"] <= table["anew"]["retrainings"]
    assert table["static"]["fit_seconds"] == 0 < table["anew"]["fit_seconds"]
    assert sum(table["static"]["alerts"].values()) >= 1, "its fall is told of, though nothing comes of it"
    assert table["static"]["figure"]["value"] == pytest.approx(table["the first version"]["figure"]["value"], abs=1e-9)
    assert table["what came last"]["figure"]["value"] == pytest.approx(0.5, abs=0.1)
    assert list(table["anew"]["months"]) == ["2026-02", "2026-03"]
    assert not (clicks / ".drivetrain" / "catalog.db").exists(), "the project's own state is left alone"
    (place,) = (clicks / ".drivetrain" / "compare").iterdir()
    (static,) = place.glob("static.*")
    store = open_store(Project.load(static).settings.store, static)
    said = store.tables.read(predictions_table("clicked")).filter(pl.col("role") == "champion")
    store.close()
    world = sys.modules["world"].every().select(entity="click", truth="clicked", known="known")
    judged = said.join(world, on="entity").filter(pl.col("known") < datetime_of(micros_of(UNTIL)))
    assert table["static"]["figure"]["value"] == pytest.approx(roc_auc_score(judged["truth"], judged["prediction"]))
    again = command(clicks, "replay", "clicked", "--compare", "static", "anew", "--since", SINCE, "--until", UNTIL)
    table = PAGE.read_text("utf-8").split("```text\n")[1].split("```")[0]
    told = re.sub(r"\d+ s ", "", squeezed(again.stdout))  # how long fits took is the machine's to say
    for line in table.splitlines():
        assert re.sub(r"\d+ s ", "", squeezed(line)) in told, line


def test_rules_are_those_of_the_monitor_with_what_is_said_otherwise():
    anew = Retrain(every="7d")
    monitor = Monitor(endpoint="late", retrain=Retrain(), alternatives={"anew": Alternative(retrain=anew, drift=None)})
    assert monitor.by("declared") is monitor
    assert monitor.by("static").retrain is None
    assert (monitor.by("anew").retrain, monitor.by("anew").drift) == (anew, None)
    assert monitor.by("anew").performance == monitor.performance
    with pytest.raises(UnknownName, match="no rules called 'monthly'; expected one of declared, static, anew"):
        monitor.by("monthly")
    with pytest.raises(ProjectError, match="no alternative can be called 'static'"):
        Monitor(endpoint="late", alternatives={"static": Alternative()})


def test_what_can_not_be_compared_is_said(clicks):
    project = Project.load(clicks)
    for rules, error, words in (
        (["anew"], UsageError, "two or more sets of rules"),
        (["anew", "anew"], UsageError, "each once"),
        (["anew", "daily"], UnknownName, "no rules called 'daily'"),
    ):
        with pytest.raises(error, match=words):
            project.replay(since=SINCE, until=UNTIL, compare=rules)
    assert command(clicks, "replay", "--compare", "--since", SINCE, "--until", UNTIL, check=False).returncode == 2
    refused = command(clicks, "replay", "clicked", "anew", "--since", SINCE, "--until", UNTIL, check=False)
    assert "say --compare" in refused.stderr
