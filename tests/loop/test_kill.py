"""``kill -9`` in the middle of the road and of a replay: the next command carries on, nothing lost, nothing twice."""

from __future__ import annotations

import random
import signal
import subprocess
import sys
import time
from pathlib import Path

import polars as pl
import pytest
from tests.loop.shop import command, copy_shop, edit, make_shop, serving

from drivetrain.core.clock import micros_of
from drivetrain.core.records import Alias, ModelVersion, Replay, Run, TableVersion
from drivetrain.loop.project import Project
from drivetrain.serve.log.columns import feedback_table, predictions_table
from drivetrain.serve.log.compact import compact

TRAFFIC = """

def requests(since, until):
    rows = pl.read_csv("RAW/orders.csv", try_parse_dates=True)
    from drivetrain.core.clock import datetime_of
    asked = rows.filter(pl.col("ordered") >= datetime_of(since), pl.col("ordered") < datetime_of(until))
    return asked.select(pl.col("ordered").alias("at"), "order_id", "customer", "category", "amount")

"""

WORLD = "traffic=dt.Traffic(requests=lambda since, until: requests(since, until), deliver=lambda since, until: None)"


def killed_after(folder: Path, seconds: float, *words: str) -> bool:
    """Runs a command and kills it after a while; whether it was still running."""
    child = subprocess.Popen(
        [sys.executable, "-m", "drivetrain", words[0], "--project", str(folder), *words[1:]],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        child.wait(seconds)
    except subprocess.TimeoutExpired:
        child.send_signal(signal.SIGKILL)
        child.wait()
        return True
    return False


@pytest.mark.slow
def test_a_run_killed_again_and_again_ends_as_if_it_never_was(made_shop, tmp_path):
    folder = make_shop(tmp_path / "shop")
    dice = random.Random(11)
    kills = sum(killed_after(folder, dice.uniform(0.9, 4.0), "run") for _ in range(6))
    assert kills >= 1
    command(folder, "run")
    ours, whole = Project.load(folder).store, Project.load(made_shop).store
    versions = ours.catalog.find(ModelVersion, "returned")
    assert [version.version for version in versions] == [1]
    assert ours.catalog.get(Alias, "returned:champion").version == 1
    assert ours.catalog.find(TableVersion, "orders")[0].digest == whole.catalog.find(TableVersion, "orders")[0].digest
    reference = whole.catalog.get(ModelVersion, "returned@1")
    assert versions[0].artifacts == reference.artifacts, "the same bytes, however often it was killed"
    assert len([run for run in ours.catalog.find(Run, "returned") if run.status == "done"]) == 1


@pytest.mark.slow
def test_a_replay_killed_again_and_again_loses_and_doubles_nothing(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    text = (folder / "project.py").read_text() + TRAFFIC.replace("RAW", str(folder / "raw"))
    (folder / "project.py").write_text(text)
    edit(folder, "model=model)", f"model=model, {WORLD})")
    edit(folder, 'retrain=dt.Retrain(when=["performance"], cooldown="14d")', "retrain=None")
    project = Project.load(folder)
    asked = project.endpoints["returned"].traffic.requests(*_span()).height
    dice = random.Random(5)
    words = ("replay", "--since", "2026-05-01", "--until", "2026-05-29")
    with serving(folder):
        kills = sum(killed_after(folder, dice.uniform(1.2, 2.5), *words) for _ in range(5))
        assert kills >= 1
        command(folder, *words)
        again = command(folder, *words)
    assert "predictions" in again.stdout
    store = Project.load(folder).store
    compact(store, folder / ".drivetrain" / "log", "returned")
    predictions = store.tables.read(predictions_table("returned")).filter(pl.col("role") == "champion")
    assert predictions.height == asked
    assert predictions["entity"].n_unique() == asked
    labels = store.tables.read(feedback_table("returned"))
    orders = store.tables.read("orders")
    since, until = (pl.lit(moment).cast(pl.Datetime("us", "UTC")) for moment in _span())
    known = orders.filter(pl.col("_available_at") >= since, pl.col("_available_at") < until)
    assert labels["entity"].n_unique() == labels.height == known.height
    state = store.catalog.find(Replay, "returned")[0]
    assert (state.done, state.instances) == (state.until, asked)


def _span() -> tuple[int, int]:

    return micros_of("2026-05-01"), micros_of("2026-05-29")


@pytest.mark.slow
def test_the_watch_killed_in_the_middle_leaves_its_lease_to_the_next(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    assert killed_after(folder, 2.5, "watch", "--every", "0.1")
    began = time.monotonic()
    command(folder, "watch", "--every", "0.1", "--looks", "1")
    assert time.monotonic() - began < 60
