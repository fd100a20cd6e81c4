"""A shop whose model reads every type of field, and rows of requests to score."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np
import polars as pl
from tests.loop.shop import edit, make_shop

from drivetrain.core.clock import iso, micros_of
from drivetrain.loop.project import Project

COLUMNS = """        "returned": dt.Column("int", among=(0, 1)),
            "items": dt.Column("int"),
            "gift": dt.Column("bool"),
            "wanted": dt.Column("date"),
"""
BASKET = """
@project.request_features(
    inputs={"category": "string", "amount": "float", "items": "int", "gift": "bool", "ordered": "time",
            "wanted": "date"}
)
def basket(request: pl.DataFrame) -> list[pl.Expr]:
    return [
        pl.col("category"),
        pl.col("amount").log1p().alias("log_amount"),
        (pl.col("amount") / pl.col("items")).alias("each"),
        pl.col("items"),
        pl.col("gift"),
        pl.col("ordered").dt.hour().alias("hour"),
        pl.col("wanted").dt.weekday().alias("weekday"),
    ]


ratios = project.feature_view(
    "ratios",
    of=[history, tastes, basket],
    inputs={"amount": "float"},
    features=[
        (pl.col("amount") / pl.col("history.mean_amount_90d")).alias("beside_usual"),
        (pl.col("basket.category") == pl.col("tastes.category")).alias("again"),
    ],
)

"""
TASTES = """
tastes = project.feature_view(
    "tastes",
    entity=customer,
    source=orders,
    ttl="180d",
    features=[dt.last("category"), dt.last("gift"), dt.last("amount"), dt.top_k("category", 2, windows=["90d"])],
)


@project.request_features("""


def widen(path):
    """More columns in the raw orders: of every type that a request may have."""
    orders = pl.read_csv(path)
    number = pl.int_range(pl.len())
    orders.with_columns(
        (number % 5 + 1).alias("items"),
        (number % 3 == 0).alias("gift"),
        (pl.lit(date(2026, 1, 1)) + pl.duration(days=number % 90)).alias("wanted"),
    ).write_csv(path)


def make_wide_shop(folder):
    """A shop whose model reads every type of field, and texts, booleans and numbers of views, and derived features."""
    make_shop(folder)
    widen(folder / "raw" / "orders.csv")
    edit(folder, '        "returned": dt.Column("int", among=(0, 1)),\n', COLUMNS)
    text = (folder / "project.py").read_text()
    begin, end = text.index("@project.request_features("), text.index("model = project.model(")
    text = text[:begin] + TASTES.removesuffix("@project.request_features(") + BASKET.lstrip() + "\n" + text[end:]
    (folder / "project.py").write_text(
        text.replace("features=[basket, history]", "features=[basket, history, tastes, ratios]")
    )
    project = Project.load(folder)
    assert project.run(at="2026-06-30").refused == ()
    project.store.close()
    return folder


def requests(many=300):
    """Requests at moments of their own: known and unknown customers, none at all, categories never seen."""
    chance = np.random.default_rng(7)
    start = datetime(2026, 6, 1, tzinfo=UTC)
    customers = [*(f"c{number:03d}" for number in range(60)), "nobody yet", None]

    def moments():
        return [start + timedelta(microseconds=int(at)) for at in chance.integers(0, 28 * 86_400_000_000, many)]

    categories = ["dresses", "shoes", "lamps", "books", "spacecraft", ""]
    return pl.DataFrame(
        {
            "order_id": [f"new-{number}" for number in range(many)],
            "customer": [customers[at] for at in chance.integers(0, len(customers), many)],
            "category": [categories[at] for at in chance.integers(0, len(categories), many)],
            "amount": chance.lognormal(3, 2, many),
            "items": chance.integers(0, 6, many),
            "gift": chance.random(many) < 0.5,
            "ordered": moments(),
            "wanted": [date(2026, 7, 1) + timedelta(days=int(at)) for at in chance.integers(0, 60, many)],
            "at": moments(),
            "note": [None if number % 7 else f"note {number}" for number in range(many)],
        }
    )  # fmt: skip


def asked(rows):
    """The same rows, as one asks an endpoint for them."""
    fields = rows.drop("at", "note").with_columns(
        pl.col("ordered").dt.strftime("%Y-%m-%dT%H:%M:%S%.6fZ"), pl.col("wanted").cast(pl.String)
    )
    return fields.to_dicts(), [iso(micros_of(at)) for at in rows["at"]]


def write(rows, path):
    texts = rows.with_columns(
        pl.col("ordered", "at").dt.strftime("%Y-%m-%dT%H:%M:%S%.6f+00:00"), pl.col("wanted").cast(pl.String)
    )
    if path.suffix == ".parquet":
        rows.write_parquet(path)
    elif path.suffix == ".jsonl":
        texts.write_ndjson(path)
    else:
        texts.write_csv(path, separator="\t" if path.suffix == ".tsv" else ",")
    return path
