"""What logging, registering and loading cost: ours beside MLflow on SQLite, and beside MLflow's own server.

    python benchmarks/mlflow_logging.py [--repeat N] [--quick]

Everything is on disk when a call returns, with all of them. The Python door is what a request reaches once it was read;
the client's rows are MLflow's own client, unmodified, over HTTP to our server and to MLflow's, and in its own process
against SQLite. Each figure is the least of some rounds' medians.
"""

from __future__ import annotations

import argparse
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path

import measure
import peers
import summary
from contestant import free_port
from drivetrain.core.records import Metric
from drivetrain.core.settings import StoreSettings
from drivetrain.registry.tracking import experiments, runs
from drivetrain.store.bundle import Store, open_store

PEER = ("mlflow==3.17.2", "lightgbm==4.7.0")
MANY = 1_000
WORDS = {
    "one": "one metric",
    "batch": "1,000 metrics in a batch",
    "hundreds": "a metric in batches of 100",
    "param": "one parameter",
    "history": "the history of a metric",
    "search": "a search of runs",
    "register": "a version registered",
    "load": "a model loaded by name",
}
BUDGETS = {"register": 100.0, "load": 100.0}
"""Milliseconds, of what the client does over HTTP."""
DOOR = {"one": 2.0, "batch": 15.0, "hundreds": 0.3}
"""Milliseconds, through the Python door."""
_PROJECT = 'import drivetrain as dt\n\nproject = dt.Project("bench", objective="Log", metric="average_precision")\n'
_START_SECONDS = 300.0


def door(store: Store, rounds: int) -> dict[str, float]:
    """Milliseconds of calls in this process."""
    run = runs.create(store, experiments.DEFAULT).run.run_id
    steps = [Metric(key=f"m{at % 10}", value=at / 7, step=at, at=1_700_000_000_000_000 + at) for at in range(MANY)]

    def batch(at: int) -> Sequence[Metric]:
        first = at * MANY
        return [Metric(key=one.key, value=one.value, step=first + one.step, at=one.at) for one in steps]

    batches = [batch(at) for at in range(3 * rounds)]
    hundreds = [batches[0][:100]] + [
        [Metric(key=f"h{at % 10}", value=1.0, step=turn * 100 + at) for at in range(100)] for turn in range(20 * rounds)
    ]
    runs.log(store, run, batches[0][:10])

    def alone(at: int) -> None:
        runs.log(store, run, [Metric(key="one", value=at / 3, step=at, at=at)])

    took = {
        "one": measure.quietest(alone, 100 * rounds, rounds),
        "batch": measure.quietest(lambda at: runs.log(store, run, batches[at]), 3 * rounds, rounds),
        "hundreds": [
            each / 100 for each in measure.quietest(lambda at: runs.log(store, run, hundreds[at]), 20 * rounds, rounds)
        ],
    }
    return {name: statistics.median(found) / 1000 for name, found in took.items()}


def client(python: str, uri: str, rounds: int) -> dict[str, float]:
    """Milliseconds of calls of MLflow's client; none where it failed."""
    script = Path(__file__).parent / "mlflow_client.py"
    quiet = {"MLFLOW_DISABLE_TELEMETRY": "true", "OMP_NUM_THREADS": "1"}
    environment = {name: value for name, value in os.environ.items() if name != "PYTHONPATH"} | quiet
    done = subprocess.run(
        [python, "-W", "ignore", str(script), uri, str(rounds)],
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    for line in done.stdout.splitlines():
        if line.startswith("FOUND "):
            return json.loads(line.removeprefix("FOUND "))
    print(done.stderr[-800:], file=sys.stderr)
    return {}


@contextmanager
def served(command: Sequence[str], folder: Path, port: int, path: str) -> Iterator[str]:
    """A server's address, once it answers."""
    with (folder / "said").open("w") as said:
        environment = os.environ | {"MLFLOW_DISABLE_TELEMETRY": "true", "DRIVETRAIN_WEB__PORT": str(port)}
        process = subprocess.Popen(command, cwd=folder, env=environment, stdout=said, stderr=said)
    address, deadline = f"http://127.0.0.1:{port}", time.monotonic() + _START_SECONDS
    try:
        while True:
            try:
                urllib.request.urlopen(address + path, timeout=2).close()
                break
            except (urllib.error.URLError, OSError):
                if process.poll() is not None or time.monotonic() > deadline:
                    sys.exit((folder / "said").read_text()[-800:])
                time.sleep(0.1)
        yield address
    finally:
        process.terminate()
        process.wait(30)


def all_of(folder: Path, rounds: int) -> dict[str, dict[str, float]]:
    """Contestant → what → milliseconds."""
    found = {}
    store = open_store(StoreSettings(), folder / "door")
    found["door"] = door(store, rounds)
    store.close()
    python = peers.python(*PEER)
    if python is None:
        print(f"MLflow can't be installed here: {peers.reason(*PEER)}")
        return found
    (folder / "ours").mkdir()
    (folder / "ours" / "project.py").write_text(_PROJECT)
    port = free_port()
    with served([sys.executable, "-m", "drivetrain.web", "."], folder / "ours", port, "/api/v1/revision") as address:
        found["ours"] = client(python, address, rounds)
    (folder / "theirs").mkdir()
    port = free_port()
    command = [python, "-m", "mlflow", "server", "--host", "127.0.0.1", "--port", str(port), "--workers", "1"]
    command += ["--backend-store-uri", f"sqlite:///{folder}/theirs/mlflow.db"]
    command += ["--artifacts-destination", f"{folder}/theirs/files"]
    with served(command, folder / "theirs", port, "/health") as address:
        found["server"] = client(python, address, rounds)
    found["sqlite"] = client(python, f"sqlite:///{folder}/alone.db", rounds)
    return found


def lines(found: dict[str, dict[str, float]]) -> Iterator[summary.Line]:
    """The table."""
    sqlite, server = found.get("sqlite", {}), found.get("server", {})
    for name, budget in DOOR.items():
        ours = found["door"][name]
        yield summary.Line(
            f"{WORDS[name]}, through the Python door",
            f"{ours:.3f} ms",
            f"{budget:g} ms",
            ours <= budget,
            [f"MLflow on SQLite {sqlite[name]:.2f} ms ({measure.times(sqlite[name] / ours)})"] if sqlite else [],
        )
    for name, words in WORDS.items():
        if name not in found.get("ours", {}):
            continue
        ours, budget = found["ours"][name], BUDGETS.get(name)
        yield summary.Line(
            f"{words}, MLflow's client over HTTP",
            f"{ours:.2f} ms",
            "" if budget is None else f"{budget:g} ms",
            None if budget is None else ours <= budget,
            [
                f"{title} {told[name]:.2f} ms ({measure.times(told[name] / ours)})"
                for title, told in (("MLflow's server", server), ("MLflow on SQLite, no server", sqlite))
                if name in told
            ],
        )


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--quick", action="store_true", help="one round")
    summary.asks(parser)
    summary.repeats(parser)
    asked = parser.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-mlflow-") as name:
        told = list(lines(all_of(Path(name), 1 if asked.quick else asked.repeat)))
    print(summary.markdown(told))
    summary.add(asked.summary, *told)


if __name__ == "__main__":
    main()
