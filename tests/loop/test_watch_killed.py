"""``kill -9`` in the middle of a watch's look: the next one carries on, no window left out, no alert told twice."""

from __future__ import annotations

import shutil
import signal
import sqlite3
import subprocess
import sys
import time

import msgspec
import pytest
from tests.loop.shop import command, copy_shop, edit
from tests.loop.test_following import FOLLOWED, RETRAIN, START, WEEK, ask
from tests.loop.test_maturing import come

from drivetrain.core.clock import DAY
from drivetrain.core.records import Alert, Decision, Delivery, ErrorStream, MonitorReport
from drivetrain.loop.project import Project

WINDOWS = 8
SINK = "sinks=[dt.Webhook(url='http://127.0.0.1:9/nobody')]"
CATALOG = ".drivetrain/catalog.db"


def kept(folder):
    """What a look leaves, without the moments and ids that differ from one process to the next."""
    project = Project.load(folder)
    catalog = project.store.catalog
    alerts = catalog.find(Alert, "returned")
    rules = {one.id: one.rule for one in alerts}
    found = {
        "windows": [msgspec.structs.replace(one, at=0) for one in catalog.find(MonitorReport, "returned")],
        "alerts": sorted((one.rule, one.since, one.state, one.severity, one.message) for one in alerts),
        "decisions": sorted((one.what, one.because) for one in catalog.find(Decision, "returned")),
        "deliveries": sorted((rules[one.alert], one.event) for one in catalog.find(Delivery)),
        "errors": [(one.seen, one.days) for one in catalog.find(ErrorStream)],
    }
    project.store.close()
    return found


def killed_at(folder, windows):
    """Runs a watch and kills it once so many windows are kept; whether it was still running."""
    child = subprocess.Popen(
        [sys.executable, "-m", "drivetrain", "watch", "--every", "0.2", "--looks", "1", "--project", str(folder)],
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    with sqlite3.connect(f"file:{folder / CATALOG}?mode=ro", uri=True) as catalog:
        while child.poll() is None:
            [(count,)] = catalog.execute("SELECT count(*) FROM records WHERE kind = 'monitor'").fetchall()
            if count >= windows:
                child.send_signal(signal.SIGKILL)
                child.wait()
                return True
            time.sleep(0.002)
    catalog.close()
    return False


@pytest.mark.slow
def test_a_look_killed_again_and_again_ends_as_if_it_never_was(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, RETRAIN, f"{FOLLOWED}, {SINK}")
    project = Project.load(folder)
    labels = ask(project, 7 * (WINDOWS // 2))
    labels += ask(project, 7 * (WINDOWS // 2), since=START + WINDOWS // 2 * WEEK, turned=True)
    come(project, labels, after=DAY // 24)
    project.store.close()
    whole = shutil.copytree(folder, tmp_path / "whole")
    command(whole, "watch", "--every", "0.2", "--looks", "1")
    kills = [killed_at(folder, windows) for windows in (1, 4, 7)]
    assert all(kills), "each was stopped in the middle"
    command(folder, "watch", "--every", "0.2", "--looks", "1")
    ours, theirs = kept(folder), kept(whole)
    assert len(theirs["windows"]) == WINDOWS
    assert "concept" in {rule for rule, *_ in theirs["alerts"]}
    for part, found in theirs.items():
        assert ours[part] == found, part
