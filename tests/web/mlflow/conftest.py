"""MLflow's own Python client, in an environment of its own: the address it finds here, and how it is run."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import pytest

_REQUIRE = "DRIVETRAIN_REQUIRE_SERVICES"
_VARIABLE = "DRIVETRAIN_TESTING_MLFLOW"
ENVIRONMENT = Path(__file__).parents[3] / ".mlflowenv" / "bin" / "python"
SCRIPTS = Path(__file__).parent / "scripts"
collect_ignore = ["scripts"]


@pytest.fixture(scope="session")
def mlflow_python() -> str:
    """The interpreter that has MLflow's client; skips, or fails where services are required, where there is none."""
    found = os.environ.get(_VARIABLE) or (str(ENVIRONMENT) if ENVIRONMENT.exists() else "")
    if not found:
        reason = f"no environment has MLflow's client: run make .mlflowenv/ready, or name its python in {_VARIABLE}"
        if os.environ.get(_REQUIRE) == "1":
            pytest.fail(f"{reason}, and {_REQUIRE}=1", pytrace=False)
        pytest.skip(reason)
    return found


def start(python: str, script: str, address: str, *arguments: str) -> subprocess.Popen[str]:
    """Starts a script of ours against a server."""
    environment = {
        **{name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        "MLFLOW_TRACKING_URI": address,
        "MLFLOW_HTTP_REQUEST_MAX_RETRIES": "0",
        "MLFLOW_DISABLE_TELEMETRY": "true",
        "MLFLOW_REQUIREMENTS_INFERENCE_TIMEOUT": "1",  # what a model needs is not looked for
        "OMP_NUM_THREADS": "1",
    }
    return subprocess.Popen(
        [python, "-W", "ignore", str(SCRIPTS / f"{script}.py"), *arguments],
        env=environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )


def run(python: str, script: str, address: str, *arguments: str) -> str:
    """What a script printed, which must not fail."""
    process = start(python, script, address, *arguments)
    printed, said = process.communicate(timeout=240)
    assert process.returncode == 0, said[-4000:]
    return printed
