"""Texts from requests to alerts: other words are seen, named where that is allowed, and never where it is not."""

from __future__ import annotations

import json
from pathlib import Path

import msgspec
import numpy as np
import pytest
from tests.loop.shop import serving
from tests.loop.sms import make_sms
from tests.loop.test_text import ask
from tests.train.text.messages import messages

from drivetrain.core import clock
from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Alert, FeatureDrift, ModelVersion, MonitorReport, Prediction
from drivetrain.loop.project import Project
from drivetrain.monitor.reference import load
from drivetrain.serve.log.columns import predictions_frame, predictions_table

START = micros_of("2026-07-01")
TEXT = "sms_text.message"
MONITOR = '\nproject.monitor("spam", drift=dt.Drift(), performance=None, window="7d")\n'


def made(folder: Path, privacy: str = "internal") -> Project:
    make_sms(folder, privacy=privacy)
    (folder / "project.py").write_text((folder / "project.py").read_text() + MONITOR)
    project = Project.load(folder)
    assert project.run().refused == ()
    return project


@pytest.fixture(scope="module")
def projects(tmp_path_factory: pytest.TempPathFactory) -> dict[str, Project]:
    folder = tmp_path_factory.mktemp("drifting")
    return {privacy: made(folder / privacy, privacy) for privacy in ("internal", "personal", "sensitive")}


def log(project: Project, texts: list[str], since: int, *, withheld: bool = False) -> None:
    """A week of answers, as the endpoint would have logged them."""
    rows = [
        Prediction(
            request_id=f"{since}-{at}",
            row=0,
            endpoint="spam",
            at=since + at * 7 * DAY // len(texts),
            logged_at=since + at * 7 * DAY // len(texts),
            model="spam",
            version=1,
            role="champion",
            entity=f"{since}-{at}",
            request=msgspec.Raw(json.dumps({"message": "(withheld)" if withheld else text}).encode()),
            values=[float("nan")] * 2 if withheld else [float(len(text)), float(sum(map(str.isdigit, text)))],
            ages=[],
            prediction=0.3,
            latency_us=500,
        )
        for at, text in enumerate(texts)
    ]
    project.store.tables.append(predictions_table("spam"), predictions_frame(rows))


def other(texts: list[str]) -> list[str]:
    """As long as they were, of other words: every fourth text of an offer never heard of."""
    swapped = [text.replace("home", "pubs").replace("later", "never") for text in texts]
    return [text.replace("call", "dogecoin") if at % 4 == 0 else text for at, text in enumerate(swapped)]


def week(project: Project, number: int) -> tuple[MonitorReport, dict[str, FeatureDrift], Alert | None]:
    until = START + number * 7 * DAY
    project.tick(until)
    report = next(one for one in project.store.catalog.find(MonitorReport, "spam") if one.until == until)
    alerts = [one for one in project.store.catalog.find(Alert) if one.rule == "drift" and one.at <= until]
    said = {one.statistic: one for one in (*report.drift, *report.further) if one.feature == TEXT}
    return report, said, max(alerts, key=lambda one: one.at, default=None)


def test_other_words_are_drift_and_named(projects: dict[str, Project]) -> None:
    project = projects["internal"]
    log(project, messages(500, 11)[0], START)
    report, said, alert = week(project, 1)
    assert set(said) == {"words", "mmd", "psi"}
    assert not any(one.drifted for one in said.values()), said
    assert alert is None
    log(project, other(messages(500, 12)[0]), START + 7 * DAY)
    report, said, alert = week(project, 2)
    assert said["words"].drifted
    assert not said["psi"].drifted
    assert [one.feature for one in report.drift if one.drifted] == [TEXT]
    assert report.drift[0].statistic == "words"
    assert alert is not None
    rose, _, fell = alert.message.partition("; that fell: ")
    for word in ("pubs", "never", "dogecoin"):
        assert f"'{word}' (under 1 %, " in rose
    assert "'home' (30 %, 0 %)" in fell


def test_personal_texts_are_watched_and_none_of_their_words_is_kept_or_named(projects: dict[str, Project]) -> None:
    project = projects["personal"]
    version = project.store.catalog.get(ModelVersion, "spam@1")
    assert version is not None
    assert version.reference is not None
    data = project.store.blobs.get(version.reference)
    assert len(load(data).texts) == 1
    assert not any(word in data for word in (b"prize", b"home", b"later"))
    log(project, messages(500, 11)[0], START)
    _, said, alert = week(project, 1)
    assert set(said) == {"mmd", "psi"}
    assert not any(one.drifted for one in said.values()), said
    assert alert is None
    texts, labels = messages(2_000, 12)
    log(project, [text for text, unwanted in zip(other(texts), labels, strict=True) if unwanted], START + 7 * DAY)
    report, said, alert = week(project, 2)
    assert said["mmd"].drifted
    assert alert is not None
    assert "sms_text.message" in alert.message
    told = msgspec.json.encode(alert).decode() + msgspec.json.encode(report).decode()
    assert not any(word in told for word in ("dogecoin", "pubs", "later", "prize"))


def test_a_text_that_is_declared_personal_later_is_named_no_more(tmp_path: Path) -> None:
    project = made(tmp_path / "sms")
    declared = project.folder / "project.py"
    declared.write_text(declared.read_text().replace('privacy="internal"', 'privacy="personal"'))
    project = Project.load(project.folder)
    log(project, other(messages(500, 12)[0]), START)
    report, said, alert = week(project, 1)
    assert said["words"].drifted
    assert alert is not None
    assert "sms_text.message" in alert.message
    told = msgspec.json.encode(alert).decode() + msgspec.json.encode(report).decode()
    assert not any(word in told for word in ("dogecoin", "pubs", "later", "home"))


def test_what_is_asked_over_http_is_what_is_watched(tmp_path: Path) -> None:
    project = made(tmp_path / "sms")
    with serving(project.folder, endpoint="spam"):
        status, _ = ask(f"http://127.0.0.1:{project.settings.serve.port}", *other(messages(300, 21)[0]))
        assert status == 200
    project.tick(clock.now() + 8 * DAY)
    [report] = project.store.catalog.find(MonitorReport, "spam")
    assert report.predictions == 300
    [text] = [one for one in report.drift if one.feature == TEXT]
    assert (text.statistic, text.drifted, text.count) == ("words", True, 300)
    assert "'pubs' (under 1 %, " in text.words


def test_what_is_withheld_is_not_watched_and_nothing_of_it_is_kept(projects: dict[str, Project]) -> None:
    project = projects["sensitive"]
    log(project, other(messages(500, 12)[0]), START, withheld=True)
    _report, said, _ = week(project, 1)
    assert said == {}
    version = project.store.catalog.get(ModelVersion, "spam@1")
    assert version is not None
    assert version.reference is not None
    data = project.store.blobs.get(version.reference)
    assert load(data).texts == ()
    assert b"prize" not in data


def test_the_profile_keeps_frequent_words_and_sums_alone(projects: dict[str, Project]) -> None:
    project = projects["internal"]
    version = project.store.catalog.get(ModelVersion, "spam@1")
    assert version is not None
    assert version.reference is not None
    data = project.store.blobs.get(version.reference)
    [column] = load(data).texts
    assert {"call", "home", "prize"} <= set(column.words)
    assert len(data) < 200_000
    counts = column.counted
    assert set(np.unique(counts[:, -1])) == {9.0}  # nine messages a day
    assert counts[:, :-1].sum() > 0
    assert column.lying[:, -1].tolist() == counts[:, -1].tolist()
