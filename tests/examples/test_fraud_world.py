"""The fraud example's world: every rule of the simulator's description, held against what came out."""

from __future__ import annotations

import importlib
import math
import sys
from datetime import timedelta
from pathlib import Path

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR, datetime_of

EXAMPLE = Path(__file__).parents[2] / "examples" / "fraud"


def load(*names: str):
    """Modules of the example by name, without leaving those names to other examples' tests."""
    others = {name: sys.modules.pop(name) for name in names if name in sys.modules}
    sys.path.insert(0, str(EXAMPLE))
    try:
        return [importlib.import_module(name) for name in names]
    finally:
        sys.path.remove(str(EXAMPLE))
        for name in names:
            sys.modules.pop(name, None)
        sys.modules.update(others)


(world,) = load("world")

SMALL = world.Scale(seed=4, days=60, customers=300, terminals=600, side=math.sqrt(600))
AFTER = world.START + (SMALL.days + 30) * DAY


def made(scale):
    return world.generate(scale.seed, scale.days, scale.customers, scale.terminals, side=scale.side)


@pytest.fixture(scope="module")
def transactions():
    """With the day, counted from the start."""
    day = (pl.col("time") - datetime_of(world.START)).dt.total_days()
    return made(SMALL).with_columns(day=day)


@pytest.fixture(scope="module")
def people():
    return world.customer_profiles(SMALL.seed, SMALL.customers, SMALL.side)


@pytest.fixture(scope="module")
def places():
    return world.terminal_profiles(SMALL.seed, SMALL.terminals, SMALL.side)


def struck(transactions: pl.DataFrame, draws: pl.DataFrame, key: str, days: int) -> pl.DataFrame:
    """Transactions in the days that follow a draw of their terminal or card, once per draw: by plain comparison."""
    pairs = transactions.join(draws.rename({"day": "drawn"}), on=key)
    return pairs.filter(pl.col("day") >= pl.col("drawn"), pl.col("day") < pl.col("drawn") + days)


def test_the_columns_and_their_types(transactions):
    assert dict(transactions.drop("day").schema) == {
        "transaction_id": pl.Int64,
        "time": pl.Datetime("us", "UTC"),
        "customer_id": pl.Int64,
        "terminal_id": pl.Int64,
        "amount": pl.Float64,
        "fraud": pl.Boolean,
        "scenario": pl.Int8,
    }
    assert sum(transactions.null_count().row(0)) == 0
    assert transactions["time"].is_sorted()
    assert (transactions["transaction_id"] == pl.Series(range(transactions.height))).all()
    assert (transactions["time"].to_physical() % 1_000_000 == 0).all()
    assert transactions["day"].min() == 0
    assert transactions["day"].max() == SMALL.days - 1


def test_a_seed_makes_one_world_and_another_seed_another(transactions):
    assert made(SMALL).equals(transactions.drop("day"))
    other = world.generate(5, SMALL.days, SMALL.customers, SMALL.terminals, side=SMALL.side)
    assert not other.equals(transactions.drop("day"))


def test_as_many_transactions_as_poisson_says(transactions, people):
    kept = math.erf(43_200 / 20_000 / math.sqrt(2))  # the share of times of day that fall into the day
    expected = people["mean_per_day"].to_numpy() * SMALL.days * kept
    assert abs(transactions.height - expected.sum()) < 5 * math.sqrt(expected.sum())
    found = np.bincount(transactions["customer_id"].to_numpy(), minlength=SMALL.customers)
    busy = expected > 10
    squares = ((found - expected)[busy] ** 2 / expected[busy]).sum()
    assert abs(squares - busy.sum()) < 5 * math.sqrt(2 * busy.sum())


def test_times_of_day_are_normal_around_noon(transactions):
    seconds = (transactions["time"] - transactions["time"].dt.truncate("1d")).dt.total_seconds()
    assert seconds.min() > 0
    assert seconds.max() < 86_400
    assert abs(seconds.mean() - 43_200) < 5 * 20_000 / math.sqrt(len(seconds))
    assert 0.67 < seconds.is_between(43_200 - 20_000, 43_200 + 20_000).mean() < 0.73  # 0.683 / 0.969


