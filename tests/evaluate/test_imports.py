import subprocess
import sys

import pytest

HEAVY = {"sklearn", "scipy", "pandas", "lightgbm", "matplotlib"}


@pytest.mark.parametrize("floor", ["evaluate.report", "evaluate.verdict", "evaluate.card", "evaluate.operating"])
def test_importing_the_floor_loads_nothing_heavy(floor):
    loaded = subprocess.run(
        [sys.executable, "-c", f"import sys, drivetrain.{floor}; print(*sys.modules)"],
        capture_output=True,
        text=True,
        check=True,
    ).stdout
    assert not HEAVY & {name.partition(".")[0] for name in loaded.split()}
