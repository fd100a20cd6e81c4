"""The inference server beside its peers: one model, one machine, one run.

    python benchmarks/serving.py [--quick] [--rounds 5] [--seconds 2] [--peers "MLflow,Ray Serve" | --peers none]

Everybody serves the same LightGBM model (200 trees of 63 leaves over 30 features) with one worker, and LightGBM one
thread. Ours checks, routes, measures and logs durably; the bare loop (granian, msgspec, LightGBM's call for one row) is
the least a Python server can do. Peers run in environments of their own, pinned, as their documentation starts them.
Before any clock runs, every server's answers are compared with the model's own. Slices of load alternate between the
servers, so that all meet the same noise, and figures are medians over slices. The load comes from wrk where it is
installed, else from a client in Python, which holds the fastest servers back. ``--quick`` is to see that it all runs;
its figures mean nothing. Scoring in batches (``batch_scoring.py``) comes last.
"""

from __future__ import annotations

import argparse
import datetime
import os
import platform
import subprocess
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from importlib.metadata import version
from pathlib import Path

import lightgbm
import numpy as np

import load
import serving_budgets
import serving_peers
import summary
import wrk
from contestant import Contestant, Drive, Server, free_port
from endpoint_apps import computed, instance, numbers
from endpoint_world import prepare
from measure import times

HERE = Path(__file__).parent
Model = Callable[[list[float]], float]


def main() -> None:
    options = _options()
    drive: Drive = load.drive if options.quick or not wrk.FOUND else wrk.drive
    seconds, rounds = (0.3, 1) if options.quick else (options.seconds, options.rounds)
    _say_where(drive)
    with tempfile.TemporaryDirectory(prefix="bench-serving-") as name:
        folder = Path(name)
        prepare(folder)
        contestants: list[Contestant] = []
        try:
            for start in _entries(folder, _model(folder), options.peers):
                contestants.append(one := start())
                one.wait(numbers(0), serving_peers.START_SECONDS)
                if not one.note:
                    one.check([numbers(seed) for seed in range(5)])
                print(f"{one.name}: {one.note or 'answers as the model does'}", flush=True)
            _load(contestants, drive, seconds, rounds)
            by_name = {one.name: one for one in contestants}
            steady = serving_budgets.steady(by_name, numbers(0), seconds * 2, rounds)
            print("\n" + _table(contestants))
            lines = serving_budgets.lines(by_name, steady)
        finally:
            for server in {id(one.server): one.server for one in contestants if one.server}.values():
                server.stop()
    summary.add(options.summary, *lines)
    print("\n" + summary.markdown(lines), flush=True)
    _batches(quick=options.quick)


def _options() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--seconds", type=float, default=2.0, help="length of a slice (default 2)")
    parser.add_argument("--rounds", type=int, default=5, help="slices of each server and load (default 5)")
    parser.add_argument("--peers", default="all", help="names with commas between, all (default) or none")
    parser.add_argument("--quick", action="store_true")
    summary.asks(parser)
    return parser.parse_args()


def _say_where(drive: Drive) -> None:
    ours = ", ".join(f"{name} {version(name)}" for name in ("granian", "msgspec", "lightgbm", "polars"))
    print(f"{datetime.datetime.now(datetime.UTC):%Y-%m-%d}, {os.cpu_count()} cores, {platform.platform()}, ", end="")
    print(f"Python {platform.python_version()}; {ours}")
    for peer in serving_peers.PEERS:
        print(f"  {peer.name}: {', '.join(peer.packages)}")
    told = "wrk" if drive is wrk.drive else "the client in Python (load.py): the fastest servers are held back by it"
    print(f"load from {told}\n", flush=True)


def _model(folder: Path) -> Model:
    booster = lightgbm.Booster(model_file=str(folder / "model.txt"))
    return lambda row: float(np.asarray(booster.predict(np.array([row]), num_threads=1))[0])


