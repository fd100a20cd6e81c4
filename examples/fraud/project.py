"""Is this card stolen? Asked as each payment is made, answered from what was known the moment before."""

from __future__ import annotations

import dataclasses

import polars as pl

import drivetrain as dt

project = dt.Project(
    "fraud",
    objective="Tell investigators which card payments are frauds, early enough to call the owner the same day",
    metric="average_precision",
)

# ---- where raw rows arrive ----

PLACE = {
    "x": dt.Column("float", nullable=False, low=0, high=100, description="Across"),
    "y": dt.Column("float", nullable=False, low=0, high=100, description="Along"),
}
HOME = {name: dataclasses.replace(column, privacy="sensitive") for name, column in PLACE.items()}
PAYMENT = {
    "transaction_id": dt.Column("int", nullable=False, low=0, description="Number of the payment"),
    "time": dt.Column("time", nullable=False, low="2018-04-01", description="When it was made"),
    "customer_id": dt.Column("int", nullable=False, low=0, privacy="personal", description="Whose card it was"),
    "terminal_id": dt.Column("int", nullable=False, low=0, description="Where it was made"),
    "amount": dt.Column("float", nullable=False, low=0, privacy="personal", description="How much"),
}
OUTCOME = {
    "fraud": dt.Column("bool", nullable=False, privacy="sensitive", description="Whether its owner complained"),
    "known_at": dt.Column("time", nullable=False, description="When that was known"),
}


def with_places(rows: pl.DataFrame, *, terminals: pl.DataFrame) -> pl.DataFrame:
    """Payments with the place of their terminal."""
    return rows.join(terminals.select("terminal_id", "x", "y"), on="terminal_id", how="left", maintain_order="left")


customers = project.source(
    "customers",
    dt.files("raw/customers.csv"),
    key="customer_id",
    contract=dt.Contract({"customer_id": PAYMENT["customer_id"], **HOME}),
    description="Where card owners live, on a plane of 100 by 100",
    owner="customer data",
)
terminals = project.source(
    "terminals",
    dt.files("raw/terminals.csv"),
    key="terminal_id",
    contract=dt.Contract({"terminal_id": PAYMENT["terminal_id"], **PLACE}),
    description="Where terminals stand",
    owner="merchants",
)
transactions = project.source(
    "transactions",
    dt.files("raw/transactions/*.parquet"),
    key="transaction_id",
    time="time",
    contract=dt.Contract({**PAYMENT, **PLACE}),
    prepare=with_places,
    uses=[terminals],
    description="Every payment, as it is made",
    owner="card payments",
)
outcomes = project.source(
    "outcomes",
    dt.files("raw/outcomes/*.parquet"),
    key="transaction_id",
    time="time",
    available="known_at",
    contract=dt.Contract({**PAYMENT, **OUTCOME}),
    description="The same payments a week later, when it is known which of them were frauds",
    owner="disputes",
)

# ---- the handbook's fifteen features, of what was known the moment before a payment ----

customer = dt.Entity("customer", keys=["customer_id"])
terminal = dt.Entity("terminal", keys=["terminal_id"])

DAYS = ["1d", "7d", "30d"]
A_WEEK_LATE = "7d"

spending = project.feature_view(
    "spending",
    entity=customer,
    source=transactions,
    features=[dt.count(windows=DAYS), dt.mean("amount", windows=DAYS)],
    description="How often a card pays, and how much",
    owner="card payments",
)
risk = project.feature_view(
    "risk",
    entity=terminal,
    source=outcomes,
    features=[dt.count(windows=DAYS, offset=A_WEEK_LATE), dt.share("fraud", windows=DAYS, offset=A_WEEK_LATE)],
    description="How many payments at a terminal turned out to be frauds, of those whose outcome is known",
    owner="disputes",
)


@project.request_features(inputs={"time": "time", "amount": "float"})
def payment(_request: pl.DataFrame) -> list[pl.Expr]:
    """What the payment says of itself."""
    return [
        pl.col("amount"),
        (pl.col("time").dt.weekday() > 5).alias("weekend"),
        (pl.col("time").dt.hour() <= 6).alias("night"),
    ]


# ---- beyond them: what else the same rows tell ----

card = project.feature_view(
    "card",
    entity=customer,
    source=transactions,
    features=[
        dt.count(windows=["1h", "6h", "3d", "14d"]),
        dt.since_last(),
        dt.std("amount", windows=["30d"]),
        dt.max("amount", windows=["1d", "7d", "30d"]),
        dt.quantile("amount", 0.5, windows=["30d"]),
        dt.quantile("amount", 0.9, windows=["30d"]),
        dt.count_distinct("terminal_id", windows=DAYS),
        dt.top_k("terminal_id", 1, windows=["30d"]),
        dt.last("terminal_id"),
        dt.last("x"),
        dt.last("y"),
    ],
    description="What a card is used for, in detail",
    owner="card payments",
)
complaints = project.feature_view(
    "complaints",
    entity=terminal,
    source=outcomes,
    features=[
        dt.share("fraud", windows=["3d", "14d", "28d"], offset=A_WEEK_LATE),
        dt.share("fraud", name="old_fraud", windows=["1d", "7d"], offset="28d"),
    ],
    description="More of a terminal's known frauds; the old ones tell when a spell of them is over",
    owner="disputes",
)
home = project.feature_view(
    "home", entity=customer, source=customers, features=[dt.last("x"), dt.last("y")], owner="customer data"
)
place = project.feature_view(
    "place", entity=terminal, source=terminals, features=[dt.last("x"), dt.last("y")], owner="merchants"
)


