"""Logs to one run over HTTP as a client does, a metric and a parameter at a time; prints what was acknowledged."""

from __future__ import annotations

import http.client
import json
import os
import sys

run_id, name, steps = sys.argv[1], sys.argv[2], int(sys.argv[3])
connection = http.client.HTTPConnection(os.environ["MLFLOW_TRACKING_URI"].removeprefix("http://"), timeout=30)


def post(path, **said):
    body = json.dumps({"run_id": run_id, **said})
    connection.request("POST", f"/api/2.0/mlflow/runs/{path}", body, {"Content-Type": "application/json"})
    answer = connection.getresponse()
    answer.read()
    assert answer.status == 200, answer.status


for step in range(steps):
    post("log-metric", key="shared", value=step, step=step, timestamp=int(name))
    post("log-parameter", key=f"{name}-{step}", value=str(step))
    print(step, flush=True)
