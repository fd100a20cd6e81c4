"""Whether windows cost by their rows or by rows × length: 1M, 3M, 10M rows with windows of 1, 30 and 365 days.

    python benchmarks/window_scaling.py [--image docs/images/window_scaling.svg]

A tenth as many labels as rows, 10,000 entities, a year of events. Count, sum and mean, then the largest value; DuckDB's
range join of the first three beside them. Each run is a process of its own.
"""
# ruff: noqa: PLC0415 - each part of it runs in a process that loads what it measures

from __future__ import annotations

import argparse
import json
import subprocess
import sys
import tempfile
from functools import partial
from pathlib import Path

import measure
import peers
import summary

ENTITIES = 10_000
WINDOWS = (1, 30, 365)
CONTESTANTS = ("drivetrain: count, sum, mean", "drivetrain: max", "DuckDB range join: count, sum, mean")
IMAGE = Path(__file__).parent.parent / "docs" / "images" / "window_scaling.svg"


def make(folder: Path, rows: int) -> None:
    """Writes a year of events, and the labels."""
    import numpy as np
    import polars as pl

    random = np.random.default_rng(11)
    year, utc = 365 * 86_400_000_000, pl.Datetime("us", "UTC")
    moments = pl.Series(np.sort(random.integers(0, year, rows))).cast(utc)
    pl.DataFrame(
        {
            "entity": random.integers(0, ENTITIES, rows),
            "_event_time": moments,
            "_available_at": moments,
            "_seq": np.arange(rows),
            "amount": np.round(random.lognormal(3.0, 1.0, rows), 2),
        }
    ).write_parquet(folder / "events.parquet", row_group_size=1 << 20)
    asked = pl.Series(random.integers(0, year, rows // 10)).cast(utc)
    pl.DataFrame({"entity": random.integers(0, ENTITIES, rows // 10), "_at": asked}).write_parquet(
        folder / "labels.parquet"
    )


def ours(folder: Path, days: int, *, largest: bool) -> float:
    """Drivetrain, one window."""
    import polars as pl

    from drivetrain.features.aggregate import count, max, mean, sum
    from drivetrain.features.entity import Entity
    from drivetrain.features.training_set import build
    from drivetrain.features.view import FeatureView
    from online_events import Source

    window = f"{days}d"
    asked = [count(windows=window), sum("amount", windows=window), mean("amount", windows=window)]
    view = FeatureView(
        name="events",
        entity=Entity("entity", "entity"),
        source=Source(),
        features=[max("amount", windows=window)] if largest else asked,
    )
    labels = pl.read_parquet(folder / "labels.parquet")
    made = build(labels, [view], [], lambda _: pl.scan_parquet(folder / "events.parquet"))
    return float(made.select(pl.sum_horizontal(pl.exclude("entity", "_at").fill_nan(None).sum())).item())


def duckdb(folder: Path, days: int) -> float:
    """DuckDB's range join."""
    import duckdb as db
    import pyarrow.compute as pc

    connection = db.connect()
    connection.execute("SET threads = 2")
    table = connection.execute(
        "SELECT l.row, count(e.amount) AS n, sum(e.amount) AS s, avg(e.amount) AS m "
        f"FROM (SELECT row_number() OVER () AS row, * FROM '{folder}/labels.parquet') l "
        f"LEFT JOIN '{folder}/events.parquet' e ON l.entity = e.entity AND e._event_time <= l._at "
        f"AND e._event_time > l._at - INTERVAL {days} DAY GROUP BY l.row"
    ).to_arrow_table()
    return float(sum(pc.sum(table[name]).as_py() for name in "nsm"))


def drawn(points: list[dict[str, object]], image: Path) -> None:
    """The plot: a line a window, a panel a contestant, the same axes."""
    import matplotlib

    matplotlib.use("Agg")
    from matplotlib import pyplot

    pyplot.rcParams.update({"svg.hashsalt": "drivetrain", "svg.fonttype": "none", "font.size": 10})
    figure, axes = pyplot.subplots(1, 3, figsize=(10.5, 3.8), sharex=True, sharey=True, layout="constrained")
    looks = dict(zip(WINDOWS, (("o", "#0072b2", "-"), ("s", "#d55e00", "--"), ("^", "#009e73", ":")), strict=True))
    for axis, name in zip(axes, CONTESTANTS, strict=True):
        for days in WINDOWS:
            mine = [one for one in points if one["name"] == name and one["days"] == days]
            marker, colour, style = looks[days]
            label = f"{days} day{'s' * (days > 1)}"
            axis.plot(
                [one["rows"] for one in mine],
                [one["cpu"] for one in mine],
                marker=marker,
                color=colour,
                linestyle=style,
                label=label,
            )
        rows = sorted({one["rows"] for one in points})
        first = min((one["cpu"] for one in points if one["name"] == name), default=0.01)
        axis.plot(rows, [first * row / rows[0] for row in rows], color="#999999", linewidth=0.8, label="as the rows")
        axis.set(xscale="log", yscale="log", title=name, xlabel="rows of the table")
        axis.set_xticks(rows, [f"{row / 1e6:g}M" for row in rows])
        axis.yaxis.set_major_formatter("{x:g}")
        axis.minorticks_off()
        axis.grid(visible=True, color="#dddddd", linewidth=0.6)
    axes[0].set_ylabel("CPU seconds")
    axes[0].legend(title="window", frameon=False, fontsize=9)
    figure.savefig(image, format=image.suffix[1:] or "svg", metadata={"Date": None} if image.suffix == ".svg" else None)


def grown(points: list[dict[str, float]], name: str) -> tuple[float, float]:
    """How much CPU time grows with the rows, as a power of them, and with the longest window, as a factor."""
    from math import log

    mine = {(one["rows"], one["days"]): one["cpu"] for one in points if one["name"] == name}
    if not mine:
        return float("nan"), float("nan")
    low, high = min(mine)[0], max(mine)[0]
    powers = [log(mine[high, days] / mine[low, days]) / log(high / low) for days in WINDOWS if (high, days) in mine]
    factor = mine[high, WINDOWS[-1]] / mine[high, WINDOWS[0]] if (high, WINDOWS[-1]) in mine else float("nan")
    return max(powers, default=float("nan")), factor


def main() -> None:
    """Measures every point, prints them, draws them."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, nargs="+", default=[1_000_000, 3_000_000, 10_000_000])
    parser.add_argument("--image", type=Path, default=IMAGE, help="where the plot goes: .svg or .png")
    parser.add_argument("--one", nargs=3, help=argparse.SUPPRESS)
    parser.add_argument("--draw", type=Path, help=argparse.SUPPRESS)
    summary.repeats(parser)
    summary.asks(parser)
    given = parser.parse_args()
    if given.draw:
        drawn(json.loads(given.draw.read_text("utf-8")), given.image)
        return
    if given.one:
        one(*given.one)
        return
    points = []
    print(f"{'':40} {'rows':>12} {'days':>5} {'CPU s':>8} {'peak MB':>8}")
    for rows in given.rows:
        points += measured(rows, given.repeat)
    with tempfile.TemporaryDirectory(prefix="bench-window-") as folder:
        file = Path(folder) / "points.json"
        file.write_text(json.dumps(points), "utf-8")
        peers.run(peers.MATPLOTLIB, [Path(__file__).name, "--draw", str(file), "--image", str(given.image)], "plot")
    told = {name: grown(points, name) for name in CONTESTANTS}
    words = {
        name: f"rows^{power:.2f}, × {factor:.1f} for 365 times the window" for name, (power, factor) in told.items()
    }
    print("\nCPU seconds grow as:")
    for name in CONTESTANTS:
        print(f"{name:40} {words[name]}")
    met = all(told[name][1] <= 2 for name in CONTESTANTS[:2])
    sizes = f"{min(given.rows):,} to {max(given.rows):,} rows, windows of 1, 30 and 365 days"
    work = f"how windows cost: {sizes}"
    ours = "; ".join(f"{name.partition(': ')[2]} {words[name]}" for name in CONTESTANTS[:2])
    budget = "by the rows, not by rows × window: at most × 2 for 365 times the window"
    summary.add(given.summary, summary.Line(work, ours, budget, met, [f"DuckDB range join {words[CONTESTANTS[2]]}"]))


def measured(rows: int, repeat: int) -> list[dict[str, object]]:
    """Every contestant's cost of every window over one table."""
    points: list[dict[str, object]] = []
    with tempfile.TemporaryDirectory(prefix="bench-window-") as folder:
        script = Path(__file__).name
        subprocess.run([sys.executable, __file__, "--one", "make", folder, str(rows)], check=True)
        for days in WINDOWS:
            checks = []
            runs = []
            for name in CONTESTANTS:
                needs = peers.DUCKDB if name.startswith("DuckDB") else ()
                runs.append(partial(peers.run, needs, [script, "--one", name, folder, str(days)], name))
            for name, cost in zip(CONTESTANTS, measure.least(runs, repeat), strict=True):
                print(f"{name:40} {rows:12,} {days:5} {cost.cpu:8.2f} {cost.peak_mb:8,.0f}  {cost.note}", flush=True)
                if not cost.note:
                    points.append({"name": name, "rows": rows, "days": days, "cpu": cost.cpu})
                    checks.append(cost.check)
            if len(checks) == 3 and abs(checks[0] - checks[2]) > 1e-9 * abs(checks[2]):
                sys.exit(f"the answers differ: {checks[0]} and {checks[2]}")
    return points


def one(task: str, folder: str, number: str) -> None:
    """One part in this process."""
    place, value = Path(folder), int(number)
    if task == "make":
        make(place, value)
    elif task.startswith("DuckDB"):
        measure.here(task, lambda: duckdb(place, value), ["duckdb", "pyarrow.compute"])
    else:
        largest = task.endswith("max")
        imports = ["polars", "drivetrain.features.training_set", "online_events"]
        measure.here(task, lambda: ours(place, value, largest=largest), imports)


if __name__ == "__main__":
    main()
