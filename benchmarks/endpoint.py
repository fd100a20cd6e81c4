"""Endpoint throughput: drivetrain with everything on, beside a bare granian loop and FastAPI on the same model.

    python benchmarks/endpoint.py [--seconds 1] [--rounds 9] [--peers]

One worker each, on this machine, driven by one epoll client at 64 connections and at one. Slices alternate between the
servers, so that all of them meet the same noise; figures are medians. CPU is what the server's processes used for one
request: on a machine shared with the client and others it says more than requests per second. ``--peers`` makes an
environment of its own for FastAPI and uvicorn.
"""

from __future__ import annotations

import argparse
import json
import socket
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass, field
from pathlib import Path

import psutil

from endpoint_apps import instance, prepare
from load import Load, drive, post

HERE = Path(__file__).parent
_SERVE = """
import sys; sys.path.insert(0, {here!r})
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.server import serve
serve("endpoint_apps:application", ServeSettings(port={port}), arguments=({folder!r}, {durability!r}))
"""
_BARE = """
import sys; sys.path.insert(0, {here!r})
from granian import Granian
from endpoint_apps import bare
def load(): return bare({folder!r})
if __name__ == "__main__":
    Granian("bare", port={port}, interface="rsgi", http="1", websockets=False, log_enabled=False).serve(
        target_loader=load, wrap_loader=False
    )
"""
_PEER = """
import lightgbm, numpy as np
from fastapi import FastAPI
from pydantic import BaseModel, create_model
booster = lightgbm.Booster(model_file={model!r})
Instance = create_model("Instance", **{{f"x{{at}}": (float, ...) for at in range(30)}})
class Body(BaseModel):
    instances: list[Instance]
app = FastAPI()
@app.post("/predict")
def predict(body: Body):
    rows = np.array([list(one.model_dump().values()) for one in body.instances])
    return {{"predictions": booster.predict(rows, num_threads=1).tolist()}}
"""


@dataclass
class Contestant:
    """A server and what it is asked."""

    name: str
    process: subprocess.Popen[bytes]
    port: int
    request: bytes
    slices: dict[int, list[tuple[Load, float]]] = field(default_factory=dict)

    def run(self, connections: int, seconds: float) -> None:
        """One slice of load."""
        before = _cpu(self.process.pid)
        load = drive(self.port, self.request, connections, seconds)
        spent = (_cpu(self.process.pid) - before) / max(1, len(load.latencies))
        self.slices.setdefault(connections, []).append((load, spent))

    def figures(self, connections: int) -> tuple[float, float, float, float]:
        """Medians over slices: requests per second, p50 and p99 in ms, CPU in µs a request."""
        runs = self.slices[connections]
        return (
            statistics.median(load.rate for load, _ in runs),
            statistics.median(load.quantile(0.5) for load, _ in runs) * 1e3,
            statistics.median(load.quantile(0.99) for load, _ in runs) * 1e3,
            statistics.median(spent for _, spent in runs) * 1e6,
        )

    @property
    def failures(self) -> int:
        """Answers other than 200."""
        return sum(load.failures for runs in self.slices.values() for load, _ in runs)


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    arguments.add_argument("--seconds", type=float, default=1.0, help="length of a slice")
    arguments.add_argument("--rounds", type=int, default=9, help="slices of each server and load")
    arguments.add_argument("--peers", action="store_true", help="install and run FastAPI + uvicorn too")
    options = arguments.parse_args()
    with tempfile.TemporaryDirectory(prefix="bench-endpoint-") as folder:
        prepare(Path(folder))
        contestants = _start(Path(folder), peers=options.peers)
        try:
            for one in contestants:
                drive(one.port, one.request, 8, 0.5)
            for _ in range(options.rounds):
                for connections in (64, 1):
                    for one in contestants:
                        one.run(connections, options.seconds)
            _report(contestants)
        finally:
            for process in {one.process for one in contestants}:
                process.terminate()
                process.wait(60)


