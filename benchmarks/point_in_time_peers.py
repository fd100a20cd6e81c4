"""The peers of ``point_in_time.py``: each ends with every label and its features in memory, as we do.

python point_in_time_peers.py NAME lookups|windows FOLDER
"""

# ruff: noqa: PLC0415 - contestants run in environments that lack each other's libraries

from __future__ import annotations

import sys
from pathlib import Path

import measure

VIEWS, FEATURES = 3, 10
COLUMNS = [f"x{at}" for at in range(FEATURES)]


def polars_asof(folder: Path, task: str) -> float:
    """Polars' own as-of join, or cumulative sums and as-of joins for windows."""
    import polars as pl

    labels = pl.read_parquet(folder / "labels.parquet").with_row_index("row").sort("_at")
    if task == "lookups":
        total = 0.0
        made = []
        for view in range(VIEWS):
            rows = pl.scan_parquet(folder / f"view{view}.parquet").drop("_available_at", "_seq")
            joined = labels.lazy().join_asof(rows, left_on="_at", right_on="_event_time", by="entity").collect()
            made.append(joined)
            total += joined.select(pl.sum_horizontal(pl.col("^x.*$").sum())).item()
        return total
    rows = (
        pl.scan_parquet(folder / "events.parquet")
        .select("entity", "_event_time", "amount")
        .with_columns(
            pl.col("amount").cum_sum().over("entity").alias("total"),
            pl.int_range(1, pl.len() + 1).over("entity").alias("n"),
        )
        .drop("amount")
        .collect()
    )
    now = labels.join_asof(rows, left_on="_at", right_on="_event_time", by="entity").select("total", "n").fill_null(0)
    made = []
    for hours in (1, 24, 168):
        before = (
            labels.with_columns(pl.col("_at") - pl.duration(hours=hours))
            .join_asof(rows, left_on="_at", right_on="_event_time", by="entity")
            .select("total", "n")
            .fill_null(0)
        )
        made.append(
            pl.DataFrame({"n": now["n"] - before["n"], "s": now["total"] - before["total"]}).with_columns(
                pl.when(pl.col("n") > 0).then("s").alias("s"),
                m=pl.when(pl.col("n") > 0).then(pl.col("s") / pl.col("n")),
            )
        )
    return float(sum(one.sum().sum_horizontal().item() for one in made))


def duckdb(folder: Path, task: str) -> float:
    """DuckDB's ASOF JOIN, or a range join for windows; the result as an Arrow table."""
    import duckdb as db
    import pyarrow.compute as pc

    connection = db.connect()
    connection.execute("SET threads = 2")
    labels = f"(SELECT * FROM '{folder}/labels.parquet')"
    if task == "lookups":
        made = []
        for view in range(VIEWS):
            found = connection.execute(
                f"SELECT l.*, {', '.join(COLUMNS)} FROM {labels} l ASOF LEFT JOIN '{folder}/view{view}.parquet' e "
                "ON l.entity = e.entity AND l._at >= e._event_time"
            )
            made.append(found.to_arrow_table())
        return sum(pc.sum(table[name]).as_py() for table in made for name in COLUMNS)
    spans = {"h": "1 HOUR", "d": "1 DAY", "w": "7 DAY"}
    columns = ", ".join(
        f"count(*) FILTER (e._event_time > l._at - INTERVAL {span}) AS n{tag}, "
        f"sum(e.amount) FILTER (e._event_time > l._at - INTERVAL {span}) AS s{tag}"
        for tag, span in spans.items()
    )
    means = ", ".join(f"s{tag} / n{tag} AS m{tag}" for tag in spans)
    table = connection.execute(
        f"SELECT *, {means} FROM (SELECT l.row, {columns} "
        f"FROM (SELECT row_number() OVER () AS row, * FROM {labels}) l "
        f"LEFT JOIN '{folder}/events.parquet' e ON l.entity = e.entity AND e._event_time <= l._at "
        "AND e._event_time > l._at - INTERVAL 7 DAY GROUP BY l.row)"
    ).to_arrow_table()
    return float(sum(pc.sum(table[what + tag]).as_py() for what in "nsm" for tag in spans))


def pandas(folder: Path, task: str) -> float:
    """Pandas ``merge_asof``."""
    import pandas as pd

    if task != "lookups":
        raise SystemExit("no windows at given moments in pandas")
    labels = pd.read_parquet(folder / "labels.parquet").sort_values("_at")
    made = []
    for view in range(VIEWS):
        rows = pd.read_parquet(folder / f"view{view}.parquet").drop(columns=["_available_at", "_seq"])
        made.append(pd.merge_asof(labels, rows, left_on="_at", right_on="_event_time", by="entity"))
    return sum(float(one[COLUMNS].sum().sum()) for one in made)


CONTESTANTS = {
    "Polars by hand": (polars_asof, ["polars"]),
    "DuckDB": (duckdb, ["duckdb", "pyarrow.compute"]),
    "pandas merge_asof": (pandas, ["pandas", "pyarrow.parquet"]),
}


def main() -> None:
    name, task, folder = sys.argv[1:]
    contestant, imports = CONTESTANTS[name]
    measure.here(name, lambda: contestant(Path(folder), task), imports)


if __name__ == "__main__":
    main()
