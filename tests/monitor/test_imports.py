import subprocess
import sys

import pytest

HEAVY = {"sklearn", "scipy", "pandas", "lightgbm", "matplotlib"}


@pytest.mark.parametrize(
    "floor", ["monitor.window", "monitor.alerting.lifecycle", "monitor.alerting.sinks.mail", "monitor.reference"]
)
def test_importing_the_floor_loads_nothing_heavy(floor):
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, drivetrain.{floor}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not HEAVY & {name.partition(".")[0] for name in loaded.split()}