def test_amounts_are_whole_cents_around_each_customers_mean(transactions, people):
    assert transactions["amount"].min() >= 0
    cents = transactions["amount"] * 100
    assert ((cents - cents.round()).abs() < 1e-6).all()
    honest = transactions.filter(pl.col("scenario") != 3).join(people, on="customer_id")
    # Φ(2) + φ(2)/2 of a normal cut at zero, and once more the mean for the share below, which is drawn anew.
    assert honest["amount"].sum() / honest["mean_amount"].sum() == pytest.approx(1.027, abs=0.012)


def test_customers_pay_within_reach_and_at_every_terminal_there(transactions, people, places):
    used = transactions.join(people, on="customer_id").join(places, on="terminal_id", suffix="_terminal")
    across, along = used["x"] - used["x_terminal"], used["y"] - used["y_terminal"]
    assert (across**2 + along**2).max() < 5**2
    busiest = transactions["customer_id"].value_counts().sort("count")["customer_id"][-1]
    home = people.row(busiest, named=True)
    near = (places["x"] - home["x"]) ** 2 + (places["y"] - home["y"]) ** 2 < 5**2
    visits = transactions.filter(pl.col("customer_id") == busiest)["terminal_id"]
    expected = near.sum() * (1 - (1 - 1 / near.sum()) ** len(visits))
    assert abs(visits.n_unique() - expected) < 5 * math.sqrt(near.sum()) / 2


def test_customers_without_a_terminal_in_reach_make_no_transactions():
    lonely = world.Scale(seed=1, days=20, customers=200, terminals=3, side=60)
    people = world.customer_profiles(lonely.seed, lonely.customers, lonely.side)
    places = world.terminal_profiles(lonely.seed, lonely.terminals, lonely.side)
    apart = people.join(places, how="cross", suffix="_terminal").with_columns(
        near=(pl.col("x") - pl.col("x_terminal")) ** 2 + (pl.col("y") - pl.col("y_terminal")) ** 2 < 5**2
    )
    reaching = apart.filter("near")["customer_id"].unique()
    found = made(lonely)["customer_id"].unique()
    assert 0 < len(reaching) < lonely.customers / 2
    assert found.is_in(reaching.to_list()).all()


def test_scenario_1_large_amounts_are_frauds(transactions):
    assert transactions.filter(pl.col("amount") > 220)["fraud"].all()
    assert (transactions.filter(pl.col("scenario") == 1)["amount"] > 220).all()


def test_scenario_2_everything_at_a_compromised_terminal_is_fraud(transactions):
    draws = world.compromised_terminals(SMALL.seed, SMALL.days, SMALL.terminals)
    assert draws.group_by("day").agg(pl.col("terminal_id").n_unique())["terminal_id"].to_list() == [2] * SMALL.days
    at_terminals = struck(transactions, draws, "terminal_id", 28)
    assert at_terminals["fraud"].all()
    assert at_terminals["scenario"].is_in([2, 3]).all()
    second = transactions.filter(pl.col("scenario") == 2)
    assert second["transaction_id"].is_in(at_terminals["transaction_id"].to_list()).all()


def test_scenario_3_a_third_of_a_leaked_cards_transactions_are_frauds(transactions):
    draws = world.compromised_cards(SMALL.seed, SMALL.days, SMALL.customers)
    assert draws.group_by("day").agg(pl.col("customer_id").n_unique())["customer_id"].to_list() == [3] * SMALL.days
    with_cards = struck(transactions, draws, "customer_id", 14)
    third = transactions.filter(pl.col("scenario") == 3)
    assert third["transaction_id"].is_in(with_cards["transaction_id"].to_list()).all()
    # Exactly a third, rounded down, where no other draw of the same cards is near.
    compared = 0
    for (drawn,), pool in with_cards.group_by("drawn"):
        near = draws.filter((pl.col("day") - drawn).abs() < 14, pl.col("day") != drawn)
        if not near["customer_id"].is_in(pool["customer_id"].to_list()).any():
            assert (pool["scenario"] == 3).sum() == pool.height // 3
            compared += 1
    assert compared > 10