def apart(one: str, other: str) -> pl.Expr:
    """How far two places are from each other."""
    across, along = (pl.col(f"{one}.{axis}") - pl.col(f"{other}.{axis}") for axis in ("x", "y"))
    return (across**2 + along**2).sqrt()


def ratio(one: str | pl.Expr, other: str) -> pl.Expr:
    """One number to another; unknown where the other is zero."""
    number, whole = pl.col(one) if isinstance(one, str) else one, pl.col(other)
    return pl.when(whole > 0).then(number / whole)


velocity = project.feature_view(
    "velocity",
    of=[spending, card],
    features=[
        *(pl.col(f"card.count_{window}").alias(f"payments_{window}") for window in ("1h", "6h", "3d", "14d")),
        pl.col("card.since_last").alias("since_last"),
        ratio(pl.col("card.count_1h") * 168, "spending.count_7d").alias("hour_to_week"),
        ratio(pl.col("spending.count_1d") * 7, "spending.count_7d").alias("day_to_week"),
        ratio(pl.col("spending.count_7d") * 30 / 7, "spending.count_30d").alias("week_to_month"),
    ],
    description="How fast a card pays, beside its own habit",
    owner="fraud investigations",
)
against = project.feature_view(
    "against",
    of=[payment, spending, card],
    features=[
        ratio("payment.amount", "spending.mean_amount_30d").alias("mean"),
        ratio("payment.amount", "card.quantile_0.5_amount_30d").alias("median"),
        ratio("payment.amount", "card.quantile_0.9_amount_30d").alias("high"),
        ratio("payment.amount", "card.max_amount_30d").alias("highest"),
        ratio(pl.col("payment.amount") - pl.col("spending.mean_amount_30d"), "card.std_amount_30d").alias("deviations"),
        ratio("card.max_amount_1d", "card.quantile_0.5_amount_30d").alias("last_day_highest"),
        ratio("card.max_amount_7d", "card.quantile_0.5_amount_30d").alias("last_week_highest"),
    ],
    description="The amount, and the highest of late, beside what the card spends otherwise",
    owner="fraud investigations",
)
mix = project.feature_view(
    "mix",
    of=[card],
    inputs={"terminal_id": "int"},
    features=[
        *(pl.col(f"card.count_distinct_terminal_id_{days}").alias(f"terminals_{days}") for days in DAYS),
        (pl.col("card.top_terminal_id_1_30d") == pl.col("terminal_id")).alias("favourite"),
        (pl.col("card.terminal_id") == pl.col("terminal_id")).alias("same_as_last"),
    ],
    description="How many terminals a card pays at, and whether this one is usual",
    owner="fraud investigations",
)
distance = project.feature_view(
    "distance",
    of=[home, place, card],
    features=[apart("home", "place").alias("from_home"), apart("card", "place").alias("from_last")],
    description="How far the terminal is from home, and from the last one",
    owner="fraud investigations",
)

# ---- what is to be learned, and what it must meet ----

# Asked just before the payment: neither it nor another of the same second counts in its own score.
was_fraud = dt.label(outcomes, pl.col("fraud"), at=pl.col("time") - pl.duration(microseconds=1))
# Labels are known a week later: the week before the test teaches nothing, the week before that does.
weeks = dt.TimeSplit(test="7d", valid=None, start="2018-07-25")
# As many bins as LightGBM itself makes: with fewer, the few amounts that are frauds for their size share one.
trees = dt.LightGBM(max_bin=255)
gates = [dt.Gate("average_precision", at_least=0.5), dt.Gate("roc_auc", at_least=0.8)]

fraud = project.model(
    "fraud",
    label=was_fraud,
    features=[payment, spending, risk],
    trainer=trees,
    split=weeks,
    baselines={
        "logistic regression": dt.Sklearn("logistic_regression"),
        "random forest": dt.Sklearn("random_forest", min_samples_leaf=1),
    },
    gates=gates,
    description="Probability that a card payment is a fraud, from the handbook's fifteen features",
    owner="fraud investigations",
    positive="a card payment is a fraud",
    rows="payments",
)
beyond = project.model(
    "beyond",
    label=was_fraud,
    features=[payment, spending, risk, complaints, velocity, against, mix, distance],
    trainer=trees,
    split=weeks,
    gates=gates,
    description="The same, from more of what the same rows tell",
    owner="fraud investigations",
    positive="a card payment is a fraud",
    rows="payments",
)

# What is known of complaints is sensitive. The log keeps it: what was served is held against what was learned.
project.endpoint("fraud", model=fraud, description="Asked as each payment is made", keep_sensitive=True)
project.endpoint("beyond", model=beyond, description="Asked as each payment is made", keep_sensitive=True)
