"""The control server as a process: it says when it is ready, refuses a port in use, and ends when told to."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import urllib.request
from pathlib import Path

import pytest

from drivetrain.core.errors import SettingsError, UsageError
from drivetrain.core.settings import WebSettings
from drivetrain.web.server import claim, serve
from web.process import free_port, serving

ROOT = Path(__file__).parents[2]


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_serves_and_ends_with_0_when_told_to(number: signal.Signals):
    with serving("web.serving:seeded") as (address, process):
        with urllib.request.urlopen(f"{address}/api/v1/project") as answer:
            assert answer.status == 200
            assert b'"flights"' in answer.read()
        process.send_signal(number)
        assert process.wait(20) == 0


def test_a_port_in_use_is_said_plainly():
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        with pytest.raises(SettingsError, match=rf"can't listen on 127\.0\.0\.1:{port}.*in use.*\[web\] port"):
            claim(WebSettings(port=port))
        with pytest.raises(SettingsError, match="in use"):
            serve("web.serving:seeded", WebSettings(port=port))


def test_a_host_that_is_not_here_is_said_plainly():
    with pytest.raises(SettingsError, match=r"192\.0\.2\.1"):
        claim(WebSettings(host="192.0.2.1", port=free_port()))


@pytest.mark.parametrize("target", ["nowhere.at.all:app", "web.serving:nothing", "web.serving:__doc__", "web.serving"])
def test_a_target_that_is_none_is_said_plainly(target: str):
    with pytest.raises(UsageError, match=target):
        serve(target, WebSettings(port=free_port()))


def test_what_the_target_raises_is_passed_on():
    with pytest.raises(RuntimeError, match="on purpose"):
        serve("web.serving:broken", WebSettings(port=free_port()))


def _command(folder: Path, port: int) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "drivetrain.web", str(folder)],
        env={**os.environ, "PYTHONPATH": str(ROOT / "src"), "DRIVETRAIN_WEB__PORT": str(port)},
        stderr=subprocess.PIPE,
        text=True,
    )


def test_the_command_serves_a_project_s_folder(tmp_path: Path):
    (tmp_path / "project.py").write_text("import drivetrain as dt\nproject = dt.Project('tiny', objective='Try it')\n")
    port = free_port()
    with _command(tmp_path, port) as process:
        assert process.stderr is not None
        assert process.stderr.readline() == f"dashboard at http://127.0.0.1:{port}\n"
        with urllib.request.urlopen(f"http://127.0.0.1:{port}/") as answer:
            assert b"No endpoint is declared yet." in answer.read()
        process.terminate()
        assert process.wait(20) == 0


def test_the_command_says_plainly_that_there_is_no_project(tmp_path: Path):
    with _command(tmp_path, free_port()) as process:
        _, said = process.communicate(timeout=30)
        assert process.returncode == 2
        assert "project.py" in said
        assert "Traceback" not in said


def test_the_package_itself_loads_no_web_framework():
    check = (
        "import sys, drivetrain.web; sys.exit(any(name in sys.modules for name in ('fastapi', 'starlette', 'jinja2')))"
    )
    done = subprocess.run(
        [sys.executable, "-c", check], env={**os.environ, "PYTHONPATH": str(ROOT / "src")}, check=False
    )
    assert done.returncode == 0
