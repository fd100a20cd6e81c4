"""Ten columns of rows into a table: from CSV and from PostgreSQL, beside the least that could do; and a large file.

    python benchmarks/ingestion.py [--rows 1000000] [--repeat 3]

Bare from CSV is ``polars.scan_csv`` with types guessed, then ``write_deltalake``. Bare from PostgreSQL is ADBC into a
frame, and ADBC into a Delta table. Ours types, checks 33 rules, sets bad rows aside with their reasons (one in a
thousand is bad), looks for keys that are there already, profiles every column, and commits rows and cursor together, in
batches. A file ten times its memory budget is taken in at the end. Each run has a process of its own.
"""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
from contextlib import ExitStack
from pathlib import Path

import polars as pl

import drivetrain as dt
import measure
import summary
from contracts import CONTRACT, make
from drivetrain.core.clock import now
from drivetrain.core.progress import Silent
from drivetrain.core.settings import StoreSettings
from drivetrain.data.ingest import ingest
from drivetrain.data.reader import Reader
from drivetrain.store.bundle import open_store
from drivetrain.testing.postgres import find_binaries, running_postgres
from measure import Cost, apart, here, least, table

CSV, POSTGRES, MEMORY = 1.5, 300_000, 29.0
_LOADED = [
    "adbc_driver_postgresql.dbapi",
    "alembic.command",
    "deltalake",
    "drivetrain.adapters.adbc",
    "drivetrain.adapters.deltalake",
    "drivetrain.loop.project",
]


def write(folder: Path, rows: int) -> Path:
    """The rows as a CSV file: one in a thousand breaks a rule."""
    frame = make(rows)
    good = pl.all_horizontal(
        pl.col("a", "b", "c", "d").is_between(-4, 4), pl.col("n") <= 995, pl.col("code") != "x",
        pl.col("a") + pl.col("b") < 7, pl.col("c") - pl.col("d") < 7, pl.col("b").is_not_null(),
        pl.col("at").dt.year() == 2013, pl.col("at").dt.ordinal_day() < 365,
    )  # fmt: skip
    bad = pl.col("id") % 1_000 == 7
    kept = frame.with_columns(good=good.fill_null(value=False)).filter(good | bad)
    path = folder / "rows.csv"
    kept.drop("good").write_csv(path, datetime_format="%Y-%m-%dT%H:%M:%SZ")
    return path


def fill(url: str, path: Path) -> None:
    """The rows as a table of a database, in order of their key."""
    import adbc_driver_postgresql.dbapi as adbc  # noqa: PLC0415 - an extra

    frame = pl.read_csv(path, try_parse_dates=True)
    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.adbc_ingest("rows", frame, mode="create")
        cursor.execute("CREATE INDEX ON rows (id)")
        connection.commit()


def ours(reader: Reader, folder: Path) -> float:
    """Rows in the table: all but those that were set aside."""
    project = dt.Project("bench")
    source = project.source("rows", reader, key="id", time="at", contract=CONTRACT)
    store = open_store(StoreSettings(), folder / "state")
    made = ingest(store, source, folder=folder, now=now(), progress=Silent(), sources={"rows": source})
    store.close()
    return float(made.rows)


def bare_csv(path: Path, folder: Path) -> float:
    """Rows in the table."""
    from deltalake import write_deltalake  # noqa: PLC0415 - loaded before the clocks

    frame = pl.scan_csv(path, try_parse_dates=True).collect()
    write_deltalake(str(folder / "table"), frame)
    return float(frame.height)


def bare_postgres(url: str, folder: Path | None) -> float:
    """Rows read, and written if there is a folder."""
    import adbc_driver_postgresql.dbapi as adbc  # noqa: PLC0415 - an extra
    from deltalake import write_deltalake  # noqa: PLC0415 - loaded before the clocks

    with adbc.connect(url) as connection, connection.cursor() as cursor:
        cursor.execute("SELECT * FROM rows ORDER BY id")
        frame = pl.DataFrame(cursor.fetch_arrow())
    if folder is not None:
        write_deltalake(str(folder / "table"), frame)
    return float(frame.height)


def contestants(place: str) -> dict[str, str]:
    """What a name does, given where the rows are."""
    if place.startswith("postgresql"):
        return {"drivetrain": "ours-sql", "ADBC into a frame": "adbc", "ADBC into Delta Lake": "adbc-delta"}
    return {"drivetrain": "ours-csv", "scan_csv into Delta Lake": "csv"}


def run(what: str, place: str) -> Cost:
    """One run, in this process."""
    with tempfile.TemporaryDirectory(prefix="bench-ingestion-") as name:
        folder = Path(name)
        works = {
            "ours-csv": lambda: ours(dt.files(place), folder),
            "ours-sql": lambda: ours(dt.sql(place, table="rows", cursor="id"), folder),
            "ours-small": lambda: ours(dt.files(place, budget_mib=MEMORY), folder),
            "csv": lambda: bare_csv(Path(place), folder),
            "adbc": lambda: bare_postgres(place, None),
            "adbc-delta": lambda: bare_postgres(place, folder),
        }
        return here(what, works[what], [name for name in _LOADED if name == "deltalake" or what != "csv"])


