"""Killed at any instant, ingestion ends with exactly the right rows: none lost, none twice, none refused twice."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

ROUNDS = 8
"""Up to four deaths each."""


def test_killed_anywhere_ingestion_is_exactly_once(tmp_path):
    script = Path(__file__).with_name("killing.py")
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "POLARS_MAX_THREADS": "2"}
    done = subprocess.run(
        [sys.executable, str(script), str(tmp_path), str(ROUNDS)],
        capture_output=True,
        text=True,
        env=environment,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    told = [json.loads(line) for line in done.stdout.splitlines()]
    states = [line["state"] for line in told if "state" in line]
    deaths = sum(line["deaths"] for line in told if "deaths" in line)
    assert len(states) == ROUNDS + 1
    assert deaths >= 2 * ROUNDS
    whole = states[0]
    assert len(whole["events"]["rows"]) == 70
    assert whole["events"]["refused"]
    assert whole["planes"]["refused"]
    for number, state in enumerate(states[1:]):
        for name, found in state.items():
            assert found == whole[name], (number, name)
