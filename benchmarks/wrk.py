"""wrk in the place of ``load.drive``: written in C, it leaves more of the cores to the server.

https://github.com/wg/wrk
"""

from __future__ import annotations

import json
import math
import os
import shutil
import subprocess
import tempfile
from pathlib import Path

from load import Load

FOUND = shutil.which("wrk")

_SCRIPT = """
local file = io.open(os.getenv("BENCH_REQUEST"), "rb")
local raw = file:read("*a")
file:close()
request = function() return raw end
done = function(summary, latency)
  local pairs = {}
  for at = 1, #latency do
    local value, count = latency(at)
    pairs[at] = string.format("[%d,%d]", value, count)
  end
  local errors = summary.errors
  local broken = errors.connect + errors.read + errors.write + errors.timeout
  print(string.format('LOAD {"us": %d, "requests": %d, "refused": %d, "broken": %d, "latencies": [%s]}',
    summary.duration, summary.requests, errors.status, broken, table.concat(pairs, ",")))
end
"""


def drive(port: int, request: bytes, connections: int, seconds: float) -> Load:
    """What :func:`load.drive` does; slices are whole seconds."""
    with tempfile.TemporaryDirectory(prefix="bench-wrk-") as folder:
        script, asked = Path(folder) / "post.lua", Path(folder) / "request"
        script.write_text(_SCRIPT, "ascii")
        asked.write_bytes(request)
        size = ["-t1", f"-c{connections}", f"-d{math.ceil(seconds)}s", "--timeout", "30s"]
        command = [str(FOUND), *size, "-s", str(script), f"http://127.0.0.1:{port}/"]
        environment = {**os.environ, "BENCH_REQUEST": str(asked)}
        done = subprocess.run(command, capture_output=True, text=True, check=True, env=environment)
    line = next(line for line in done.stdout.splitlines() if line.startswith("LOAD "))
    told = json.loads(line.removeprefix("LOAD "))
    return Load(
        seconds=told["us"] / 1e6,
        answers=told["requests"] - told["refused"],
        latencies=[value / 1e6 for value, count in told["latencies"] for _ in range(count)],
        failures=told["refused"] + told["broken"],
    )
