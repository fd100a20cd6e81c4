"""Over the wire: a real server, a plain client."""

from __future__ import annotations

from threading import Thread

import pytest

from serve import world
from serve.explain.models import INSTANCES, trained
from serve.process import running


def test_a_real_server_explains_while_it_predicts(tmp_path):
    store = world.fresh_store(tmp_path)
    trained(store, "a forest")
    store.close()
    statuses = []
    with running(tmp_path, target="serve.explain.models:application") as server:

        def predict():
            statuses.extend(server.post("/v1/endpoints/late/predict", {"instances": INSTANCES})[0] for _ in range(50))

        beside = Thread(target=predict)
        beside.start()
        told = [server.post("/v1/endpoints/late/explain", {"instances": INSTANCES * 5}) for _ in range(3)]
        beside.join()
        metrics = server.get("/metrics")[1]
        assert server.end() == 0
    assert [status for status, _ in told] == [200] * 3
    assert statuses == [200] * 50
    for row in told[0][1]["explanations"]:
        added = sum(one["contribution"] for one in row["contributions"])
        assert row["base"] + added == pytest.approx(row["margin"])
        assert row["margin"] == pytest.approx(row["prediction"], abs=1e-6)
    assert 'drivetrain_explained_total{endpoint="late",why="asked"} 45.0' in metrics
