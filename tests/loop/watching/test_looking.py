"""Tables and features, watched through the real path: files arrive, the watch looks, alerts name what turned."""

from __future__ import annotations

import shutil

import msgspec
import polars as pl
import pytest
from tests.loop.watching.orders import START, TURN, WEEKS, deliver, make, taken

from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Alert, DataReport, Delivery
from drivetrain.loop.project import Project
from drivetrain.loop.watching import looking
from drivetrain.monitor.alerting.sinks.log import log
from drivetrain.monitor.spec import Drift

TABLE, VIEW = "table:orders", "features:history"
QUIET = 7 * WEEKS
NEXT = 'begin="2026-05-04"'
LOOK = TURN + 7 * DAY + DAY


@pytest.fixture(scope="module")
def calm(tmp_path_factory):
    """Nine weeks of orders, and the project that took them in."""
    folder = make(tmp_path_factory.mktemp("calm") / "shop", watch=NEXT)
    deliver(folder, 0, QUIET)
    taken(folder).store.close()
    return folder


@pytest.fixture
def shop(calm, tmp_path):
    folder = tmp_path / "shop"
    shutil.copytree(calm, folder)
    return folder


def turned(folder, turn=None, *, rows=True):
    """The next week's orders come in, turned, and a day after; then a look."""
    if rows:
        deliver(folder, QUIET, QUIET + 7, turn)
        deliver(folder, QUIET + 7, QUIET + 8)
    project = taken(folder)
    return project, project.tick(LOOK)


def rules(project, watched=TABLE, *, least="warning"):
    found = project.alerts.list(endpoint=watched)
    return {one.rule for one in found if one.severity != "info" or least == "info"}


def test_where_nothing_changed_nothing_is_told(shop):
    project, decisions = turned(shop)
    assert decisions == []
    assert project.alerts.list() == []
    report = project.store.catalog.find(DataReport, TABLE)[0]
    assert (report.since, report.until) == (TURN, TURN + 7 * DAY)
    assert report.volume.windows == 8
    assert not report.volume.odd
    assert {one.feature for one in report.drift} == {"customer", "email", "kind", "amount", "items"}
    assert report.versions[0] >= QUIET - 1
    assert len(report.versions) in {7, 8, 9}
    view = project.store.catalog.find(DataReport, VIEW)[0]
    assert view.rows == 400
    assert view.age.judged
    before = project.store.catalog.revision()
    assert project.tick(LOOK) == []
    assert project.store.catalog.revision() == before, "a second look at the same moment changes nothing"


