"""The handbook's own fifteen features and models, without drivetrain: what the project's figures are held against.

``python examples/fraud/handbook.py`` makes the worlds of three seeds and prints the table of ``README.md``. The
features are computed at once over a finished history, as a notebook would; tests hold others' against them.
"""

from __future__ import annotations

import argparse
import time

import numpy as np
import polars as pl
import protocol
import world
from lightgbm import LGBMClassifier
from sklearn.ensemble import RandomForestClassifier
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import StandardScaler
from world import Floats, Ints

from drivetrain.core.clock import DAY

WINDOWS = (1, 7, 30)
"""Days."""
NIGHT_UNTIL = 6
"""The last hour of the night."""
FEATURES = (
    *("amount", "weekend", "night"),
    *(f"customer_{what}_{days}d" for days in WINDOWS for what in ("count", "amount")),
    *(f"terminal_{what}_{days}d" for days in WINDOWS for what in ("count", "risk")),
)
PUBLISHED = {
    "logistic regression": (0.871, 0.606, 0.291),
    "random forest": (0.867, 0.658, 0.287),
    "gradient boosting": (0.862, 0.639, 0.273),
}
"""ROC AUC, average precision and card precision@100 of the handbook's chapter 3; its boosting is XGBoost's."""
THREADS = 2


def handbook_features(transactions: pl.DataFrame, delay: int = world.KNOWN_AFTER, before: int = 0) -> pl.DataFrame:
    """The fifteen features, beside the transactions.

    A customer's windows are ``(t - w, t]``: they count the transaction itself, and others of the same second. A
    terminal's are ``(t - delay - w, t - delay]``: no outcome is used before it was known. The risk of a terminal
    without transactions in the window is 0; the mean amount of a customer without any is NaN.

    Args:
        transactions: ``time`` (UTC), ``customer_id``, ``terminal_id``, ``amount`` and ``fraud``.
        delay: Microseconds from a transaction until its outcome is known.
        before: Microseconds before each transaction that ``t`` is: none in the handbook; with one, nothing of the same
            moment counts, the transaction itself included.

    Returns:
        The same rows in the same order, with the columns of :data:`FEATURES`, all floats.
    """
    at = transactions["time"].to_physical().to_numpy()
    amount, fraud = (transactions[name].to_numpy().astype(np.float64) for name in ("amount", "fraud"))
    made = {
        "weekend": (transactions["time"].dt.weekday() > 5).to_numpy().astype(np.float64),
        "night": (transactions["time"].dt.hour() <= NIGHT_UNTIL).to_numpy().astype(np.float64),
    }
    reach = before + delay + max(WINDOWS) * DAY
    customers = Timeline(transactions["customer_id"].to_numpy(), at, reach=reach)
    terminals = Timeline(transactions["terminal_id"].to_numpy(), at, reach=reach)
    for days in WINDOWS:
        count, total = customers.within(amount, length=days * DAY, offset=before)
        mean = np.divide(total, count, out=np.full(len(count), np.nan), where=count > 0)
        made |= {f"customer_count_{days}d": count, f"customer_amount_{days}d": mean}
        count, total = terminals.within(fraud, length=days * DAY, offset=before + delay)
        made |= {f"terminal_count_{days}d": count, f"terminal_risk_{days}d": total / np.maximum(count, 1)}
    return transactions.with_columns(pl.Series(name, values) for name, values in made.items())


class Timeline:
    """Rows of many groups, each group in the order of time.

    Args:
        group: A whole number per row.
        at: When, microseconds.
        reach: How far back windows will go; keeps one group's past from the group before.
    """

    def __init__(self, group: Ints, at: Ints, *, reach: int) -> None:
        since = at - at.min() + reach
        place = group * int(since.max() + 1) + since
        self._order = np.argsort(place, kind="stable")
        self._place = place[self._order]

    def within(self, values: Floats, *, length: int, offset: int = 0) -> tuple[Floats, Floats]:
        """For each row, count and sum over its group's rows with a time in ``(t - offset - length, t - offset]``.

        Sums are of whole hundredths, thus exact for amounts in cents.
        """
        sums = np.concatenate([[0], np.cumsum(np.rint(values[self._order] * 100).astype(np.int64))])
        end = np.searchsorted(self._place, self._place - offset, side="right")
        begin = np.searchsorted(self._place, self._place - offset - length, side="right")
        count, total = np.empty(len(values)), np.empty(len(values))
        count[self._order] = end - begin
        total[self._order] = (sums[end] - sums[begin]) / 100
        return count, total


def judged(featured: pl.DataFrame, weeks: protocol.Weeks = protocol.HANDBOOK) -> dict[str, dict[str, float]]:
    """Each model's measures on the test week, learned from the training week, nothing tuned.

    LightGBM stands for the handbook's XGBoost. All are seeded with 0, as in the handbook.
    """
    detectors = {
        "logistic regression": make_pipeline(StandardScaler(), LogisticRegression(random_state=0)),
        "random forest": RandomForestClassifier(random_state=0, n_jobs=THREADS),
        "gradient boosting": LGBMClassifier(random_state=0, n_jobs=THREADS, verbose=-1),
    }
    train, test = protocol.split(featured, weeks)
    found = {}
    for name, detector in detectors.items():
        detector.fit(train.select(FEATURES).to_numpy(), train["fraud"].to_numpy())
        found[name] = protocol.measures(test, detector.predict_proba(test.select(FEATURES).to_numpy())[:, 1])
    return found


def main() -> None:
    """Prints the table: the handbook's figures, each seed's, and their mean with its standard deviation."""
    parser = argparse.ArgumentParser(description="The handbook's protocol on worlds of our own.")
    parser.add_argument("--seeds", type=int, nargs="+", default=[1, 2, 3], help="which worlds (default 1 2 3)")
    options = parser.parse_args()
    runs = []
    for seed in options.seeds:
        began = time.perf_counter()
        transactions = world.generate(seed)
        made = time.perf_counter()
        featured = handbook_features(transactions)
        ready = time.perf_counter()
        runs.append(judged(featured))
        print(f"seed {seed}: {described(featured)}")
        took = (made - began, ready - made, time.perf_counter() - ready)
        print("  world {:.1f} s, features {:.1f} s, models {:.1f} s".format(*took))
    print("\n| ROC AUC / average precision / card precision@100 | handbook |", *(f"seed {n} |" for n in options.seeds))
    for name, published in PUBLISHED.items():
        columns = [published, *(tuple(run[name].values()) for run in runs)]
        print(f"| {name} |", *(" / ".join(f"{value:.3f}" for value in column) + " |" for column in columns))
        if len(runs) > 1:
            means, spreads = np.mean(columns[1:], axis=0), np.std(columns[1:], axis=0, ddof=1)
            print("    mean", " / ".join(f"{mean:.3f} ± {by:.3f}" for mean, by in zip(means, spreads, strict=True)))


def described(transactions: pl.DataFrame) -> str:
    """How many transactions there are, of which kind, and how many are learned from and judged."""
    scenarios = ", ".join(f"{(transactions['scenario'] == kind).sum():,}" for kind in (1, 2, 3))
    parts = zip(("all", "train", "test"), (transactions, *protocol.split(transactions)), strict=True)
    counts = "; ".join(f"{name} {part.height:,} with {part['fraud'].sum():,} frauds" for name, part in parts)
    return f"{counts}; by scenario {scenarios}"


if __name__ == "__main__":
    main()
