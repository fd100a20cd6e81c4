"""The handbook's way to its features, in pandas: a rolling window in every group, and the delay as a difference of two.

    python fraud_pandas.py FOLDER

Written anew after the description in chapter 3 of the handbook. Of transactions of one second a rolling window sees
those before it in the table, where a point-in-time rule sees them all.
"""

from __future__ import annotations

import sys
from pathlib import Path

import pandas as pd

import measure

DAYS = (1, 7, 30)
DELAY = 7


def customer(rows: pd.DataFrame) -> pd.DataFrame:
    """How often, and how much at a time, one customer has paid of late."""
    rows = rows.sort_values("time").set_index("time")
    made = {"transaction_id": rows["transaction_id"].to_numpy()}
    for days in DAYS:
        window = rows["amount"].rolling(f"{days}d")
        count, total = window.count(), window.sum()
        made[f"customer_count_{days}d"] = count.to_numpy()
        made[f"customer_amount_{days}d"] = (total / count).to_numpy()
    return pd.DataFrame(made)


def terminal(rows: pd.DataFrame) -> pd.DataFrame:
    """How often one terminal was used, and how often by thieves, in windows that end when outcomes are known."""
    rows = rows.sort_values("time").set_index("time")
    made = {"transaction_id": rows["transaction_id"].to_numpy()}
    late = rows["fraud"].rolling(f"{DELAY}d")
    late_count, late_frauds = late.count(), late.sum()
    for days in DAYS:
        window = rows["fraud"].rolling(f"{DELAY + days}d")
        count, frauds = window.count() - late_count, window.sum() - late_frauds
        made[f"terminal_count_{days}d"] = count.to_numpy()
        made[f"terminal_risk_{days}d"] = (frauds / count).fillna(0).to_numpy()
    return pd.DataFrame(made)


def features(folder: Path) -> pd.DataFrame:
    """All fifteen, in the order of the transactions."""
    rows = pd.read_parquet(folder / "transactions.parquet").drop(columns="scenario")
    rows["fraud"] = rows["fraud"].astype(float)
    made = rows[["transaction_id", "amount"]].copy()
    made["weekend"] = rows["time"].apply(lambda moment: float(moment.weekday() >= 5))
    made["night"] = rows["time"].apply(lambda moment: float(moment.hour <= 6))
    for key, work in (("customer_id", customer), ("terminal_id", terminal)):
        found = rows.groupby(key)[["transaction_id", "time", "amount", "fraud"]].apply(work)
        made = made.merge(found.reset_index(drop=True), on="transaction_id", how="left")
    return made


def main() -> None:
    folder = Path(sys.argv[1])
    made: list[pd.DataFrame] = []

    def work() -> float:
        made.append(features(folder))
        return float(len(made[0]))

    measure.here("pandas rolling, the handbook's way", work)
    made[0].to_parquet(folder / "pandas.parquet")


if __name__ == "__main__":
    main()
