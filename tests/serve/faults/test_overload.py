"""Ten times what a server can take: it answers as much as before, and tells the rest at once to come again."""

from __future__ import annotations

import json
import logging
from statistics import median

from serve import world
from serve.faults import house
from serve.faults.flood import flood, post
from serve.faults.scale import LONG, sized
from serve.faults.workers import resident, workers
from serve.process import running

_log = logging.getLogger(__name__)

QUEUE = 16
TIMES = 10
ROUNDS = sized(3, 6)
SECONDS = sized(1.2, 10.0)
GOODPUT = sized(0.6, 0.9)
"""Other work on the machine weighs more on a second than on a minute."""
MEBIBYTES = 32.0


def test_ten_times_too_much(tmp_path):
    """Capacity and overload are measured in turns, so that both meet the same noise."""
    store = house.make(tmp_path)
    house.promote(store, 2, house.SLOW)
    request = post("/v1/endpoints/plain/predict", json.dumps({"instances": [world.instance()]}).encode())
    shares, growth = [], 0.0
    with running(tmp_path, target="serve.faults.house:lone", queue=QUEUE) as server:
        flood(server.port, request, 1.0, connections=QUEUE // 2)
        before = resident(workers(server))
        for _ in range(ROUNDS):
            alone = flood(server.port, request, SECONDS / 2, connections=QUEUE // 2)
            assert set(alone.statuses) == {200}
            much = flood(server.port, request, SECONDS, connections=QUEUE * TIMES // 2, rate=alone.goodput * TIMES)
            growth = max(growth, resident(workers(server)) - before)
            assert set(much.statuses) == {200, 429}
            assert much.broken == 0
            assert much.statuses[429] > much.statuses[200]
            assert "\nretry-after: 1" in much.heads[429]
            # At once: who is refused waits less than who is answered, though many more are refused.
            assert much.quantile(429, 0.5) < much.quantile(200, 0.5)
            shares.append(much.goodput / alone.goodput)
        assert server.post("/v1/endpoints/plain/predict", {"instances": [world.instance()]})[0] == 200
    _log.info("goodput over capacity %s, memory +%.1f MiB", [round(share, 3) for share in shares], growth)
    assert median(shares) >= GOODPUT, shares
    assert growth < MEBIBYTES, f"{growth:.1f} MiB more" + (" after a minute" if LONG else "")
