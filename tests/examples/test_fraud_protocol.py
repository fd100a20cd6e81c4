"""The handbook's protocol, by examples worked out by hand; its features, by plain comparison."""

from __future__ import annotations

import doctest
import math
from datetime import UTC, datetime, timedelta

import numpy as np
import polars as pl
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.examples.test_fraud_world import load

from drivetrain.core.clock import DAY, HOUR

world, protocol, handbook = load("world", "protocol", "handbook")

MONDAY = datetime(2018, 8, 6, tzinfo=UTC)
JULY_25 = datetime(2018, 7, 25, tzinfo=UTC)


def rows(*made):
    """``(hours after Monday's midnight, card, fraud)`` each."""
    return pl.DataFrame(
        {
            "time": [MONDAY + timedelta(hours=hours) for hours, _, _ in made],
            "customer_id": [card for _, card, _ in made],
            "fraud": [fraud for _, _, fraud in made],
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )


TWO_DAYS = rows(
    (9, 1, False),  # 0.9: the card is compromised, though by another transaction
    (10, 1, True),  # 0.1
    (10.5, 1, False),  # 0.05
    (11, 2, False),  # 0.8
    (12, 3, True),  # 0.7: third, not looked into
    (33, 1, True),  # 0.9: blocked if Monday's find is
    (34, 2, False),  # 0.2
    (35, 3, True),  # 0.6
    (36, 4, False),  # 0.5
)
SCORES = [0.9, 0.1, 0.05, 0.8, 0.7, 0.9, 0.2, 0.6, 0.5]


@pytest.mark.parametrize(
    ("cards", "blocks", "expected"),
    [
        # Monday: 1 (compromised), 2. Tuesday: 3 (compromised), 4, as 1 is blocked.
        (2, True, (1 / 2 + 1 / 2) / 2),
        # Tuesday: 1 and 3, both compromised.
        (2, False, (1 / 2 + 2 / 2) / 2),
        (1, True, (1 + 1) / 2),
        # Fewer cards than could be looked into: Monday 1, 2, 3; Tuesday 2, 4.
        (10, True, (2 / 10 + 0 / 10) / 2),
        (10, False, (2 / 10 + 2 / 10) / 2),
    ],
)
def test_card_precision_by_hand(cards, blocks, expected):
    assert protocol.card_precision(TWO_DAYS, SCORES, cards=cards, blocks=blocks) == pytest.approx(expected)


def test_card_precision_does_not_mind_the_order_of_rows():
    order = [5, 0, 7, 3, 2, 8, 6, 1, 4]
    shuffled = protocol.card_precision(TWO_DAYS[order], np.array(SCORES)[order], cards=2)
    assert shuffled == protocol.card_precision(TWO_DAYS, SCORES, cards=2)


def test_equally_suspicious_cards_are_taken_by_id():
    tied = rows((9, 7, True), (10, 2, False))
    assert protocol.card_precision(tied, [0.5, 0.5], cards=1) == 0
    assert protocol.card_precision(tied[::-1], [0.5, 0.5], cards=1) == 0


def test_measures_by_hand():
    scored = rows((1, 1, False), (2, 2, True), (3, 3, False), (4, 4, True))
    found = protocol.measures(scored, [0.1, 0.4, 0.35, 0.8])
    assert found == {"roc_auc": 1.0, "average_precision": 1.0, "card_precision@100": 0.02}
    assert protocol.measures(scored, [0.5] * 4)["roc_auc"] == 0.5


def test_the_weeks_are_the_handbooks():
    weeks = protocol.HANDBOOK
    assert (weeks.train_from, weeks.train_until) == (JULY_25, datetime(2018, 8, 1, tzinfo=UTC))
    assert (weeks.test_from, weeks.test_until) == (datetime(2018, 8, 8, tzinfo=UTC), datetime(2018, 8, 15, tzinfo=UTC))


def test_cards_known_to_be_compromised_are_not_judged():
    def at(day, hour=12):
        return JULY_25 + timedelta(days=day, hours=hour)

    made = [
        (at(-1), 1, True),  # before training: the protocol does not look there
        (at(0, 0), 2, False),
        (at(6, 23), 3, True),
        (at(7, 0), 4, True),  # the day after training; known when the second day of the test begins
        (at(13), 5, True),  # in the last day of the delay; known only after the test week's end
        (at(14, 0), 1, False),
        (at(14), 3, False),  # its fraud was learned from
        (at(14), 4, True),  # not yet known
        (at(15, 0), 4, False),  # known by now
        (at(20, 23), 5, False),
        (at(21, 0), 6, False),  # after the test
    ]
    frame = pl.DataFrame(
        {
            name: list(column)
            for name, column in zip(("time", "customer_id", "fraud"), zip(*made, strict=True), strict=True)
        }
    )
    train, test = protocol.split(frame)
    assert train.rows() == [made[1], made[2]]
    assert test.rows() == [made[5], made[7], made[9]]
    assert test.columns == frame.columns


def test_the_split_by_plain_comparison():
    small = world.Scale(seed=9, days=50, customers=300, terminals=600, side=math.sqrt(600))
    made = world.generate(small.seed, small.days, small.customers, small.terminals, side=small.side)
    weeks = protocol.Weeks(train_from=datetime(2018, 4, 25, tzinfo=UTC))
    train, test = protocol.split(made, weeks)
    assert train.equals(made.filter(pl.col("time") >= weeks.train_from, pl.col("time") < weeks.train_until))
    expected = []
    for day in range(7):
        start = weeks.test_from + timedelta(days=day)
        before = made.filter("fraud", pl.col("time") >= weeks.train_from, pl.col("time") < start - weeks.delay)
        today = made.filter(pl.col("time") >= start, pl.col("time") < start + timedelta(days=1))
        expected.append(today.filter(~pl.col("customer_id").is_in(before["customer_id"].unique().to_list())))
    assert sum(part.height for part in expected) > 0
    assert test.equals(pl.concat(expected))


def by_comparison(made: pl.DataFrame, row: dict) -> dict[str, float]:
    """The fifteen features of one transaction, each from every other transaction."""
    mine = made.filter(pl.col("customer_id") == row["customer_id"])
    theirs = made.filter(pl.col("terminal_id") == row["terminal_id"])
    found = {
        "amount": row["amount"],
        "weekend": float(row["time"].weekday() in (5, 6)),
        "night": float(row["time"].hour <= 6),
    }
    for days in (1, 7, 30):
        since = row["time"] - timedelta(days=days)
        spent = mine.filter(pl.col("time") > since, pl.col("time") <= row["time"])["amount"]
        found |= {f"customer_count_{days}d": len(spent), f"customer_amount_{days}d": spent.mean()}
        week = timedelta(days=7)
        known = theirs.filter(pl.col("time") > since - week, pl.col("time") <= row["time"] - week)["fraud"]
        found |= {f"terminal_count_{days}d": len(known), f"terminal_risk_{days}d": known.mean() or 0.0}
    return found


def test_features_by_plain_comparison():
    made = world.generate(3, 50, 100, 100, side=10).sample(fraction=1, shuffle=True, seed=1)
    featured = handbook.handbook_features(made)
    assert featured.select(made.columns).equals(made)
    assert len(handbook.FEATURES) == len(set(handbook.FEATURES)) == 15
    assert all(featured[name].dtype == pl.Float64 for name in handbook.FEATURES)
    assert featured["terminal_risk_30d"].max() > 0
    for row in featured.sample(150, seed=2).iter_rows(named=True):
        expected = by_comparison(made, row)
        assert {name: row[name] for name in handbook.FEATURES} == pytest.approx(expected, abs=1e-9)


@settings(deadline=None)
@given(
    events=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 30), st.integers(-500, 500)), min_size=1, max_size=40),
    length=st.integers(1, 12),
    offset=st.integers(0, 8),
)
def test_windows_by_plain_comparison(events, length, offset):
    group, at, cents = (np.array(column) for column in zip(*events, strict=True))
    timeline = handbook.Timeline(group, at, reach=length + offset)
    count, total = timeline.within(cents / 100, length=length, offset=offset)
    for place, (mine, moment, _) in enumerate(events):
        end = moment - offset
        inside = [value for other, when, value in events if other == mine and end - length < when <= end]
        assert count[place] == len(inside)
        assert total[place] == sum(inside) / 100


