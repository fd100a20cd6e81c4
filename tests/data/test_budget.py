"""Memory is bounded by the budget, not by the file."""

from __future__ import annotations

import os
import subprocess
import sys

import pytest

CHILD = """
import sys
from pathlib import Path
from drivetrain.core.progress import Silent
from drivetrain.core.settings import StoreSettings
from drivetrain.data.column import Column
from drivetrain.data.contract import Contract
from drivetrain.data.ingest import ingest
from drivetrain.data.readers.files import files
from drivetrain.data.source import Source
from drivetrain.store.bundle import open_store

folder, name, budget = Path(sys.argv[1]), sys.argv[2], float(sys.argv[3])
contract = Contract({"id": Column("int")})
source = Source(name="big", reader=files(name, budget_mib=budget), key=("id",), contract=contract)
store = open_store(StoreSettings(), folder)
made = ingest(store, source, folder=folder, now=1, progress=Silent(), sources={"big": source})
# The peak of this program: what getrusage tells begins with that of who started it.
peak = next(line for line in Path("/proc/self/status").read_text().splitlines() if line.startswith("VmHWM"))
print(made.rows, made.version + 1, int(peak.split()[1]) // 1024)
"""
ROWS, WIDTH = 150_000, 2_000


@pytest.mark.slow
@pytest.mark.parametrize("kind", ["csv", "jsonl"])
def test_a_file_ten_times_the_budget_is_taken_in_within_it(tmp_path, kind):
    path = tmp_path / f"big.{kind}"
    text = "x" * WIDTH
    with path.open("w") as file:
        if kind == "csv":
            file.write("id,text\n")
            file.writelines(f"{number},{text}\n" for number in range(ROWS))
        else:
            file.writelines(f'{{"id":{number},"text":"{text}"}}\n' for number in range(ROWS))
    size = path.stat().st_size >> 20
    budget = size / 10
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "POLARS_MAX_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, "-c", CHILD, str(tmp_path), path.name, str(budget)],
        capture_output=True,
        text=True,
        check=True,
        env=environment,
    )
    rows, batches, peak = map(int, done.stdout.split())
    assert rows == ROWS
    assert batches > 100
    # Python and the libraries take 150 MiB before they do anything, and Delta's writer as much again.
    assert peak < 300 + 2 * budget
    assert peak < 2 * size
