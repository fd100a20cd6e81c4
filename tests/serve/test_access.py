from __future__ import annotations

import asyncio
import json
import os
import time
from datetime import UTC, datetime

import pytest

from drivetrain.core.exchange import Exchange
from drivetrain.serve.access import EVERY_SECONDS, AccessLog
from drivetrain.serve.witness import Witnesses
from drivetrain.testing.disk import fill, small_disk
from serve import world
from serve.fakes import door
from serve.process import running
from serve.test_tokens import keep, send, send_together
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"
ONE = Exchange(began=0, seconds=0.1, method="GET", route="health", path="/healthz", endpoint="", status=200)


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.fixture
def path(tmp_path):
    return tmp_path / "logs" / "access.jsonl"


def lines(path):
    return [json.loads(line) for line in path.read_text("utf-8").splitlines()]


def test_a_line_says_what_happened_and_nothing_of_what_was_said(store, tmp_path, path):
    text = keep(store)
    head = {"authorization": text, "x-forwarded-for": "192.0.2.7"}
    body = json.dumps({"instances": [instance(flight_id="private")], "request_id": "r1"}).encode()
    with door(store, tmp_path / "log", access_log=str(path), tokens="on") as made:
        ask = made.loop.run_until_complete
        answer = ask(made.send("POST", PLAIN, body, headers=head))
        assert answer.status == 200
        ask(made.send("BREW", "/private/path", b"", headers=head))
        ask(made.send("POST", PLAIN, body))
    first, second, third = lines(path)
    moment = datetime.fromisoformat(first.pop("time"))
    assert abs((datetime.now(UTC) - moment).total_seconds()) < 60
    assert 0 < first.pop("ms") < 5000
    assert first == {
        "method": "POST",
        "route": "predict",
        "endpoint": "plain",
        "status": 200,
        "bytes_in": len(body),
        "bytes_out": len(answer.body),
        "token": text.split("_")[1],
        "request_id": "r1",
        "pid": os.getpid(),
    }
    assert (second["method"], second["route"], second["status"]) == ("_OTHER", "unknown", 404)
    assert (third["status"], third["token"], third["request_id"]) == (401, "", "")
    written = path.read_text("utf-8")
    assert "private" not in written
    assert text.rsplit("_", 1)[1] not in written


def test_requests_gathered_into_one_batch_keep_their_own_ids(store, tmp_path, path):
    plans = [world.TIMED]
    with door(store, tmp_path / "log", access_log=str(path), plans=plans) as made:

        async def together():
            bodies = [json.dumps({"instances": [world.timed()], "request_id": f"r{at}"}).encode() for at in range(20)]
            return await asyncio.gather(*(made.send("POST", "/v1/endpoints/timed/predict", body) for body in bodies))

        answers = made.loop.run_until_complete(together())
    said = [json.loads(answer.body)["request_id"] for answer in answers]
    assert [line["request_id"] for line in lines(path)] == said == [f"r{at}" for at in range(20)]


def test_a_file_that_is_moved_away_is_begun_anew(path):
    log = AccessLog(str(path), pytest.fail)
    log.saw(ONE)
    log.flush()
    path.rename(path.with_suffix(".1"))
    log.saw(ONE)
    log.close()
    assert len(lines(path)) == len(lines(path.with_suffix(".1"))) == 1


def test_a_full_disk_loses_lines_and_counts_them_and_no_line_is_spoiled(tmp_path):
    dropped = []
    with small_disk(tmp_path / "disk", 128) as disk:
        path = disk / "access.jsonl"
        log = AccessLog(str(path), dropped.append)
        log.saw(ONE)
        log.flush()
        filler = fill(disk)
        for _ in range(1000):
            log.saw(ONE)
        log.flush()
        assert dropped == [1000]
        filler.unlink()
        log.saw(ONE)
        log.close()
        first, *_, last = path.read_bytes().splitlines()
        assert json.loads(first) == json.loads(last)


def test_lines_that_nobody_takes_are_bounded(tmp_path):
    dropped = []
    log = AccessLog(str(tmp_path), dropped.append, most=10)
    for _ in range(15):
        log.saw(ONE)
    assert sum(dropped) == 5
    log.close()
    assert sum(dropped) == 15


def test_a_witness_that_fails_keeps_nobody_from_their_answer(store, tmp_path, path, monkeypatch):
    monkeypatch.setattr(AccessLog, "saw", lambda *_: 1 / 0)
    with door(store, tmp_path / "log", access_log=str(path)) as made:
        assert made.post(PLAIN, {"instances": [instance()]})[0] == 200
        assert 'drivetrain_witness_failed_total{witness="AccessLog"} 1.0' in made.get("/metrics")[1]


def test_nobody_watches_unless_asked(store, tmp_path, monkeypatch):
    monkeypatch.setattr(Witnesses, "tell", lambda *_, **__: pytest.fail("told"))
    with door(store, tmp_path / "log") as made:
        assert made.post(PLAIN, {"instances": [instance()]})[0] == 200


def test_workers_of_a_real_server_share_a_file(store, tmp_path, path):
    with running(tmp_path, workers=2, access_log=str(path)) as server:
        server.wait_for_workers(2)
        sent, until = 0, time.monotonic() + 60
        while not path.exists() or len({line["pid"] for line in lines(path)}) < 2:  # who takes a connection is chance
            assert time.monotonic() < until
            assert {status for status, _, _ in send_together(server, 50)} == {200}
            sent += 50
            time.sleep(EVERY_SECONDS)
        server.end()
    asked = [line for line in lines(path) if line["route"] == "predict"]
    assert len(asked) == len({line["request_id"] for line in asked}) == sent


def test_standard_output_is_a_file_too(store, tmp_path):
    with running(tmp_path, access_log="-") as server:
        assert send(server)[0] == 200
        server.end()
        told = [json.loads(line) for line in server.process.communicate()[0].splitlines()]
    assert [line["route"] for line in told if line["route"] != "health"] == ["predict"]
