"""33 checks on rows of ten columns, with the split of good and bad rows, beside masks written by hand and peers.

    python benchmarks/contracts.py            # 5,000,000 rows
    python benchmarks/contracts.py --quick    # 500,000

Each has a process of its own, turn about; the figure is the least CPU time of several rounds. Written by hand are the
same masks in one ``select``, and a filter for either part: no reasons, no counts. Ours says how many rows broke each
rule, and in the next row why each bad row did. What peers offer is told in ``contract_peers.py``; all agree in how many
rows are good.
"""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import numpy as np
import polars as pl

import contract_peers
import measure
import peers
import summary
from drivetrain.data.breach import any_of
from drivetrain.data.checks import check
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.profile import profile_of
from drivetrain.data.quarantine import refuse
from measure import Cost, apart, here, least, table

BUDGET = 1.2
NUMBERS = ("a", "b", "c", "d")
CODES = ("AA", "B6", "DL", "EV", "MQ", "UA", "US", "WN")
KINDS = ("card", "cash", "wire")
CONTRACT = Contract(
    {
        "id": Column("int", nullable=False, low=0),
        **{name: Column("float", nullable=False, low=-4.0, high=4.0) for name in NUMBERS},
        "n": Column("int", nullable=False, low=0, high=995),
        "code": Column("string", nullable=False, among=CODES, pattern="^[A-Z0-9]{2}$"),
        "kind": Column("string", nullable=False, among=KINDS),
        "plate": Column("string", pattern="^N[0-9]{1,5}$"),
        "at": Column("time", nullable=False, low="2013-01-01", high="2013-12-31"),
    },
    checks={"a and b": pl.col("a") + pl.col("b") < 7, "c and d": pl.col("c") - pl.col("d") < 7},
)


def make(rows: int) -> pl.DataFrame:
    """Rows of which about two in a hundred break a rule."""
    chance = np.random.default_rng(0)
    frame = pl.DataFrame(
        {
            "id": np.arange(rows),
            **{name: chance.normal(scale=1.2, size=rows) for name in NUMBERS},
            "n": chance.integers(0, 1_000, rows),
            "code": np.asarray([*CODES, "x"])[chance.choice(9, rows, p=[0.1249] * 8 + [0.0008])],
            "kind": np.asarray(KINDS)[chance.integers(0, 3, rows)],
            "plate": np.char.add("N", (np.arange(10_000)).astype(str))[chance.integers(0, 10_000, rows)],
            "at": 1_357_000_000_000_000 + chance.integers(0, 365 * 86_400, rows) * 1_000_000,
        }
    )
    return frame.with_columns(
        pl.col("at").cast(pl.Datetime("us", "UTC")),
        pl.when(pl.col("id") % 1_000 == 7).then(None).otherwise(pl.col("b")).alias("b"),
    )


def by_hand(frame: pl.DataFrame) -> tuple[int, int]:
    """The rules as masks, and both parts."""
    numbers = [pl.col(name) for name in NUMBERS]
    low, high = (pl.lit(text).str.to_datetime(time_unit="us", time_zone="UTC") for text in ("2013-01-01", "2013-12-31"))
    masks = frame.select(
        *(pl.col(name).is_null().alias(f"{name} null") for name in frame.columns if name != "plate"),
        *((one < -4.0).alias(f"{one.meta.output_name()} low") for one in numbers),
        *((one > 4.0).alias(f"{one.meta.output_name()} high") for one in numbers),
        *(one.is_infinite().alias(f"{one.meta.output_name()} finite") for one in numbers),
        (pl.col("id") < 0).alias("id low"),
        (pl.col("n") < 0).alias("n low"),
        (pl.col("n") > 995).alias("n high"),
        (~pl.col("code").is_in(CODES)).alias("code set"),
        (~pl.col("code").str.contains("^[A-Z0-9]{2}$")).alias("code pattern"),
        (~pl.col("kind").is_in(KINDS)).alias("kind set"),
        (~pl.col("plate").str.contains("^N[0-9]{1,5}$")).alias("plate pattern"),
        (pl.col("at") < low).alias("at low"),
        (pl.col("at") > high).alias("at high"),
        (~(pl.col("a") + pl.col("b") < 7)).alias("a and b"),
        (~(pl.col("c") - pl.col("d") < 7)).alias("c and d"),
    )
    broken = masks.select(pl.any_horizontal(pl.all().fill_null(value=False))).to_series()
    return frame.filter(~broken).height, frame.filter(broken).height


def ours(frame: pl.DataFrame) -> tuple[int, int]:
    """The contract, and both parts."""
    breaches = check(frame, CONTRACT, {}, lambda *_: pl.Series([]))
    broken = any_of(breaches, frame.height)
    return frame.filter(~broken).height, frame.filter(broken).height


def with_reasons(frame: pl.DataFrame) -> tuple[int, int]:
    """The contract, the good rows, and every bad row with its reasons as the quarantine keeps it."""
    breaches = check(frame, CONTRACT, {}, lambda *_: pl.Series([]))
    broken = any_of(breaches, frame.height)
    return frame.filter(~broken).height, len(refuse(frame, breaches, broken))


def profiled(frame: pl.DataFrame) -> tuple[int, int]:
    """Sketches of every column."""
    return len(profile_of(frame)), 0


OURS: dict[str, Callable[[pl.DataFrame], tuple[int, int]]] = {
    "masks by hand": by_hand,
    "drivetrain: counts and split": ours,
    "drivetrain: a reason for every bad row": with_reasons,
    "drivetrain: profile of all columns": profiled,
}


def run(name: str, place: str) -> Cost:
    """One of ours, in this process."""
    frame = pl.read_parquet(place)
    return here(name, lambda: float(OURS[name](frame)[0]))


def compared(place: str, repeat: int) -> dict[str, Cost]:
    """Everybody's least cost, printed."""
    script = str(Path(__file__))
    runs = [lambda name=name: apart(sys.executable, [script, "--run", name, place], name) for name in OURS]
    runs += [
        lambda name=name, packages=packages: _named(peers.run(packages, ["contract_peers.py", name, place], name), name)
        for name, packages in contract_peers.PACKAGES.items()
    ]
    costs = dict(zip([*OURS, *contract_peers.PACKAGES], least(runs, repeat), strict=True))
    table(list(costs.values()))
    good = {cost.check for name, cost in costs.items() if not cost.note and "profile" not in name}
    if len(good) != 1:
        sys.exit(f"they do not agree in how many rows are good: {good}")
    return costs


def _named(cost: Cost, name: str) -> Cost:
    cost.name = name
    return cost


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
    with tempfile.TemporaryDirectory(prefix="bench-contracts-") as folder:
        place = Path(folder) / "rows.parquet"
        frame = make(500_000 if options.quick else 5_000_000)
        frame.write_parquet(place)
        costs = compared(str(place), options.repeat)
    hand, mine, reasons = list(costs.values())[:3]
    ratio = mine.cpu / hand.cpu
    print(f"a reason for every bad row: {measure.times(reasons.cpu / hand.cpu)} of the masks")
    summary.add(
        options.summary,
        summary.Line(
            f"33 checks on {frame.height:,} rows of ten columns, with the split",
            f"{mine.cpu:.2f} CPU-s, {measure.times(ratio)} of masks by hand",
            f"{measure.times(BUDGET)} of masks by hand",
            ratio <= BUDGET,
            [measure.beside(cost, mine) for cost in [hand, *list(costs.values())[4:]]],
        ),
    )


if __name__ == "__main__":
    main()
