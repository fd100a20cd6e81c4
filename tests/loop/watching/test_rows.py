"""What a contract refused of a window's deliveries: refusals and nothing else, and all of them."""

from __future__ import annotations

import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.records import DataReport, TableVersion
from drivetrain.data.veil import OPEN
from drivetrain.loop.upstream import troubles_of
from drivetrain.loop.watching.rows import with_refused
from drivetrain.monitor.tables.judging import judge_data
from drivetrain.monitor.tables.spans import spans_of
from drivetrain.monitor.tables.spec import DataMonitor
from drivetrain.monitor.tables.usual import Bounds, usual

FIRST = 20_000
TURN = FIRST + 56
WATCH = DataMonitor(watched="table:t", table="t")
SPANS = spans_of(WATCH, TURN * DAY, FIRST * DAY)
BOUNDS = Bounds("share", 0.02, 0.001, below=False)
NEGATIVE = "price: expected 0 or more"


def delivery(day, *, added=100, last=None, **more):
    return TableVersion(
        at=day * DAY + DAY // 2, table="t", version=day - FIRST, digest="x", rows=1, added=added, delivered=100,
        first_event=FIRST * DAY, last_event=day * DAY + 1 if last is None else last, **more,
    )  # fmt: skip


QUIET = [delivery(day) for day in range(FIRST, TURN)]


def report(week, rows=700):
    volume = usual(float(rows), [700.0] * 8, 0, Bounds("count", 0.3, 0.001))
    seen = DataReport(
        at=SPANS.until, watched="table:t", table="t", since=SPANS.since, until=SPANS.until, rows=rows,
        reference_rows=5_600, volume=volume,
    )  # fmt: skip
    return with_refused(seen, [*QUIET, *week], SPANS, BOUNDS, OPEN)


def week(**more):
    return [delivery(day, **more) for day in range(TURN, TURN + 7)]


def test_counts_that_are_no_refusals_refuse_nothing():
    told = report(week(reasons={"column 'promo' is new and not declared: added": 100, "the same row again": 20}))
    assert told.reasons == {}
    assert judge_data(told, WATCH) == []


@pytest.mark.parametrize("kept_apart", [True, False])
def test_a_reason_has_no_more_rows_than_were_refused(kept_apart):
    """Versions that were made before refusals were kept apart have their reasons, as far as these can be refusals."""
    reasons = {"column 'promo' is new and not declared: added": 100, NEGATIVE: 10}
    refusals = {NEGATIVE: 10} if kept_apart else {}
    told = report(week(added=90, quarantined=10, reasons=reasons, refusals=refusals))
    assert told.quarantined.value == pytest.approx(0.1)
    assert [one.value for one in told.reasons.values()] == [pytest.approx(0.1)] * len(told.reasons)
    assert told.reasons.keys() == (refusals or reasons).keys()
    (finding,) = judge_data(told, WATCH)
    assert "refused 10 % of the rows" in finding.message


def test_deliveries_that_were_refused_whole_are_told_of():
    """They add no event that would say when they were: they count to the window they came in."""
    refused = {NEGATIVE: 100}
    none = week(added=0, last=(TURN - 1) * DAY + 1, quarantined=100, reasons=refused, refusals=refused)
    volume, quarantine = judge_data(report(none, rows=0), WATCH)
    assert (volume.rule, quarantine.rule) == ("volume", "quarantine")
    assert (
        f"refused 100 % of the rows delivered for 29 November – 5 December 2024, most for {NEGATIVE}"
        in quarantine.message
    )
    assert any("refused 100 of 100 rows" in one for one in troubles_of([*QUIET, *none], SPANS.since, SPANS.until))


def test_the_reason_that_is_told_upstream_is_one_rows_were_refused_for():
    odd = delivery(
        TURN, added=60, quarantined=40, reasons={"column 'promo' is new and not declared: added": 100, NEGATIVE: 40},
        refusals={NEGATIVE: 40},
    )  # fmt: skip
    (told,) = troubles_of([*QUIET, odd], SPANS.since, SPANS.since + DAY)
    assert told.endswith(f"most for {NEGATIVE}")