def compared(place: str, rows: int, repeat: int) -> dict[str, Cost]:
    """Each contestant's least cost, printed."""
    named = contestants(place)
    script = str(Path(__file__))
    runs = [lambda what=what, name=name: _named(apart(sys.executable, [script, "--run", what, place], name), name)
            for name, what in named.items()]  # fmt: skip
    found = dict(zip(named, least(runs, repeat), strict=True))
    table(list(found.values()))
    for name, cost in found.items():
        if not cost.note:
            print(f"{name:34} {rows / cost.wall:12,.0f} rows/s, {rows / cost.cpu:12,.0f} rows/CPU-s")
    return found


def _named(cost: Cost, name: str) -> Cost:
    cost.name = name
    return cost


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--rows", type=int, default=1_000_000)
    parser.add_argument("--run", nargs=2, help=argparse.SUPPRESS)
    summary.asks(parser)
    summary.repeats(parser)
    options = parser.parse_args()
    if options.run:
        run(*options.run)
        return
    with tempfile.TemporaryDirectory(prefix="bench-ingestion-") as name, ExitStack() as stack:
        path = write(Path(name), options.rows)
        rows = pl.scan_csv(path).select(pl.len()).collect().item()
        print(f"{rows:,} rows, {path.stat().st_size / 1e6:,.0f} MB of CSV")
        summary.add(options.summary, csv_line(compared(str(path), rows, options.repeat), rows))
        if find_binaries() is None:
            print("no PostgreSQL server here")
        else:
            url = stack.enter_context(running_postgres()).fresh()
            fill(url, path)
            print("\nfrom PostgreSQL")
            summary.add(options.summary, sql_line(compared(url, rows, options.repeat), rows))
        print("\na file ten times its budget of memory")
        summary.add(options.summary, memory_line(Path(name), options.rows))


def csv_line(found: dict[str, Cost], rows: int) -> summary.Line:
    ours, bare = found["drivetrain"], found["scan_csv into Delta Lake"]
    wall, cpu = ours.wall / bare.wall, ours.cpu / bare.cpu
    return summary.Line(
        f"CSV into a table: {rows:,} rows of ten columns, 33 checks, profile",
        f"{ours.wall:.2f} s, {ours.cpu:.2f} CPU-s: {measure.times(wall)} by the clock, {measure.times(cpu)} by CPU",
        f"{measure.times(CSV)} of bare",
        min(wall, cpu) <= CSV,
        [f"scan_csv, write_deltalake {bare.wall:.2f} s, {bare.cpu:.2f} CPU-s"],
    )


def sql_line(found: dict[str, Cost], rows: int) -> summary.Line:
    ours, frame, delta = (found[name] for name in contestants("postgresql"))
    rate, bare = rows / ours.wall, rows / frame.wall
    # The budget names a machine on which ADBC alone reaches twice as much: elsewhere half of ADBC is what it asks.
    return summary.Line(
        f"PostgreSQL into a table: {rows:,} rows of ten columns",
        f"{rate:,.0f} rows/s, {rows / ours.cpu:,.0f} a CPU-s; {rate / bare:.0%} of ADBC alone",
        f"{POSTGRES:,} rows/s, where ADBC alone reaches twice that",
        rate >= POSTGRES or (bare < 2 * POSTGRES and rate >= bare / 2),
        [f"ADBC into a frame {bare:,.0f} rows/s", f"ADBC, write_deltalake {rows / delta.wall:,.0f} rows/s"],
    )


def memory_line(folder: Path, rows: int) -> summary.Line:
    grown, sizes = [], []
    for times in (1, 2):
        path = folder / f"{times}.csv"
        frame = pl.read_csv(folder / "rows.csv", infer_schema=False)
        step = MEMORY * 10 * times * 2**20 / (folder / "rows.csv").stat().st_size
        with path.open("wb") as file:
            for part in range(-int(-step // 1)):
                moved = frame.with_columns(id=(pl.col("id").cast(pl.Int64) + part * rows * 10).cast(pl.String))
                moved.write_csv(file, include_header=part == 0)
        sizes.append(path.stat().st_size / 2**20)
        cost = apart(sys.executable, [str(Path(__file__)), "--run", "ours-small", str(path)], "drivetrain")
        print(f"{sizes[-1]:,.0f} MiB with a budget of {MEMORY:.0f}: {cost.note or f'{cost.peak_mb:,.0f} MB at most'}")
        grown.append(cost.peak_mb)
    return summary.Line(
        f"a file of {sizes[0]:,.0f} MiB with a budget of {MEMORY:.0f} MiB a batch, and one of twice that",
        f"peaks of {grown[0]:,.0f} and {grown[1]:,.0f} MB",
        "by the budget, not by the file",
        0 < grown[1] < grown[0] * 1.15,
        [f"{os.cpu_count()} cores"],
    )


if __name__ == "__main__":
    main()
