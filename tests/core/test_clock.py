from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.core import clock
from drivetrain.core.clock import DAY, HOUR, MINUTE, SECOND, WEEK
from drivetrain.core.errors import UsageError

EPOCH = datetime(1970, 1, 1, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("7d", 7 * DAY),
        ("1h30m", HOUR + 30 * MINUTE),
        ("1h 30m", HOUR + 30 * MINUTE),
        ("250ms", 250_000),
        ("3us", 3),
        ("0s", 0),
        ("2w", 2 * WEEK),
        ("90m", 90 * MINUTE),
        (timedelta(days=1, microseconds=1), DAY + 1),
        (5, 5),
    ],
)
def test_durations(text, micros):
    assert clock.duration(text) == micros


@pytest.mark.parametrize("text", ["", "7", "d", "7 days", "1.5h", "-1d", "1d2", "x1d", "1D", " "])
def test_texts_that_are_no_durations(text):
    with pytest.raises(UsageError, match=r"not a duration.*7d"):
        clock.duration(text)


@pytest.mark.parametrize("negative", [-1, timedelta(seconds=-1)])
def test_durations_are_not_negative(negative):
    with pytest.raises(UsageError, match="negative"):
        clock.duration(negative)


@given(st.integers(0, 10**18))
def test_a_shown_duration_reads_back(micros):
    assert clock.duration(clock.show_duration(micros)) == micros


@pytest.mark.parametrize(
    ("micros", "text"), [(0, "0s"), (WEEK, "1w"), (8 * DAY, "8d"), (DAY + 1, "1d1us"), (1_500_000, "1s500ms")]
)
def test_a_shown_duration_is_short(micros, text):
    assert clock.show_duration(micros) == text


@given(st.datetimes(min_value=datetime(1, 1, 2), max_value=datetime(9999, 12, 30), timezones=st.just(UTC)))  # noqa: DTZ001
def test_moments_go_there_and_back(moment):
    micros = clock.micros_of(moment)
    assert micros == (moment - EPOCH) // timedelta(microseconds=1)
    assert clock.datetime_of(micros) == moment
    assert clock.micros_of(clock.iso(micros)) == micros
    assert clock.micros_of(micros) == micros


@pytest.mark.parametrize(
    ("text", "micros"),
    [
        ("1970-01-01", 0),
        ("1970-01-01T00:00:01Z", SECOND),
        ("1970-01-01T00:00:01", SECOND),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1969-12-31T23:59:59.999999Z", -1),
    ],
)
def test_moments_as_text(text, micros):
    assert clock.micros_of(text) == micros


@pytest.mark.parametrize("text", ["", "yesterday", "2013-13-01", "2013-07-01T25:00"])
def test_texts_that_are_no_moments(text):
    with pytest.raises(UsageError, match="not a moment"):
        clock.micros_of(text)


def test_a_moment_needs_a_zone():
    with pytest.raises(UsageError, match="without a time zone"):
        clock.micros_of(datetime(2013, 1, 1))  # noqa: DTZ001
    assert clock.micros_of(datetime(1970, 1, 1, 1, tzinfo=timezone(timedelta(hours=1)))) == 0


def test_iso_is_no_finer_than_the_moment():
    assert clock.iso(SECOND) == "1970-01-01T00:00:01Z"
    assert clock.iso(1) == "1970-01-01T00:00:00.000001Z"


def test_now_is_now():
    before = datetime.now(UTC)
    assert clock.micros_of(before) <= clock.now() <= clock.micros_of(datetime.now(UTC))
