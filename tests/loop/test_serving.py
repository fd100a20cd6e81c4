"""What a worker loads: what it needs to answer, and nothing else."""

from __future__ import annotations

import os
import subprocess
import sys

from tests.loop.shop import copy_shop

from drivetrain.loop.serving_plan import FOLDER_VARIABLE

ANSWER_AND_PUSH = """
import asyncio, json, sys
from drivetrain.loop.serving import application
from serve.fakes import Door

app, loop = application(), asyncio.new_event_loop()
app.__rsgi_init__(loop)
order = {"order_id": "n1", "customer": "c001", "category": "dresses", "amount": 120.0}
door = Door(app, loop)
assert door.post("/v1/endpoints/returned/predict", {"instances": [order]})[0] == 200
event = {**order, "returned": 1, "ordered": "2026-06-29T20:00:00Z", "decided": "2026-06-29T20:00:00Z"}
told = door.post("/v1/features/history/push", {"events": [event]})
assert told == (200, {"pushed": 1}), told
app.__rsgi_del__(loop)
print(" ".join(sys.modules))
"""


def test_a_worker_that_answers_and_is_pushed_to_loads_no_library_that_writes_tables_or_trains(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    done = subprocess.run(
        [sys.executable, "-c", ANSWER_AND_PUSH],
        env={**os.environ, FOLDER_VARIABLE: str(folder), "PYTHONPATH": os.pathsep.join(sys.path)},
        check=False,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    heavy = {"deltalake", "alembic", "sklearn", "pandas", "lightgbm", "scipy", "pyarrow"}
    assert not heavy & set(done.stdout.split())