@pytest.mark.parametrize(
    ("turn", "rule", "words"),
    [
        (lambda rows: rows.with_columns(pl.col("amount") * 60), "range.amount", "lie far outside what it had before"),
        (lambda rows: rows.head(rows.height // 2), "volume", "is usual"),
        (lambda rows: rows.with_columns(items=pl.lit(None, pl.Int64)), "nulls.items", "has no value at all"),
        (lambda rows: rows.with_columns(items=pl.lit(3)), "constant.items", "has one value only"),
        (
            lambda rows: rows.with_columns(
                kind=pl.when(pl.int_range(pl.len()) % 20 == 0).then(pl.lit("crypto")).otherwise("kind")
            ),
            "unseen.kind",
            "never seen before (crypto)",
        ),
        (lambda rows: rows.with_columns(pl.col("amount") * 1.5), "drift.amount", "is unlike any stretch"),
        (
            lambda rows: rows.with_columns(
                amount=pl.when(pl.int_range(pl.len()) % 50 == 0).then(float("inf")).otherwise("amount")
            ),
            "quarantine",
            "most for amount: expected a finite number",
        ),
    ],
)
def test_what_turned_is_named(shop, turn, rule, words):
    project, _ = turned(shop, turn)
    assert rule in rules(project)
    alert = next(one for one in project.alerts.list(endpoint=TABLE) if one.rule == rule)
    assert words in alert.message
    assert alert.message.startswith("table orders: ")
    assert alert.meaning.endswith("no endpoint reads from it.")
    assert "drivetrain report table:orders --since 2026-05-04 --until 2026-05-11" in alert.commands
    assert not rules(project) - {rule, "freshness", "drift.amount", "drift.items", "drift.kind"}


def test_a_column_that_is_new_is_no_refusal(shop):
    project, _ = turned(shop, lambda rows: rows.with_columns(items=pl.col("items") - 1, promo=pl.lit("none")))
    assert "quarantine" not in rules(project)
    report = project.store.catalog.find(DataReport, TABLE)[0]
    assert report.quarantined.value == 0
    assert not report.reasons


def test_an_alert_of_the_table_is_the_cause_of_the_views(shop):
    project, _ = turned(shop, lambda rows: rows.with_columns(pl.col("amount") * 60))
    (alert,) = [one for one in project.alerts.list(endpoint=VIEW) if one.rule == "range.history.mean_amount_7d"]
    assert alert.cause.startswith("table orders: ")
    assert "amount" in alert.cause


def test_it_ends_once_windows_are_as_before(shop):
    project, _ = turned(shop, lambda rows: rows.head(rows.height // 3))
    assert "volume" in rules(project)
    project.store.close()
    deliver(shop, QUIET + 8, QUIET + 15)
    later = taken(shop)
    decisions = later.tick(TURN + 15 * DAY)
    assert "resolved: volume" in {one.because for one in decisions}
    assert "volume" not in rules(later)


def test_nothing_personal_is_told(shop):
    project, _ = turned(
        shop, lambda rows: rows.with_columns(email=pl.lit("somebody@else.example"), items=pl.col("items") + 50)
    )
    kept = [msgspec.json.encode(one) for one in project.store.catalog.find(DataReport)]
    kept += [msgspec.json.encode(one) for one in project.store.catalog.find(Alert)]
    assert any(one.rule == "unseen.email" for one in project.alerts.list(endpoint=TABLE))
    assert not any(b"@" in body.replace(b"table:orders@", b"").replace(b"features:history@", b"") for body in kept)
    column = next(one for one in project.store.catalog.find(DataReport, TABLE)[0].columns if one.name == "email")
    assert column.masked
    assert (column.low, column.high, column.new) == (None, None, ())


def test_whom_rows_are_about_is_not_named(shop):
    project, _ = turned(shop, lambda rows: rows.with_columns(customer=pl.lit("c-new")))
    (alert,) = [one for one in project.alerts.list(endpoint=TABLE) if one.rule == "unseen.customer"]
    assert "c-new" not in alert.message + alert.evidence
    assert b"c-new" not in b"".join(msgspec.json.encode(one) for one in project.store.catalog.find(DataReport))


def test_a_view_tells_nothing_that_the_watch_of_its_table_hides(tmp_path):
    """Whom rows are about, and a column that no contract names beside one that may not be shown."""
    folder = make(tmp_path / "shop", watch=NEXT)
    text = (folder / "project.py").read_text()
    text = text.replace('        "kind": dt.Column("string", nullable=True),\n', "")
    text = text.replace('dt.last("kind")', 'dt.last("kind"), dt.last("customer")').replace(
        "sample=400", f"sample=400, {NEXT}"
    )
    (folder / "project.py").write_text(text)
    deliver(folder, 0, QUIET)
    hidden = {"kind": pl.lit("crypto"), "customer": pl.concat_str(pl.lit("Ann Lee "), "customer")}
    deliver(folder, QUIET, QUIET + 8, lambda rows: rows.with_columns(**hidden))
    project = taken(folder)
    project.tick(LOOK)
    found = {one.rule for one in project.alerts.list(endpoint=VIEW)}
    assert {"unseen.history.kind", "unseen.history.customer"} <= found
    kept = [msgspec.json.encode(one) for kind in (DataReport, Alert) for one in project.store.catalog.find(kind)]
    assert not any(value in body for body in kept for value in (b"crypto", b"Ann Lee"))


def test_no_rows_are_one_critical_alert_and_the_watch_waits_for_more(shop):
    project, decisions = turned(shop, rows=False)
    (alert,) = project.alerts.list(endpoint=TABLE)
    assert (alert.rule, alert.severity) == ("volume", "critical")
    assert alert.message.startswith("table orders: no rows came for 4–10 May 2026")
    assert len([one for one in decisions if one.about == TABLE]) == 1
    project.tick(TURN + 100 * DAY)
    windows = project.store.catalog.find(DataReport, TABLE)
    assert len(windows) == looking.MOST_EMPTY, "it does not go on for as long as nothing comes"
    assert len(project.alerts.list(endpoint=TABLE)) == 1


def test_a_table_that_is_not_there_is_named_and_stops_nothing(tmp_path):
    folder = make(tmp_path / "shop", features=False)
    text = (folder / "project.py").read_text()
    (folder / "project.py").write_text(text + 'project.watch_table("nothing")\n')
    deliver(folder, 0, 14)
    project = taken(folder)
    project.tick(START + 14 * DAY)
    (alert,) = project.alerts.list(endpoint="table:nothing")
    assert "table nothing was never taken in: there is no such table" in alert.message
    assert project.store.catalog.find(DataReport, TABLE), "the other watch looked all the same"


@pytest.mark.parametrize("damage", ["gone", "cut short", "overwritten"])
def test_what_can_not_be_read_for_a_moment_is_looked_at_once_it_can(shop, damage):
    deliver(shop, QUIET, QUIET + 15)
    project = taken(shop)
    files = sorted(project.store.tables.folder("orders").glob("*.parquet"))
    whole = {path: path.read_bytes() for path in files}
    for path, held in whole.items():
        path.write_bytes({"gone": b"", "cut short": held[:64], "overwritten": bytes(len(held))}[damage])
        if damage == "gone":
            path.unlink()
    told = project.tick(TURN + 15 * DAY)
    assert sorted(one.about for one in told) == [VIEW, TABLE]
    (report,) = project.store.catalog.find(DataReport, TABLE)
    assert report.unread
    (alert,) = project.alerts.list(endpoint=TABLE)
    assert alert.rule == "table"
    assert alert.message.startswith("table orders: it can't be looked at: ")
    assert not alert.message.endswith("..")
    revision = project.store.catalog.revision()
    assert project.tick(TURN + 15 * DAY + 1) == []
    assert project.store.catalog.revision() == revision, "what is as it was is not kept again"
    for path, held in whole.items():
        path.write_bytes(held)
    again = project.tick(TURN + 15 * DAY + 2)
    assert [one.because for one in again] == ["resolved: table"] * 2
    windows = project.store.catalog.find(DataReport, TABLE)
    assert [(one.since, one.rows > 800, one.unread) for one in windows] == [
        (TURN + 7 * DAY, True, False),
        (TURN, True, False),
    ]


def test_an_erased_table_and_a_column_that_went_are_named(shop):
    project, _ = turned(shop)
    monitor = project.watched[TABLE]
    project.watched[TABLE] = msgspec.structs.replace(monitor, columns=["amount", "tip"])
    deliver(shop, QUIET + 8, QUIET + 15)
    project.run(only="data")
    project.tick(TURN + 15 * DAY)
    (alert,) = project.alerts.list(endpoint=TABLE)
    assert alert.rule == "schema"
    assert "tip is watched and not there" in alert.message
    shutil.rmtree(project.store.tables.folder("orders"))
    project.tick(TURN + 23 * DAY)
    told = {one.rule: one.message for one in project.alerts.list(endpoint=TABLE)}
    assert "is gone: it was erased" in told["table"]


def test_a_column_that_leaves_the_source_is_named(shop):
    text = (shop / "project.py").read_text()
    project, _ = turned(shop)
    project.store.close()
    (shop / "project.py").write_text(text.replace('        "items": dt.Column("int", nullable=True, low=0),\n', ""))
    deliver(shop, QUIET + 8, QUIET + 15, lambda rows: rows.drop("items"))
    for day in range(QUIET + 8):
        path = shop / "raw" / f"{day:03}.parquet"
        pl.read_parquet(path).drop("items").write_parquet(path)
    later = taken(shop)
    later.tick(TURN + 15 * DAY)
    (alert,) = [one for one in later.alerts.list(endpoint=TABLE) if one.rule == "schema"]
    assert "items is gone" in alert.message


def test_without_a_reference_nothing_is_judged_and_that_is_said(tmp_path):
    folder = make(tmp_path / "shop", features=False)
    deliver(folder, 0, 9)
    project = taken(folder)
    assert project.tick(START + 9 * DAY) == []
    (report,) = project.store.catalog.find(DataReport, TABLE)
    assert "the reference has no rows" in " ".join(report.notes) or "says what is usual" in " ".join(report.notes)
    assert not report.volume.judged


def test_a_clock_that_jumps_and_comes_back_leaves_no_gap(shop):
    project, _ = turned(shop, rows=False)
    ahead = project.store.catalog.find(DataReport, TABLE)
    assert [one.rows for one in ahead] == [0]
    deliver(shop, QUIET, QUIET + 8)
    project.run(only="data")
    assert looking.next_window(project, project.watched[TABLE], TURN + 2 * DAY) is None
    assert looking.next_window(project, project.watched[TABLE], TURN + 7 * DAY) == TURN
    again = project.tick(TURN + 7 * DAY)
    (report,) = project.store.catalog.find(DataReport, TABLE)
    assert report.rows > 800
    assert "resolved: volume" in {one.because for one in again}


def test_killed_at_its_commit_it_repeats_nothing(shop, monkeypatch):
    deliver(shop, QUIET, QUIET + 8, lambda rows: rows.head(rows.height // 3))
    project = taken(shop)
    catalog = type(project.store.catalog)
    commit, left = catalog.commit, [1]

    def dies(self, *records, **words):
        if any(isinstance(one, DataReport) for one in records):
            left[0] -= 1
            if left[0] < 0:
                raise KeyboardInterrupt
        return commit(self, *records, **words)

    monkeypatch.setattr(catalog, "commit", dies)
    with pytest.raises(KeyboardInterrupt):
        project.tick(LOOK)
    monkeypatch.setattr(catalog, "commit", commit)
    first = [one.id for one in project.alerts.list()]
    project.tick(LOOK)
    project.tick(LOOK)
    every = [one.id for one in project.alerts.list()]
    assert set(first) <= set(every)
    assert len(every) == len(set(every))
    told = project.status()["decisions"]
    assert len({one["because"] for one in told}) == len(told), "nothing was told twice"
    assert len(project.store.catalog.find(DataReport, TABLE)) == 1


def test_a_silence_a_sink_a_hold_and_a_rule_of_ones_own(shop, monkeypatch):
    text = (shop / "project.py").read_text()
    (shop / "project.py").write_text(
        text.replace(
            NEXT,
            f'{NEXT}, sinks=[dt.Webhook("http://127.0.0.1:9/none")], hold={{"volume": 2}}, '
            'rules=[dt.Rule("poor", metric="columns.amount.nulls", above=0.0001, runbook="ask.md")]',
        )
    )
    monkeypatch.setattr(log, "disabled", True)
    deliver(shop, QUIET, QUIET + 8, lambda rows: rows.head(rows.height // 3))
    project = taken(shop)
    project.alerts.silence("freshness", "2h", because="we know", endpoint=TABLE)
    project.tick(LOOK)
    found = {one.rule: one for one in project.alerts.list(endpoint=TABLE)}
    assert found["poor"].runbook == "ask.md"
    assert found["freshness"].silence
    assert not found["freshness"].peak
    assert {one.rule for one in project.alerts.list(state="pending", endpoint=TABLE)} == {"volume"}
    waiting = project.store.catalog.find(Delivery)
    assert found["poor"].id in {one.alert for one in waiting}
    assert found["freshness"].id not in {one.alert for one in waiting}


def test_reports_speak_of_it(shop, tmp_path):
    project, _ = turned(shop, lambda rows: rows.with_columns(pl.col("amount") * 60))
    made = project.report(TABLE, output=tmp_path / "report.html")
    assert "lie far outside what it had before" in made.headline or "alerts are open" in made.headline
    page = (tmp_path / "report.html").read_text()
    assert "Columns in the newest window" in page
    assert "masked" in page
    assert {one["endpoint"] for one in project.status()["alerts"]} >= {TABLE}
    (table, view) = project.status()["watched"]
    assert (table["watched"], table["window"]) == (TABLE, "2026-05-04 to 2026-05-11")
    assert "is usual" in table["words"]
    assert "entities with events" in view["words"]


def test_what_can_not_be_watched_is_refused_where_it_is_declared():
    project = Project("shop")
    for words, asked in (
        ("windows of whole days", {"window": "36h"}),
        ("shorter than what is held against it", {"window": "30d", "reference": "40d"}),
        ("false alarms", {"false_alarm": 0.0}),
        ("no duration|not a duration", {"window": "soon"}),
    ):
        with pytest.raises(Exception, match=words):
            project.watch_table("orders", **asked)
    with pytest.raises(ProjectError, match="all columns together; found joint="):
        project.watch_table("orders", drift=Drift(reference="trailing", joint=["classifier"]))
    with pytest.raises(ProjectError, match="a view that is not declared"):
        project.watch_features("history")
    project.watch_table("orders")
    with pytest.raises(ProjectError, match="watched twice"):
        project.watch_table("orders")


def test_two_watchers_keep_one_window_once(shop):
    deliver(shop, QUIET, QUIET + 8, lambda rows: rows.head(rows.height // 3))
    project, other = taken(shop), Project.load(shop)
    monitor = project.watched[TABLE]
    assert looking.look_at_data(project, monitor, LOOK) != []
    stale = looking._look(other, other.watched[TABLE], TURN, LOOK)
    assert stale == [], "it is the same window: nothing new is to be told"
