from __future__ import annotations

import json

import pytest
from tests.loop.alerting.trains import drift, keep, make, opened

from drivetrain.core.clock import DAY
from drivetrain.core.errors import StoreError, UnknownName, UsageError
from drivetrain.core.records import Decision, FeatureDrift
from drivetrain.loop.report import course

MEASURED = FeatureDrift("prediction", "psi", 0.1, 0.2, False, 0.0, 0.0, 900)


@pytest.fixture
def project(tmp_path):
    loaded = opened(make(tmp_path / "trains"))
    for day in range(10, 20):
        broken = [drift()] if day in {12, 18} else []
        keep(loaded, day, *broken, output=MEASURED, drift=(FeatureDrift("x", "psi", 0.3, 0.2, True, 0, 0, 9),))
    yield loaded
    loaded.store.close()


def test_a_report_holds_the_windows_alerts_and_decisions_of_its_time(project, tmp_path):
    whole = project.report("late")
    assert (whole.since, whole.until, len(whole.windows)) == (10 * DAY, 20 * DAY, 10)
    assert [one.state for one in whole.alerts] == ["resolved", "resolved"]
    part = project.report("late", since="1970-01-12", until="1970-01-16")
    assert [one.since // DAY for one in part.windows] == [11, 12, 13, 14]
    assert [one.at // DAY for one in part.alerts] == [13]
    assert {one.at // DAY for one in part.decisions} <= {11, 12, 13, 14, 15}
    assert {one.at // DAY for one in whole.decisions} >= {one.at // DAY for one in part.decisions}
    project.store.catalog.commit(Decision(id="z", at=21 * DAY, about="late", what="rollback", because="v2 is slow"))
    assert project.report("late").decisions[0].what == "rollback", "what came since the last window is told"
    assert project.report("late").until == 20 * DAY
    assert "z" not in {one.id for one in project.report("late", until=20 * DAY).decisions}
    nothing = project.report("early")
    assert (nothing.windows, nothing.headline) == ((), "Nothing was asked of early in this time.")


def test_it_is_written_by_its_ending_or_refused(project, tmp_path):
    project.report("late", output=tmp_path / "r.json")
    assert len(json.loads((tmp_path / "r.json").read_text())["windows"]) == 10
    project.report("late", output=tmp_path / "r.html")
    assert (tmp_path / "r.html").read_text().startswith("<!doctype html>")
    with pytest.raises(UsageError, match=r"\.html or \.json"):
        project.report("late", output=tmp_path / "r.pdf")
    with pytest.raises(StoreError, match="can't be written"):
        project.report("late", output=tmp_path / "none" / "r.json")
    with pytest.raises(UsageError, match="end after it starts"):
        project.report("late", since=5, until=5)
    with pytest.raises(UnknownName):
        project.report("lat")


def test_status_tells_the_course_of_the_newest_windows(project):
    told = project.status()
    late, early = told["endpoints"]
    assert late["metric"] == "roc_auc"
    assert [one.since // DAY for one in late["windows"]] == list(range(10, 20))
    assert late["windows"][-1].drift == pytest.approx(1.5)
    assert (early["metric"], early["windows"]) == ("", [])
    assert (told["alerts_open"], told["alerts_total"], told["alerts"]) == (0, 2, [])
    assert told["alert_quality"][0].opened == 2
    assert [one.sink for one in told["sinks"]] == ["slack TRAINS_SLACK"]
    assert course([], "roc_auc") == []
