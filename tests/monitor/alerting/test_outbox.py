"""What waits for sinks, under clocks that jump."""

from hypothesis import given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from drivetrain.core.clock import DAY, SECOND
from drivetrain.core.records import Delivery
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.outbox import (
    LEAST_TRIES,
    LONGEST,
    by_sink,
    claim,
    due,
    failed,
    next_due,
    queue,
    standing,
)
from drivetrain.monitor.alerting.sinks.webhook import Webhook
from monitor.alerting.windows import alert

ALL = Webhook("http://a/1", name="all", least="info")
GRAVE = Webhook("http://a/2", name="grave", least="critical")


def delivery(name="a", **more):
    return Delivery(
        **{"at": 0, "sink": "all", "monitor": "late", "alert": name, "event": "opened", "severity": "warning"} | more
    )


def fail(waiting, now, after=None, patience=3 * DAY):
    return failed(claim(waiting, now), "away", now=now, after=after, patience=patience)


def test_a_sink_hears_what_is_grave_enough_and_the_end_of_what_it_heard():
    told = [
        Told(alert("a", severity="critical", peak="critical"), "opened"),
        Told(alert("b", severity="warning", peak="warning"), "opened"),
        Told(alert("c", severity="info", peak="critical", state="resolved"), "resolved"),
        Told(alert("d", severity="warning", peak="warning", state="resolved"), "resolved"),
    ]
    found = by_sink(queue(told, "late", [ALL, GRAVE], now=1))
    assert {label: [one.alert for one in waiting] for label, waiting in found.items()} == {
        "all": ["a", "b", "c", "d"],
        "grave": ["a", "c"],
    }


def test_waits_double_up_to_a_quarter_of_an_hour_or_as_long_as_is_asked():
    waiting, now, waits = [delivery()], 0, []
    for _ in range(14):
        waiting = fail(waiting, now)
        waits.append((waiting[0].due - now) // SECOND)
        now = waiting[0].due
    assert waits[:6] == [1, 2, 4, 8, 16, 32]
    assert waits[-1] == LONGEST // SECOND == 900
    assert fail([delivery()], 0, after=30.0)[0].due == 30 * SECOND


def test_what_is_new_waits_with_what_failed_and_is_given_up_at_last():
    failing = fail([delivery()], 0)
    both = [*failing, delivery("b", at=5)]
    assert not due(both, 5)
    assert due(both, failing[0].due)
    assert next_due(both, 5) == failing[0].due - 5
    assert next_due([], 5) is None
    old = [replace(delivery(), attempts=LEAST_TRIES - 1)]
    assert [one.state for one in fail(old, 4 * DAY)] == ["given up"]
    assert [one.state for one in fail([delivery()], 4 * DAY)] == ["waiting"], "a clock that jumped gives nothing up"
    assert standing([*failing, delivery(sink="good")]) == {"all": "away"}


@settings(max_examples=300, deadline=None)
@given(st.lists(st.integers(-400 * DAY, 400 * DAY), min_size=1, max_size=12))
def test_however_the_clock_jumps_a_sink_is_tried_again_within_a_quarter_of_an_hour_of_its_time(jumps):
    """Nobody waits for a moment that a wrong clock named: after any jump back something is due at once."""
    now, waiting = 1000 * DAY, [delivery(at=1000 * DAY)]
    for jump in jumps:
        waiting = [replace(one, state="waiting") for one in fail(waiting, now)]
        now += jump
        wait = next_due(waiting, now)
        assert wait is not None
        assert wait <= LONGEST
        if wait > 0:
            now += wait
        assert due(waiting, now)