def test_scenario_3_multiplies_amounts_by_five(transactions, people):
    third = transactions.filter(pl.col("scenario") == 3).join(people, on="customer_id")
    assert third["amount"].sum() / third["mean_amount"].sum() == pytest.approx(5 * 1.027, rel=0.15)
    fifths = third["amount"] / 5 * 100
    assert ((fifths - fifths.round()).abs() < 1e-6).all()


def test_nothing_else_is_fraud(transactions):
    assert (transactions["fraud"] == (transactions["scenario"] > 0)).all()


def test_the_full_world_is_of_the_published_size():
    """The handbook: 1,754,155 transactions; 978, 9,099 and 4,604 frauds by scenario; 0.84 % in all."""
    full = world.generate(1)
    assert full.height == pytest.approx(1_754_155, rel=0.04)
    assert 0.005 < full["fraud"].mean() < 0.012
    counts = dict(full["scenario"].value_counts().iter_rows())
    assert counts[1] == pytest.approx(978, rel=0.25)
    assert counts[2] == pytest.approx(9_099, rel=0.1)
    assert counts[3] == pytest.approx(4_604, rel=0.1)


def test_what_was_laid_out_had_arrived_and_no_label_came_early(tmp_path):
    until = world.START + 40 * DAY + 5 * HOUR
    world.lay_out(tmp_path, until, SMALL)
    spent = pl.read_parquet(tmp_path / "transactions" / "*.parquet")
    known = pl.read_parquet(tmp_path / "outcomes" / "*.parquet")
    assert spent.columns == ["transaction_id", "time", "customer_id", "terminal_id", "amount"]
    assert known.columns == [*spent.columns[:5], "fraud", "known_at"]
    assert (known["known_at"] - known["time"]).unique().to_list() == [timedelta(days=7)]
    for moments in (spent["time"], known["known_at"]):
        assert datetime_of(until - HOUR) < moments.max() < datetime_of(until)
    assert sorted(path.name for path in (tmp_path / "outcomes").iterdir()) == ["2018-04.parquet", "2018-05.parquet"]
    assert pl.read_csv(tmp_path / "customers.csv").columns == ["customer_id", "x", "y"]
    assert pl.read_csv(tmp_path / "terminals.csv").columns == ["terminal_id", "x", "y"]
    assert pl.read_csv(tmp_path / "terminals.csv").height == SMALL.terminals


def test_laid_out_and_delivered_day_by_day_is_everything_once(tmp_path, transactions):
    at = world.START + 30 * DAY
    world.lay_out(tmp_path, at, SMALL)
    while at < AFTER:
        world.deliver(tmp_path, at, at + DAY, SMALL)
        at += DAY
    whole = transactions.drop("day", "scenario")
    spent = pl.read_parquet(tmp_path / "transactions" / "*.parquet").sort("transaction_id")
    known = pl.read_parquet(tmp_path / "outcomes" / "*.parquet").sort("transaction_id")
    assert spent.equals(whole.drop("fraud"))
    assert known.drop("known_at").equals(whole)


def test_a_delivery_repeated_changes_nothing(tmp_path):
    day = world.START + 30 * DAY
    world.lay_out(tmp_path, day, SMALL)
    world.deliver(tmp_path, day, day + DAY, SMALL)
    files = {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")}
    world.deliver(tmp_path, day, day + DAY, SMALL)
    assert {path: path.read_bytes() for path in tmp_path.rglob("*.parquet")} == files
    world.deliver(tmp_path, day + 6 * HOUR, day + 12 * HOUR, SMALL)
    assert (tmp_path / "transactions" / "2018-05-01T0600.parquet").is_file()
