"""What happened to the tables behind a fall."""

from __future__ import annotations

from types import SimpleNamespace

import msgspec

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import (
    Alert,
    ColumnType,
    Contribution,
    FeatureDrift,
    Measure,
    MonitorReport,
    TableVersion,
    Why,
)
from drivetrain.loop.upstream import troubles_of, upstream_of, with_upstream
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.window import Assessment

SINCE = micros_of("2026-07-06")
UNTIL = SINCE + 7 * DAY
COLUMNS = (ColumnType("id", "String"), ColumnType("amount", "Float64"))


def version(number, at, *, bad=0, columns=COLUMNS):
    return TableVersion(
        at=at, table="orders", version=number, digest=str(number), rows=100 * number, added=100 - bad, delivered=100,
        quarantined=bad, reasons={"amount out of range": bad - 1, "id is null": 1} if bad else {}, columns=columns,
        last_event=at - DAY // 2,
    )  # fmt: skip


HISTORY = [version(number, SINCE - (30 - number) * DAY, bad=1) for number in range(1, 38)]


class Records:
    def __init__(self, versions, alerts=()):
        self._versions = versions
        self._alerts = alerts

    def get(self, _kind, _key):
        return None

    def find(self, kind, subject=None, *, limit=None):
        if kind is Alert:
            return [one for one in self._alerts if one.endpoint == subject]
        return sorted(self._versions, key=lambda one: -one.at)[:limit]


def model():
    view = SimpleNamespace(
        name="history", feature_names=("history.amount", "history.count"), source=SimpleNamespace(name="orders")
    )
    return SimpleNamespace(views=(view,))


def report(**more):
    return MonitorReport(
        at=UNTIL, endpoint="e", model="m", version=1, since=SINCE, until=UNTIL, predictions=500, **more
    )


WHY = Why(
    metric="roc_auc",
    worse=Measure(0.1),
    features=(Contribution("history.amount", 0.08), Contribution("hour", 0.01), Contribution("history.count", -0.01)),
)


def opened(about, at, message, state="open", since=SINCE):
    return Alert(id=message, at=at, endpoint=about, rule="range.amount", message=message, state=state, since=since)


def test_an_open_alert_of_the_table_comes_first():
    alerts = [
        opened("table:orders", UNTIL, "table orders: amount is sixty times as much."),
        opened("table:orders", SINCE - DAY, "table orders: of long ago."),
        opened("table:orders", UNTIL, "table orders: over.", "resolved"),
        opened("features:history", UNTIL, "view history: it moved."),
    ]
    told = upstream_of(Records(HISTORY, alerts), model(), WHY, report())
    assert told == ["history.amount comes from table orders: table orders: amount is sixty times as much"]
    (told,) = upstream_of(Records(HISTORY, alerts[3:]), model(), WHY, report())
    assert told.endswith("view history: it moved")


def test_what_began_after_a_fall_did_not_bring_it_about():
    """A window is looked at again as labels come; by then the table may have turned."""
    later = opened("table:orders", UNTIL + 7 * DAY, "table orders: it turned a week later.", since=UNTIL)
    (told,) = upstream_of(Records(HISTORY, [later]), model(), WHY, report())
    assert "it turned" not in told
    before = msgspec.structs.replace(later, since=UNTIL - DAY)
    (told,) = upstream_of(Records(HISTORY, [before]), model(), WHY, report())
    assert told.endswith("it turned a week later")


def test_a_breach_of_contract_is_named_with_its_version_and_time():
    versions = [*HISTORY, version(38, SINCE + 2 * DAY, bad=40)]
    (told,) = upstream_of(Records(versions), model(), WHY, report())
    assert told == (
        "history.amount comes from table orders: the contract refused 40 of 100 rows that orders@38 brought "
        "(2026-07-08T00:00:00Z; 40 %, 1 % is usual), most for amount out of range"
    )


def test_columns_that_changed_and_a_table_that_stands_still_are_told():
    other = (ColumnType("id", "String"), ColumnType("amount", "Int64"), ColumnType("note", "String"))
    found = troubles_of([*HISTORY, version(38, SINCE + 2 * DAY, columns=other)], SINCE, UNTIL)
    assert "has other columns than before: note is new, amount was Float64, is Int64" in found[0]
    still = troubles_of([one for one in HISTORY if one.at < SINCE - 5 * DAY], SINCE, UNTIL)
    assert still == ["its newest row is of 2026-06-29T12:00:00Z, 13.5 days before the window ended"]


def test_a_calm_table_is_told_by_its_version():
    (told,) = upstream_of(Records(HISTORY), model(), WHY, report())
    assert told.startswith("history.amount comes from table orders, which stood at orders@37")
    assert troubles_of(HISTORY, SINCE, UNTIL) == []
    assert troubles_of([], SINCE, UNTIL) == []


def test_an_old_breach_is_not_told():
    early = msgspec.structs.replace(HISTORY[3], quarantined=80)
    assert troubles_of([*HISTORY[:3], early, *HISTORY[4:]], SINCE, UNTIL) == []


def test_where_no_shift_brings_the_fall_drifted_features_are_followed():
    calm = msgspec.structs.replace(WHY, features=())
    drifted = FeatureDrift("history.count", "psi", 1.0, 0.2, True, 0.0, 0.0, 100)
    (told,) = upstream_of(Records(HISTORY), model(), calm, report(drift=(drifted,)))
    assert told.startswith("history.count comes from table orders")
    assert upstream_of(Records(HISTORY), model(), calm, report()) == []


def test_the_alert_says_it_too():
    versions = [*HISTORY, version(38, SINCE + 2 * DAY, bad=40)]
    findings = (
        Finding("performance.roc_auc", "critical", "It fell.", {"why": {}}),
        Finding("latency", "warning", "Slow.", {}),
    )
    found = with_upstream(Records(versions), model(), Assessment(report(why=WHY), findings))
    assert found.findings[0].message.startswith(
        "It fell. Upstream: history.amount comes from table orders: the contract"
    )
    assert found.findings[0].evidence["why"]["upstream"] == tuple(found.report.why.upstream)
    assert found.findings[1] == findings[1]
    calm = Assessment(report(), findings)
    assert with_upstream(Records(versions), model(), calm) is calm
