"""What ``docs/serving.md`` tells people to type, typed: every protocol, against a real server."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from contextlib import contextmanager
from pathlib import Path

import pytest
from msgspec.structs import replace
from tests.docs.flights import make_flights
from tests.loop.shop import copy_shop

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import ModelVersion
from drivetrain.loop.client import Client
from drivetrain.loop.project import Project
from drivetrain.loop.serving_plan import serve_settings
from drivetrain.testing.extra import need_extra
from serve.process import free_port
from serve.test_tls import certify

needs_curl = pytest.mark.skipif(shutil.which("curl") is None, reason="the page types curl, which is not installed")
PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    return make_flights(tmp_path_factory.mktemp("docs") / "flights")


@pytest.fixture
def folder(made, tmp_path):
    return Path(shutil.copytree(made, tmp_path / "flights"))


def blocks(section: str, kind: str) -> list[str]:
    """The blocks of a language under a heading of the page."""
    text = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    [found] = [part for part in text if part.startswith(f"{section}\n")]
    return re.findall(rf"^```{kind}\n(.*?)^```", found, re.MULTILINE | re.DOTALL)


def typed(script: str, folder: Path, *, port: int = 0, grpc: int = 0) -> str:
    """What comes of typing it in a folder, with the ports that are free here; fails where a line does."""
    script = script.replace(":8701", f":{port}").replace(":8702", f":{grpc}").replace("curl -s", "curl -sSf")
    python = [sys.executable, "-c"] if "import " in script else ["bash", "-euo", "pipefail", "-c"]
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        [*python, script],
        cwd=folder,
        env=os.environ | {"HOME": str(folder.parent), "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@contextmanager
def serving(folder: Path, settings: str = ""):
    """The server, on a port of its own."""
    port = free_port()
    (folder / "drivetrain.toml").write_text(f"[serve]\nport = {port}\n{settings}")
    server = subprocess.Popen([sys.executable, "-m", "drivetrain", "serve", "--project", str(folder)])
    client = Client(serve_settings(Project.load(folder)), patience=5.0)
    until = time.monotonic() + 60
    try:
        while True:
            assert server.poll() is None
            try:
                client.call("GET", "/healthz")
                break
            except DrivetrainError:
                assert time.monotonic() < until
        yield port
    finally:
        client.close()
        server.send_signal(signal.SIGTERM)
        server.wait(60)


@needs_curl
def test_every_protocol_over_http(folder):
    with serving(folder) as port:
        script = "".join(blocks("Asking", "bash")).replace("\ncurl", "\necho\ncurl")  # each answer on a line of its own
        said = typed(script, folder, port=port)
        [triton] = blocks("Asking", "python")
        columns = typed(triton, folder, port=port)
    native, feedback, explained, described, v2, v1, mlflow, csv = said.strip().split("\n", 7)
    [prediction] = re.findall(r'"predictions":\[([\d.]+)\]', native)
    assert '{"accepted":1}' in feedback
    assert '"method":"exact"' in explained
    assert '"ready":true' in described
    assert f'"data":[{prediction}]' in v2
    assert f'{{"predictions":[{prediction}]}}' == v1 == mlflow
    assert csv.split() == ["predict", prediction]
    assert columns.strip("[]\n").split()[0][:8] == prediction[:8]


def test_grpc(folder):
    need_extra("grpc")
    grpc = free_port()
    [script] = blocks("Over gRPC", "python")
    with serving(folder, f"grpc_port = {grpc}\n") as port:
        assert re.fullmatch(r"\[0\.\d+\]\n", typed(script, folder, port=port, grpc=grpc))


def test_a_file_in_both_ways(folder):
    [command], [method] = blocks("Scoring a file", "bash"), blocks("Scoring a file", "python")
    typed(command, folder)
    assert (folder / "scored.parquet").exists()
    assert typed(method, folder) == "50 0 1\n"


def test_inside_another_application(folder):
    asked = """
from fastapi.testclient import TestClient
with TestClient(app) as client:
    path = "/model/v1/endpoints/late/predict"
    print(client.post(path, json={"instances": [{"flight_id": "f1", "carrier": "UA"}]}).status_code)
"""
    script = blocks("Inside your own application", "python")[0]
    assert typed(script + asked, folder.parent) == "200\n"


def test_who_answers(folder):
    store = Project.load(folder).store
    first = store.catalog.get(ModelVersion, "late@1")
    store.catalog.commit(*(replace(first, version=number, run_id=f"run-{number}") for number in (2, 3, 4, 5)))
    said = typed(blocks("Who answers", "bash")[0], folder)
    assert [line.split()[1] for line in said.splitlines()] == ["canary", "split", "thompson", "the"]


@needs_curl
def test_who_may_ask(folder):
    certificate, key = certify(folder, "server")
    settings = f'tokens = "on"\ntls_certificate = "{certificate}"\ntls_key = "{key}"\ntls_ca = "{certificate}"\n'
    with serving(folder, settings) as port:
        [script] = blocks("Who may ask", "bash")
        assert "sleep 1 " in script
        said = typed(script.replace("sleep 1 ", "sleep 3 "), folder, port=port)  # many people share the machine
    assert '"predictions":[' in said
    assert "shop" in said
    assert "is revoked" in said


def test_signatures(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    [script] = blocks("Signatures", "bash")
    said = typed(script, folder)
    assert "returned v1 is signed with key" in said
    assert "signatures: a version is loaded only if key" in said
    assert "every signature is good" in said
