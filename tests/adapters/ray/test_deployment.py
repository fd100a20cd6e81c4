"""An endpoint as a deployment of a real Ray Serve."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.util import find_spec
from pathlib import Path

import pytest

from drivetrain.adapters.ray import deployment
from drivetrain.core.errors import MissingExtra
from drivetrain.serve.log.read import find
from serve import world
from serve.process import free_port

INSTALLED = find_spec("ray") is not None

# In a process of its own: Ray leaves threads and warnings behind that are not ours to judge.
CODE = """
import json, sys, urllib.request
from pathlib import Path
import ray
from ray import serve
from drivetrain.adapters.ray import deployment

def make():
    sys.path[:0] = [{tests!r}]
    from serve.test_asgi import mounted
    return mounted(Path({folder!r}), durability="memory")

ray.init(num_cpus=2, include_dashboard=False)
serve.start(http_options={{"port": {port}}})
serve.run(deployment(make, name="late"), route_prefix="/model")
body = {{"instances": [{instance!r}], "request_id": "r"}}
asked = urllib.request.Request(
    "http://127.0.0.1:{port}/model/v1/endpoints/plain/predict", json.dumps(body).encode(), method="POST"
)
answer = urllib.request.urlopen(asked, timeout=30).read().decode()
serve.shutdown()
ray.shutdown()
print("answer", answer)
"""


@pytest.mark.slow
@pytest.mark.skipif(not INSTALLED, reason='Ray is not installed: pip install "drivetrain[ray]"')
def test_a_replica_answers_under_its_prefix_and_its_end_finishes_the_log(tmp_path):
    store = world.make(tmp_path)
    code = CODE.format(
        tests=str(Path(__file__).parents[2]), folder=str(tmp_path), port=free_port(), instance=world.instance()
    )
    environment = os.environ | {"RAY_raylet_start_wait_time_s": "120", "RAY_USAGE_STATS_ENABLED": "0"}
    ran = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, timeout=180, env=environment, check=False
    )
    assert ran.returncode == 0, ran.stderr[-3000:]
    assert 'answer {"predictions":[106.0],"request_id":"r","model_version":1}' in ran.stdout
    assert len(find(store, tmp_path / "log", "r")) == 1


@pytest.mark.skipif(INSTALLED, reason="Ray is installed")
def test_without_ray_it_says_what_to_install():
    with pytest.raises(MissingExtra, match=r'needs ray. Run: pip install "drivetrain\[ray\]"'):
        deployment(dict)