def _start(folder: Path, *, peers: bool) -> list[Contestant]:
    numbers = json.dumps({"instances": [instance("numbers")]}).encode()
    fill = {"here": str(HERE), "folder": str(folder)}
    made = []
    port = _free_port()
    script = folder / "bare_loop.py"
    script.write_text(_BARE.format(port=port, **fill), "utf-8")
    made.append(Contestant("bare granian loop", _spawn(str(script)), port, post("/", numbers)))
    port = _free_port()
    ours = _spawn("-c", _SERVE.format(port=port, durability="process", **fill))
    for name, words in (
        ("numbers", "drivetrain"),
        ("online", "drivetrain, 30 online features"),
        ("asked", "drivetrain, 10 request features"),
    ):
        body = json.dumps({"instances": [instance(name)]}).encode()
        made.append(Contestant(words, ours, port, post(f"/v1/endpoints/{name}/predict", body)))
    port = _free_port()
    disk = _spawn("-c", _SERVE.format(port=port, durability="disk", **fill))
    made.append(Contestant("drivetrain, durability disk", disk, port, post("/v1/endpoints/numbers/predict", numbers)))
    if peers:
        port = _free_port()
        made.append(Contestant("FastAPI + uvicorn", _peer(folder, port), port, post("/predict", numbers)))
    for one in made:
        _wait(one)
    return made


def _peer(folder: Path, port: int) -> subprocess.Popen[bytes]:
    environment = folder / "peer"
    python = environment / "bin/python"
    subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)
    packages = ["fastapi", "uvicorn[standard]", "lightgbm", "numpy"]
    subprocess.run([str(python), "-m", "pip", "install", "-q", *packages], check=True)
    (folder / "peer_app.py").write_text(_PEER.format(model=str(folder / "model.txt")), "utf-8")
    command = [str(python), "-m", "uvicorn", "peer_app:app", "--port", str(port), "--log-level", "warning"]
    return subprocess.Popen(command, cwd=folder)


def _spawn(*words: str) -> subprocess.Popen[bytes]:
    return subprocess.Popen([sys.executable, *words])


def _wait(one: Contestant) -> None:
    until = time.monotonic() + 60
    while time.monotonic() < until:
        try:
            if drive(one.port, one.request, 1, 0.05).latencies:
                return
        except OSError:
            time.sleep(0.1)
    raise SystemExit(f"{one.name} did not come up")


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _cpu(pid: int) -> float:
    main_process = psutil.Process(pid)
    times = [process.cpu_times() for process in (main_process, *main_process.children(recursive=True))]
    return sum(time.user + time.system for time in times)


def _memory(pid: int) -> float:
    main_process = psutil.Process(pid)
    return max(process.memory_info().rss for process in (main_process, *main_process.children(recursive=True))) / 2**20


def _report(contestants: list[Contestant]) -> None:
    base = contestants[0]
    for connections in (64, 1):
        print(f"\n{connections} connection{'s' if connections > 1 else ''}, one row a request")
        print(f"{'server':34} {'req/s':>8} {'ratio':>6} {'p50 ms':>8} {'p99 ms':>8} {'CPU µs':>8} {'ratio':>6}")
        bare_rate, _, _, bare_cpu = base.figures(connections)
        for one in contestants:
            rate, p50, p99, cpu = one.figures(connections)
            speed = f"{rate:8.0f} {rate / bare_rate:6.2f} {p50:8.2f} {p99:8.2f}"
            print(f"{one.name:34} {speed} {cpu:8.0f} {bare_cpu / cpu:6.2f}")
    print("\nlargest process, MiB: " + ", ".join(f"{one.name} {_memory(one.process.pid):.0f}" for one in contestants))
    if failures := sum(one.failures for one in contestants):
        print(f"answers other than 200: {failures}")


if __name__ == "__main__":
    main()
