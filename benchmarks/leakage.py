"""What looking for leaks costs before a fit: every check over a training set with a million rows of thirty features.

    python benchmarks/leakage.py [--rows 1000000] [--repeat 3]

Half of the features are numbers drawn at random, some with nulls or ties, the others counts, booleans, codes and texts;
a tenth of the rows judge, and a hundredth have no label. Nothing leaks. Beside it, for scale, what the fit pays anyway:
its rows cut, sorted and encoded. Each figure is the least CPU time of some rounds, each in a process of its own; each
check is timed alone as well, in an order in which what several share is counted to the first that needs it.
"""

from __future__ import annotations

import argparse
import sys
import time

import numpy as np
import polars as pl

import measure
import summary
from drivetrain.core.clock import DAY, HOUR, micros_of
from drivetrain.train.leakage import alone, duplicates, fitted, ids, nulls, parts, recent, target
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.leakage.look import look_for_leaks
from drivetrain.train.leakage.subject import Subject
from drivetrain.train.rows import TrainingRows
from drivetrain.train.split import TimeSplit

BUDGET = 2.0
FEATURES = 30
AS_OF = micros_of("2026-01-01")
DAYS = 300


def training_set(rows: int) -> pl.DataFrame:
    """Thirty features that leak nothing."""
    chance = np.random.default_rng(1)
    at = AS_OF - DAYS * DAY + np.sort(chance.integers(0, DAYS * DAY, rows))
    made: dict[str, object] = {}
    for number in range(FEATURES):
        kind = number % 6
        if kind in (0, 1):
            made[f"f{number}"] = chance.normal(size=rows)
        elif kind == 2:
            made[f"f{number}"] = chance.lognormal(3.0, 1.0, rows)
        elif kind == 3:
            made[f"f{number}"] = chance.poisson(20.0, rows)
        elif kind == 4:
            made[f"f{number}"] = chance.random(rows) < 0.3
        else:
            made[f"f{number}"] = np.char.add("c", chance.integers(0, 200, rows).astype(str))
    margin = made["f0"] + 0.5 * made["f1"] + chance.logistic(size=rows) - 2
    frame = pl.DataFrame(made).with_columns(
        _entity=pl.int_range(rows).cast(pl.String),
        _at=pl.Series(at).cast(pl.Datetime("us", "UTC")),
        _label=pl.when(pl.Series(chance.random(rows) < 0.99)).then(pl.Series((margin > 0).astype(float))),
        _label_at=pl.Series(at + 6 * HOUR).cast(pl.Datetime("us", "UTC")),
    )
    return frame.with_columns(pl.when(pl.int_range(rows) % 10 > 0).then("f2").alias("f2"))


def cut(frame: pl.DataFrame) -> TrainingRows:
    """The rows as a fit sees them."""
    names = [f"f{number}" for number in range(FEATURES)]
    return TrainingRows.cut(frame, names, TimeSplit(test="30d", valid="30d"), AS_OF, needs_valid=True)


def child(what: str, rows: int) -> None:
    """One contestant, in this process."""
    frame = training_set(rows)
    if what == "cut":
        measure.here("cut, sort and encode (the fit's own)", lambda: float(len(cut(frame).labels)))
        return
    data = cut(frame)
    lesson = data.lesson()
    few = training_set(2_000)
    look_for_leaks(few, cut(few))  # loads what is loaded once
    if what == "look":
        measure.here("every check", lambda: float(len(look_for_leaks(frame, data, lesson=lesson))))
        return
    subject = Subject(frame, data, Leakage())
    checks = {
        "train after test": lambda: parts.train_after_test(subject),
        "fitted on test rows": lambda: fitted.fitted_on_test(subject, lesson),
        "id-like": lambda: ids.id_like(subject),
        "known with the label": lambda: nulls.known_with_the_label(subject),
        "missing when recent": lambda: recent.missing_when_recent(subject),
        "target": lambda: target.target(subject),
        "target encoding": lambda: fitted.target_encoding(subject),
        "too good alone": lambda: alone.too_good_alone(subject),
        "nulls tell": lambda: nulls.nulls_tell(subject),
        "relation breaks": lambda: recent.relation_breaks(subject),
        "tells when the label comes": lambda: recent.tells_when_the_label_comes(subject),
        "duplicates, near ones too": lambda: duplicates.duplicates(subject),
    }
    for name, check in checks.items():
        begun = time.process_time()
        list(check())
        print(f"  {name:32} {time.process_time() - begun:6.2f}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--child", choices=("cut", "look", "each"))
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    if options.child:
        child(options.child, options.rows)
        return
    runs = [
        lambda what=what: measure.apart(sys.executable, [__file__, "--rows", str(options.rows), "--child", what], what)
        for what in ("look", "cut")
    ]
    ours, own = measure.least(runs, options.repeat)
    measure.table([ours, own])
    print("each check, CPU s:")
    child("each", options.rows)
    met = None if ours.note or options.rows != 1_000_000 else ours.cpu <= BUDGET
    line = summary.Line(
        f"looking for leaks: {options.rows:,} rows × {FEATURES} features",
        measure.words(ours),
        f"{BUDGET:g} CPU-s",
        met,
        [measure.beside(own, ours)],
    )
    summary.add(options.summary, line)
    print(summary.markdown([line]))


if __name__ == "__main__":
    main()
