"""Equalized odds of a million answers in six groups, beside fairlearn.

    python benchmarks/fairness.py [--quick]

The first row counts alone, as fairlearn does; groups come as text, told apart within the clock. The second is the
whole report: seven rates of every group, ten ways to say how far groups lie apart, and an interval on each of them from
500 resamples of days. All agree in the value. Numpy gets text as objects, which is what fairlearn is fastest with.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np
import polars as pl

import peers
import summary
from drivetrain.core.clock import DAY
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.fairness.rates import disparities
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.report import Subject
from measure import Cost, apart, beside, here, least, table, times

PEER = ("fairlearn==0.15.0",)
BUDGET = 50
"""Times as fast as fairlearn's own call."""
NAMES = ["north", "south", "east", "west", "isles", "abroad"]
ODDS = "equalized_odds_difference"


def make(rows: int, place: Path) -> None:
    """Labels, answers, groups and moments."""
    dice = np.random.default_rng(1)
    codes = dice.choice(len(NAMES), rows, p=[0.3, 0.25, 0.2, 0.15, 0.07, 0.03])
    labels = (dice.random(rows) < 0.3).astype(np.int64)
    scores = 1 / (1 + np.exp(-(labels * (2 - 0.2 * codes) - 1.5 + dice.normal(size=rows))))
    np.savez(
        place,
        labels=labels,
        scores=scores,
        acted=(scores >= 0.5).astype(np.int64),
        names=np.array(NAMES, dtype=str),
        codes=codes,
        ats=dice.integers(0, 60 * DAY, rows),
    )


def run(name: str, place: str) -> Cost:
    """One of ours, in this process."""
    with np.load(place) as rows:
        labels, scores, acted, codes, ats = (rows[each] for each in ("labels", "scores", "acted", "codes", "ats"))
    groups = pl.Series("group", NAMES).gather(codes)

    def counted() -> float:
        return disparities(labels, acted, groups.cast(pl.Categorical).to_physical().to_numpy())[ODDS]

    def reported() -> float:
        report = fairness_report(
            Answers(predictions=scores, labels=labels.astype(np.float64), ats=ats, threshold=0.5),
            groups.to_frame(),
            [Protected("group")],
            subject=Subject(run_id="r", model="m", data="table:t@0"),
        )
        return next(each.value.value for each in report.disparities if each.metric == ODDS)

    return here(name, {"count": counted, "report": reported}[name])


def main() -> None:
    """Runs everything turn about and prints a table."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    if options.run:
        run(*options.run)
        return
    many = 50_000 if options.quick else 1_000_000
    with tempfile.TemporaryDirectory(prefix="bench-fairness-") as folder:
        place = Path(folder) / "rows.npz"
        make(many, place)
        script = str(Path(__file__))
        ours = [
            lambda name=name: apart(sys.executable, [script, "--run", name, str(place)], name)
            for name in ("count", "report")
        ]
        theirs = [
            lambda name=name: peers.run(PEER, ["fairness_peer.py", name, str(place)], name)
            for name in ("fairlearn", "fairlearn MetricFrame")
        ]
        costs = least([*ours, *theirs], options.repeat)
    table(costs)
    values = {round(cost.check, 12) for cost in costs if not cost.note}
    if len(values) != 1:
        sys.exit(f"they do not agree: {values}")
    count, report, fairlearn, _ = costs
    ratio = 0.0 if fairlearn.note else fairlearn.cpu / max(count.cpu, 1e-9)
    summary.add(
        options.summary,
        summary.Line(
            f"equalized odds of {many:,} answers in {len(NAMES)} groups",
            f"{count.cpu:.3f} CPU-s; with every rate and interval {report.cpu:.2f}",
            f"{times(BUDGET)} as fast as fairlearn",
            None if fairlearn.note else ratio >= BUDGET,
            [beside(cost, count) for cost in costs[2:]],
        ),
    )


if __name__ == "__main__":
    main()