def test_every_model_learns_from_the_features():
    small = world.Scale(seed=4, days=60, customers=300, terminals=600, side=math.sqrt(600))
    made = world.generate(small.seed, small.days, small.customers, small.terminals, side=small.side)
    weeks = protocol.Weeks(train_from=datetime(2018, 5, 9, tzinfo=UTC))
    found = handbook.judged(handbook.handbook_features(made), weeks)
    assert set(found) == set(handbook.PUBLISHED)
    for measured in found.values():
        assert measured["roc_auc"] > 0.7
        assert measured["average_precision"] > 0.4


def test_outcomes_are_used_no_earlier_than_known():
    """One fraud at a terminal: the risk rises seven days later to the second, not before."""
    start = datetime(2018, 5, 1, 12, tzinfo=UTC)
    moments = [start, start + timedelta(days=7) - timedelta(seconds=1), start + timedelta(days=7)]
    made = pl.DataFrame(
        {
            "time": pl.Series(moments, dtype=pl.Datetime("us", "UTC")),
            "customer_id": [1, 2, 3],
            "terminal_id": [8, 8, 8],
            "amount": [1.0, 2.0, 3.0],
            "fraud": [True, False, False],
        }
    )
    assert handbook.handbook_features(made)["terminal_risk_1d"].to_list() == [0.0, 0.0, 1.0]
    assert handbook.handbook_features(made, delay=HOUR)["terminal_count_7d"].to_list() == [0.0, 1.0, 1.0]
    assert handbook.handbook_features(made, delay=0)["terminal_count_30d"].to_list() == [1.0, 2.0, 3.0]
    assert world.KNOWN_AFTER == 7 * DAY


