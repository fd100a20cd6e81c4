"""Peers of the inference server: what each needs, how its documentation starts it, and what it is asked.

One worker, process or replica each; batching as it is by default, which is none; access logs off where there is a
switch.
"""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import peers
from contestant import Contestant, Server, free_port

APPS = Path(__file__).parent / "peer_apps"
START_SECONDS = 180.0
_LIGHTGBM = "lightgbm==4.7.0"
_SILENT = {
    "BENTOML_DO_NOT_TRACK": "True",
    "MLFLOW_DISABLE_TELEMETRY": "true",
    "RAY_USAGE_STATS_ENABLED": "0",
    "RAY_raylet_start_wait_time_s": "120",
    "UVICORN_ACCESS_LOG": "false",
}

Command = Callable[[str, Path, int], list[str]]
"""The command line, from the environment's interpreter, a folder of the peer's own and a port."""


@dataclass(frozen=True)
class Peer:
    """One peer.

    Attributes:
        name: What the table calls it.
        packages: What its environment holds, pinned.
        command: What starts it; the model is at ``$BENCH_MODEL``.
        path: What is asked for.
        body: The request, JSON to be, for a row of numbers.
        answer: The prediction in its answer.
    """

    name: str
    packages: tuple[str, ...]
    command: Command
    path: str
    body: Callable[[list[float]], object]
    answer: Callable[[Any], float]


def _app(name: str) -> Command:
    return lambda python, _, port: [python, str(APPS / f"{name}.py"), str(port)]


def _uvicorn(python: str, _: Path, port: int) -> list[str]:
    place = ["--app-dir", str(APPS), "--port", str(port)]
    return [python, "-m", "uvicorn", "fastapi_app:app", *place, "--log-level", "warning"]


def _mlserver(python: str, folder: Path, port: int) -> list[str]:
    # Its inference pool, even of one process, costs it half its rate; without, it is one process like the others.
    ports = {"http_port": port, "grpc_port": free_port(), "metrics_port": free_port()}
    settings = {"host": "127.0.0.1", "debug": False, "parallel_workers": 0, **ports}
    uri = {"uri": str(folder.parent / "model.txt")}
    model = {"name": "scores", "implementation": "mlserver_lightgbm.LightGBMModel", "parameters": uri}
    (folder / "settings.json").write_text(json.dumps(settings), "utf-8")
    (folder / "model-settings.json").write_text(json.dumps(model), "utf-8")
    return [str(Path(python).parent / "mlserver"), "start", str(folder)]


def _mlflow(python: str, folder: Path, port: int) -> list[str]:
    place = folder / "model"
    environment = {**os.environ, **_SILENT, "BENCH_MODEL": str(folder.parent / "model.txt")}
    with (folder / "save.out").open("wb") as output:
        command = [python, str(APPS / "mlflow_model.py"), str(place)]
        subprocess.run(command, check=True, stdout=output, stderr=subprocess.STDOUT, cwd=folder, env=environment)
    where = ["-m", str(place), "-h", "127.0.0.1", "-p", str(port)]
    return [python, "-m", "mlflow", "models", "serve", *where, "--env-manager", "local", "--workers", "1"]


def _bentoml(python: str, _: Path, port: int) -> list[str]:
    place = ["--working-dir", str(APPS), "--host", "127.0.0.1", "-p", str(port)]
    return [python, "-m", "bentoml", "serve", "bentoml_app:Scores", *place]


def _named(numbers: list[float]) -> object:
    return {"instances": [{f"x{at}": number for at, number in enumerate(numbers)}]}


def _rows(numbers: list[float]) -> object:
    return {"instances": [numbers]}


def _tensor(numbers: list[float]) -> object:
    return {"inputs": [{"name": "x", "shape": [1, len(numbers)], "datatype": "FP64", "data": numbers}]}


def _first(told: Any) -> float:
    return float(told["predictions"][0])


FASTAPI = Peer(
    "FastAPI + uvicorn",
    ("fastapi==0.165.0", "uvicorn[standard]==0.54.0", _LIGHTGBM, "numpy==2.4.6"),
    _uvicorn,
    "/predict",
    _named,
    _first,
)
MLSERVER = Peer(
    "MLServer",
    # its pool starts under no newer uvloop, which it does not say
    ("mlserver==1.7.1", "mlserver-lightgbm==1.7.1", _LIGHTGBM, "uvloop==0.21.0"),
    _mlserver,
    "/v2/models/scores/infer",
    _tensor,
    lambda told: float(told["outputs"][0]["data"][0]),
)
MLFLOW = Peer(
    "MLflow",
    ("mlflow==3.17.2", _LIGHTGBM),
    _mlflow,
    "/invocations",
    lambda numbers: {"inputs": [numbers]},
    _first,
)
BENTOML = Peer(
    "BentoML",
    ("bentoml==1.4.39", _LIGHTGBM, "numpy==2.4.6"),
    _bentoml,
    "/predict",
    _rows,
    lambda told: float(told[0]),
)
LITSERVE = Peer(
    "LitServe", ("litserve==0.2.19", _LIGHTGBM, "numpy==2.4.6"), _app("litserve_app"), "/predict", _rows, _first
)
RAY = Peer("Ray Serve", ("ray[serve]==2.60.0", _LIGHTGBM, "numpy==2.4.6"), _app("ray_app"), "/", _rows, _first)

PEERS = (FASTAPI, MLSERVER, MLFLOW, BENTOML, LITSERVE, RAY)


def start(peer: Peer, folder: Path, expects: Callable[[list[float]], float]) -> Contestant:
    """A peer that answers, or a row that says why it does not.

    Args:
        peer: Which.
        folder: Where the model is; the peer gets a folder in it.
        expects: What the model says.
    """
    python = peers.python(*peer.packages)
    if python is None:
        return Contestant(peer.name, note=f"can't be installed here: {peers.reason(*peer.packages)}")
    place = folder / peer.name.split()[0].lower()
    place.mkdir()
    port = free_port()
    try:
        command = peer.command(python, place, port)
    except subprocess.CalledProcessError as error:
        return Contestant(peer.name, note=f"can't be prepared: {error}")
    found = f"{Path(python).parent}{os.pathsep}{os.environ['PATH']}"
    environment = {**one_thread(), **_SILENT, "BENCH_MODEL": str(folder / "model.txt"), "PATH": found}
    server = Server(command, place, environment, "server")
    return Contestant(peer.name, port, peer.path, peer.body, peer.answer, server, expects)


def one_thread() -> dict[str, str]:
    """The environment of every server: LightGBM has one thread, whoever asks it."""
    mine = {name: value for name, value in os.environ.items() if name not in {"VIRTUAL_ENV", "PYTHONPATH"}}
    return {**mine, "OMP_NUM_THREADS": "1", "OMP_WAIT_POLICY": "passive", "PYTHONDONTWRITEBYTECODE": "1"}