def _entries(folder: Path, model: Model, peers: str) -> list[Callable[[], Contestant]]:
    wanted = [
        peer
        for peer in serving_peers.PEERS
        if peers == "all" or peer.name in [name.strip() for name in peers.split(",")]
    ]
    server, port = _server(folder, "process")
    return [
        lambda: _bare(folder, model),
        lambda: _ours(serving_budgets.OURS, "numbers", (server, port), model),
        lambda: _ours(serving_budgets.ONLINE, "online", (server, port), None),
        lambda: _ours(serving_budgets.ASKED, "asked", (server, port), lambda row: model(computed(row))),
        lambda: _ours(serving_budgets.DISK, "numbers", _server(folder, "disk"), model),
        lambda: _ours(serving_budgets.MEMORY, "numbers", _server(folder, "memory"), model),
        lambda: _ours(serving_budgets.TWO, "numbers", _server(folder, "process", "2"), model),
        *(partial(serving_peers.start, peer, folder, model) for peer in wanted),
    ]


def _server(folder: Path, what: str, *more: str) -> tuple[Server, int]:
    port = free_port()
    command = [sys.executable, str(HERE / "endpoint_server.py"), str(folder), str(port), what, *more]
    environment = {**serving_peers.one_thread(), "PYTHONPATH": os.environ.get("PYTHONPATH", "")}
    return Server(command, folder, environment, f"{what}-{port}"), port


def _ours(name: str, endpoint: str, server: tuple[Server, int], expects: Model | None) -> Contestant:
    return Contestant(
        name,
        server[1],
        f"/v1/endpoints/{endpoint}/predict",
        lambda row: {"instances": [instance(endpoint, row)]},
        lambda told: float(told["predictions"][0]),
        server[0],
        expects,
    )


def _bare(folder: Path, model: Model) -> Contestant:
    server, port = _server(folder, "bare")
    one = _ours(serving_budgets.BARE, "numbers", (server, port), model)
    one.path = "/"
    return one


def _load(contestants: list[Contestant], drive: Drive, seconds: float, rounds: int) -> None:
    for one in contestants:
        one.run(load.drive, numbers(0), 8, seconds)
    for turn in range(rounds):
        for connections in (64, 1):
            for one in contestants:
                one.run(drive, numbers(0), connections, seconds)
        print(f"round {turn + 1} of {rounds}", flush=True)


def _table(contestants: list[Contestant]) -> str:
    head = "| server | 64 connections, req/s | × | p50, p99 ms | CPU µs | 1 connection, req/s | × | p50, p99 ms | MB |"
    rows = [head, "|---|---|---|---|---|---|---|---|---|"]
    ours = next(one for one in contestants if one.name == serving_budgets.OURS)
    for one in contestants:
        many, single = one.figures(64), one.figures(1)
        base, alone = ours.figures(64), ours.figures(1)
        if one.server is None or not (many and single and base and alone):
            rows.append(f"| {one.name} | {one.note} | | | | | | | |")
            continue
        rows.append(
            f"| {one.name} | {many.rate:,.0f} | {times(base.rate / many.rate)} | {many.p50:.2f}, {many.p99:.2f} "
            f"| {many.cpu:,.0f} | {single.rate:,.0f} | {times(alone.rate / single.rate)} "
            f"| {single.p50:.2f}, {single.p99:.2f} | {one.server.memory():,.0f} |"
        )
    failures = [f"{one.name} {one.failures}" for one in contestants if one.failures]
    said = f"answers other than 200: {', '.join(failures)}" if failures else "every answer was 200"
    return "\n".join([*rows, "", f"×: how many times as many requests ours answers; MB: of all its processes; {said}."])


def _batches(*, quick: bool) -> None:
    script = HERE / "batch_scoring.py"
    if not script.exists():
        return
    print("\n== batch_scoring ==", flush=True)
    size = ["--rows", "20000", "--repeat", "1"] if quick else []
    if subprocess.run([sys.executable, str(script), *size], check=False).returncode:
        sys.exit("did not finish: batch_scoring")


if __name__ == "__main__":
    main()
