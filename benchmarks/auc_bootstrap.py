"""Intervals of ROC AUC by bootstrap: a thousand replicates over a million rows, ours beside numpy and scikit-learn.

    python benchmarks/auc_bootstrap.py [--rows 1000000] [--replicates 1000]

Rows lie in 60 days, and days are drawn whole; in a second run 5,000 customers are. Both are one call of
``Resamples.roc_auc``. Beside it: a sort once and one pass a replicate over all rows (numpy), and ``roc_auc_score`` of
scikit-learn with the replicate's weights, which are timed over a few replicates and told for all of them. Each run is a
process of its own, and the replicates that several of them made must be equal.
"""
# ruff: noqa: PLC0415 - each part of it runs in a process that loads what it measures

from __future__ import annotations

import argparse
import time
from functools import partial
from pathlib import Path

import measure
import peers
import summary

OURS, CUSTOMERS = "drivetrain, 60 days drawn whole", "drivetrain, 5,000 customers drawn whole"
PASSES, SKLEARN = "numpy: one pass a replicate", "scikit-learn: roc_auc_score"
FEW = 5
BUDGET = 20.0


def world(rows: int, replicates: int, *, customers: bool) -> tuple[object, object, object]:
    """Labels, scores and draws, from a seed."""
    import numpy as np

    from drivetrain.core.clock import DAY
    from drivetrain.evaluate.bootstrap import Bootstrap, draw

    chance = np.random.default_rng(3)
    day = chance.integers(0, 60, rows)
    margin = chance.normal(-1.0, 1.0, rows) + 0.4 * chance.normal(size=60)[day]
    labels = (chance.random(rows) < 1 / (1 + np.exp(-margin))).astype(np.float64)
    scores = np.round(1 / (1 + np.exp(-margin - chance.normal(0, 0.5, rows))), 4)  # ties, as rounded scores have
    who = chance.integers(0, 5_000, rows) if customers else None
    return labels, scores, draw(day * DAY, Bootstrap(replicates=replicates), who)


def ours(rows: int, replicates: int, *, customers: bool) -> measure.Outcome:
    """Drivetrain, all replicates."""
    labels, scores, resamples = world(rows, replicates, customers=customers)
    begin = time.perf_counter()
    found = resamples.roc_auc(labels, scores)
    return float(found[: FEW + 1].sum()), {"seconds": time.perf_counter() - begin}


def passes(rows: int, replicates: int) -> measure.Outcome:
    """The same by weights of rows sorted once; a few replicates, told for all."""
    import numpy as np

    from drivetrain.evaluate.ranking import Ranking

    labels, scores, resamples = world(rows, replicates, customers=False)
    begin = time.perf_counter()
    ranking = Ranking(labels, scores)
    sorted_once = time.perf_counter() - begin
    every = [np.ones(rows, np.int64), *(resamples.counts[at][resamples.codes] for at in range(FEW))]
    begin = time.perf_counter()
    found = [ranking.areas(weights[ranking.order]).roc_auc for weights in every]
    each = (time.perf_counter() - begin) / len(every)
    return float(np.sum(found)), {"seconds": sorted_once + each * (replicates + 1)}


def sklearn(rows: int, replicates: int) -> measure.Outcome:
    """scikit-learn, a few replicates, told for all."""
    import numpy as np
    from sklearn.metrics import roc_auc_score

    labels, scores, resamples = world(rows, replicates, customers=False)
    every = [np.ones(rows, np.int64), *(resamples.counts[at][resamples.codes] for at in range(FEW))]
    begin = time.perf_counter()
    found = [roc_auc_score(labels, scores, sample_weight=weights) for weights in every]
    each = (time.perf_counter() - begin) / len(every)
    return float(np.sum(found)), {"seconds": each * (replicates + 1)}


def one(name: str, rows: int, replicates: int) -> None:
    """One run, in this process."""
    work = {
        OURS: partial(ours, customers=False),
        CUSTOMERS: partial(ours, customers=True),
        PASSES: passes,
        SKLEARN: sklearn,
    }[name]
    measure.here(name, partial(work, rows, replicates), ["numpy", "drivetrain.evaluate.bootstrap"])


def main() -> None:
    """Measures every contestant, and prints them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--replicates", type=int, default=1_000)
    parser.add_argument("--one", help=argparse.SUPPRESS)
    summary.repeats(parser)
    summary.asks(parser)
    given = parser.parse_args()
    if given.one:
        one(given.one, given.rows, given.replicates)
        return
    script, sizes = Path(__file__).name, ["--rows", str(given.rows), "--replicates", str(given.replicates)]
    names = (OURS, CUSTOMERS, PASSES, SKLEARN)
    runs = [partial(peers.run, (), [script, "--one", name, *sizes], name) for name in names]
    found = dict(zip(names, measure.least(runs, given.repeat), strict=True))
    print(f"{given.replicates:,} replicates of ROC AUC over {given.rows:,} rows; seconds, the draws apart")
    for name, cost in found.items():
        seconds = cost.more.get("seconds", float("nan"))
        ratio = measure.times(seconds / found[OURS].more["seconds"])
        print(f"{name:42} {seconds:9.2f} s {ratio:>8} {cost.peak_mb:7,.0f} MB  {cost.check:.12g} {cost.note}")
    checks = [found[name].check for name in (OURS, PASSES, SKLEARN) if not found[name].note]
    if max(checks) - min(checks) > 1e-9:
        raise SystemExit(f"the replicates differ: {checks}")
    slowest = max(found[name].more["seconds"] for name in (OURS, CUSTOMERS))
    budget_applies = (given.rows, given.replicates) == (1_000_000, 1_000)
    line = summary.Line(
        f"{given.replicates:,} bootstrap replicates of ROC AUC over {given.rows:,} rows, days or customers drawn whole",
        f"{found[OURS].more['seconds']:.2f} s by day, {found[CUSTOMERS].more['seconds']:.1f} s by customer",
        f"≤ {BUDGET:g} s on 2 cores",
        slowest <= BUDGET if budget_applies else None,
        [f"{name} {found[name].more['seconds']:,.0f} s (told from {FEW + 1})" for name in (PASSES, SKLEARN)],
    )
    print(summary.markdown([line]))
    summary.add(given.summary, line)


if __name__ == "__main__":
    main()
