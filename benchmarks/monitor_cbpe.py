"""Performance of a million predictions without labels, beside NannyML.

    python benchmarks/monitor_cbpe.py [--quick]

Both estimate ROC AUC, average precision, accuracy, precision, recall and F1 from the same scores, and from 50,000
labelled rows before them: ours learns the calibration and resamples 200 times for its intervals, NannyML fits isotonic
regression and gives one interval of three standard errors from a closed form. ``check`` is the estimated ROC AUC.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from pathlib import Path

import numpy as np

import peers
import summary
from drivetrain.monitor.estimate.binary import estimate_binary
from drivetrain.monitor.estimate.calibration import observe
from measure import Cost, apart, beside, here, least, table

PEER = ("nannyml==0.13.1", "pandas<3", "statsmodels")
BUDGET = 2.0
"""Seconds for a million rows."""
AGREE = 0.005
"""How far apart the two estimates of ROC AUC may lie: calibrations differ."""


def make(rows: int, place: Path) -> None:
    """Scores of a reference with labels, and of a window."""
    dice = np.random.default_rng(1)
    reference, window = dice.beta(1, 4, 50_000), dice.beta(1.4, 4, rows)
    came = (dice.random(50_000) < reference**1.2).astype(np.float64)
    np.savez(place, reference=reference, came=came, window=window)


def run(name: str, place: str) -> Cost:
    """Ours, in this process."""
    with np.load(place) as rows:
        reference, came, window = (rows[each] for each in ("reference", "came", "window"))

    def estimated() -> float:
        seen = observe(reference, came, np.arange(len(reference)) // 1_000)
        return estimate_binary(seen, window, np.arange(len(window)) * 30 // len(window))["roc_auc"].value

    return here(name, estimated)


def main() -> None:
    """Runs both turn about and prints a table."""
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
    with tempfile.TemporaryDirectory(prefix="bench-cbpe-") as folder:
        place = Path(folder) / "rows.npz"
        make(many, place)
        script = str(Path(__file__))
        costs = least(
            [
                lambda: apart(sys.executable, [script, "--run", "drivetrain", str(place)], "drivetrain"),
                lambda: peers.run(PEER, ["nannyml_peer.py", str(place)], "NannyML CBPE"),
            ],
            options.repeat,
        )
    table(costs)
    ours, theirs = costs
    if not theirs.note and abs(ours.check - theirs.check) > AGREE:
        sys.exit(f"they do not agree: {ours.check} and {theirs.check}")
    summary.add(
        options.summary,
        summary.Line(
            f"performance of {many:,} predictions estimated without labels, with intervals",
            f"{ours.cpu:.2f} CPU-s, {ours.wall:.2f} s",
            f"{BUDGET:g} s of one core",
            ours.cpu <= BUDGET,
            [beside(theirs, ours)],
        ),
    )


if __name__ == "__main__":
    main()
