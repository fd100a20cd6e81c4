from __future__ import annotations

import time

import pytest

from drivetrain.serve.log.compact import compact
from drivetrain.serve.log.lag import Lag, lag_of
from drivetrain.serve.log.segment import segments
from serve import world
from serve.fakes import door
from serve.process import running
from serve.test_tokens import send_together
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def figure(text, name):
    found = (float(line.split()[1]) for line in text.splitlines() if line.startswith(name))
    return next(found, 0.0)  # what was never counted has no line


def test_what_is_logged_and_in_no_table_is_the_lag(store, folder):
    assert lag_of(folder / "plain") == Lag(0, 0.0)
    with door(store, folder) as made:
        made.post(PLAIN, {"instances": [instance()], "request_id": "a"})
        time.sleep(0.05)
        made.post(PLAIN, {"instances": [instance()], "request_id": "b"})
        [path] = segments(folder / "plain")
        both = lag_of(folder / "plain")
        assert both.bytes == path.stat().st_size - 8
        assert 0.05 <= both.seconds < 30
        compact(store, folder)
        assert lag_of(folder / "plain") == Lag(0, 0.0)
        made.post(PLAIN, {"instances": [instance()], "request_id": "c"})
        one = lag_of(folder / "plain")
        assert 0 < one.bytes < both.bytes
        text = made.get("/metrics")[1]
        assert figure(text, 'drivetrain_log_lag_bytes{endpoint="plain"}') == one.bytes
        assert figure(text, 'drivetrain_log_lag_seconds{endpoint="plain"}') >= one.seconds
        made.post("/v1/endpoints/plain/feedback", {"feedback": [{"entity": "f1", "label": 1}]})
        compact(store, folder)
        assert lag_of(folder / "plain").bytes == 0
    compact(store, folder)
    assert lag_of(folder / "plain") == Lag(0, 0.0)
    assert list((folder / "plain").glob("*.upto")) == []


def test_a_request_sent_again_is_no_lag(store, folder):
    with door(store, folder) as made:
        for _ in range(2):
            made.post(PLAIN, {"instances": [instance()], "request_id": "again"})
            compact(store, folder)
            assert lag_of(folder / "plain") == Lag(0, 0.0)


def test_metrics_are_told_while_the_log_can_not_be_read(store, folder, monkeypatch):
    def broken(*_):
        raise OSError("gone")

    monkeypatch.setattr("drivetrain.serve.routes.operations.lag_of", broken)
    with door(store, folder) as made:
        text = made.get("/metrics")[1]
        assert "drivetrain_log_lag" not in text
        assert "drivetrain_queue 0.0" in text


def test_batches_are_counted_by_size(store, folder):
    with door(store, folder) as made:
        for rows in (1, 3, 3, 600):
            assert made.post(PLAIN, {"instances": [instance()] * rows})[0] == 200
        text = made.get("/metrics")[1]
        head = 'drivetrain_batch_rows_bucket{endpoint="plain",le='
        found = [figure(text, f'{head}"{bound}"') for bound in ("1.0", "2.0", "4.0", "512.0", "+Inf")]
        assert found == [1, 1, 3, 3, 4]
        assert figure(text, 'drivetrain_batch_rows_sum{endpoint="plain"}') == 607


def test_figures_are_right_whichever_worker_tells_them(store, tmp_path):
    with running(tmp_path, workers=2) as server:
        server.wait_for_workers(2)
        send_together(server, 40)
        until = time.monotonic() + 20
        while True:
            texts = [server.get("/metrics")[1] for _ in range(4)]
            counts = [figure(text, 'drivetrain_batch_rows_count{endpoint="plain"}') for text in texts]
            if counts == [40.0] * 4:
                break
            assert time.monotonic() < until, counts
            time.sleep(0.05)
        assert [figure(text, "drivetrain_queue ") for text in texts] == [0.0] * 4
