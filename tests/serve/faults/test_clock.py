"""A clock that jumps back by an hour: ids stay apart, the log keeps its order, compaction keeps everything once."""

from __future__ import annotations

import polars as pl

from drivetrain.serve.log.compact import compact
from drivetrain.serve.log.frame import MAGIC, scan, unpack
from drivetrain.serve.log.segment import segments
from serve import world
from serve.faults import house
from serve.process import running

LABELS = "/v1/endpoints/plain/feedback"
PLAIN = "/v1/endpoints/plain/predict"


def test_an_hour_back(tmp_path):
    store = house.make(tmp_path)
    body = {"instances": [world.instance()]}
    ids = []
    with running(tmp_path, target="serve.faults.house:jumping") as server:

        def ask(count=30):
            for _ in range(count):
                status, answer = server.post(PLAIN, body)
                assert status == 200
                ids.append(answer["request_id"])

        def label(value):
            assert server.post(LABELS, {"feedback": [{"entity": "f1", "label": value}]})[0] == 200

        ask()
        assert server.post(PLAIN, body | {"request_id": "twice"})[0] == 200
        label(0.0)
        (tmp_path / house.CLOCK).touch()
        ask()
        house.promote(store, 2, 1000.0)
        while server.get("/v1/endpoints/plain")[1]["versions"]["champion"] != 2:
            pass
        assert server.post(PLAIN, body | {"request_id": "twice"})[1]["predictions"] == [1106.0]
        label(1.0)
        (path,) = segments(server.log / "plain")
        logged = [unpack(piece.body).logged_at for piece in scan(path.read_bytes(), len(MAGIC))]
        compact(store, server.log)
        (tmp_path / house.CLOCK).unlink()
        ask()
        assert server.get("/metrics")[0] == 200
    compact(store, server.log)
    assert len(set(ids)) == len(ids) == 90
    assert logged == sorted(logged)
    rows = store.tables.read("log/plain/predictions")
    assert sorted(rows["request_id"]) == sorted([*ids, "twice"])
    assert rows.filter(pl.col("request_id") == "twice")["version"].to_list() == [1], "the first is kept"
    labels = store.tables.read("log/plain/feedback").sort("logged_at")["label"]
    assert labels.to_list() == [0.0, 1.0], "the last label is the one that came last"