def test_the_examples_in_the_docstrings_run():
    assert doctest.testmod(protocol).failed == 0


def some_scores(rows, seed=3, cards=20, days=4):
    dice = np.random.default_rng(seed)
    made = pl.DataFrame(
        {
            "time": pl.Series([MONDAY + timedelta(hours=int(hour)) for hour in dice.integers(0, 24 * days, rows)]),
            "customer_id": dice.integers(0, cards, rows),
            "fraud": dice.random(rows) < 0.2,
        },
        schema_overrides={"time": pl.Datetime("us", "UTC")},
    )
    return made, dice.random(rows) + 0.5 * made["fraud"].to_numpy()


def test_figures_are_the_measures_and_their_intervals_hold_them():
    made, good = some_scores(3_000, cards=400)
    worse = np.random.default_rng(9).random(made.height)
    for scores in (good, np.round(good, 1)):
        found = protocol.figures(made, scores, replicates=100)
        assert {name: figure.value for name, figure in found.items()} == pytest.approx(protocol.measures(made, scores))
        assert all(figure.low <= figure.value <= figure.high for figure in found.values())
    gain = protocol.figures(made, good, worse, replicates=100)
    for name, figure in gain.items():
        assert figure.value == pytest.approx(protocol.measures(made, good)[name] - protocol.measures(made, worse)[name])
    assert gain["roc_auc"].low > 0.1
    same = protocol.figures(made, good, good, replicates=20)
    assert {(figure.value, figure.low, figure.high) for figure in same.values()} == {(0.0, 0.0, 0.0)}


def test_a_card_drawn_twice_is_two_cards():
    """Measures of a draw are those of rows repeated under new names; a card that is not drawn is not there."""
    made, scores = some_scores(300)
    many = np.random.default_rng(1).integers(0, 4, 20)
    copies = [
        (made.with_columns(pl.col("customer_id") + 100 * copy), scores, many[made["customer_id"].to_numpy()] > copy)
        for copy in range(3)
    ]
    repeated = pl.concat([rows.filter(pl.Series(there)) for rows, _, there in copies])
    expected = protocol.measures(repeated, np.concatenate([said[there] for _, said, there in copies]))
    judge = protocol._Judge(made, made["customer_id"].to_numpy(), scores)
    assert judge.measures(many) == pytest.approx(tuple(expected.values()))
