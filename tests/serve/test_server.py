"""Real server processes: killed, drained, reloaded under load, short of disk, refused a port."""

from __future__ import annotations

import http.client
import json
import os
import signal
import socket
import threading
import time
from types import SimpleNamespace

import pytest

from drivetrain.serve.log.compact import compact
from drivetrain.serve.server import _Wake
from drivetrain.testing.disk import fill, small_disk
from serve import world
from serve.process import ask, free_port, gone, running
from serve.world import instance, timed

PLAIN = "/v1/endpoints/plain/predict"
TIMED = "/v1/endpoints/timed/predict"
LOST = (OSError, http.client.HTTPException)


class Callers:
    """Threads that ask without pause; each keeps what was acknowledged and what was not."""

    def __init__(self, server, count=4, path=PLAIN, make=instance):
        self.acknowledged: list[str] = []
        self.refused: list[tuple[int, object]] = []
        self.lost: list[str] = []
        self.versions: set[int] = set()
        self._server, self._path, self._make = server, path, make
        self._stop = threading.Event()
        self._threads = [threading.Thread(target=self._call, args=(at,)) for at in range(count)]

    def __enter__(self):
        for thread in self._threads:
            thread.start()
        return self

    def __exit__(self, *_):
        self._stop.set()
        for thread in self._threads:
            thread.join()

    def wait_for(self, answers):
        until = time.monotonic() + 60
        while len(self.acknowledged) < answers:
            assert time.monotonic() < until, (self.refused[:3], self.lost[:3])
            time.sleep(0.005)

    def _call(self, caller):
        connection = self._server.client()
        number = 0
        while not self._stop.is_set():
            number += 1
            name = f"{caller}-{number}"
            try:
                status, answer = ask(connection, "POST", self._path, {"instances": [self._make()], "request_id": name})
            except LOST:
                self.lost.append(name)
                connection.close()
                self._stop.wait(0.01)
                continue
            if status == 200:
                self.acknowledged.append(name)
                self.versions.add(answer["model_version"])
            else:
                self.refused.append((status, answer))
        connection.close()


def logged(store, name="plain"):
    return store.tables.read(f"log/{name}/predictions")


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_killed_under_load_what_was_acknowledged_is_in_the_log_once(store, tmp_path, durability):
    acknowledged: list[str] = []
    for _ in range(2):
        with running(tmp_path, durability=durability) as server, Callers(server) as callers:
            callers.wait_for(150)
            (worker,) = server.workers()
            os.kill(worker, signal.SIGKILL)
            seen = len(callers.acknowledged)
            callers.wait_for(seen + 100)  # another worker took its place
            server.end(signal.SIGKILL)
        assert not callers.refused
        acknowledged += callers.acknowledged
        compact(store, server.log)
    rows = logged(store)
    assert rows.select("request_id", "row", "role").is_unique().all()
    assert set(acknowledged) <= set(rows["request_id"])


def test_workers_of_a_killed_server_let_go_of_the_port(store, tmp_path):
    port = free_port()
    with running(tmp_path, port=port) as server:
        workers = server.workers()
        server.end(signal.SIGKILL)
        assert all(gone(worker) for worker in workers)
    with running(tmp_path, port=port) as server:
        assert server.post(PLAIN, {"instances": [instance()]})[0] == 200


def test_a_request_sent_again_after_a_crash_is_answered_and_kept_once(store, tmp_path):
    body = {"instances": [timed(), timed()], "request_id": "again", "at": ["2013-07-01", "2013-07-02"]}
    for _ in range(2):
        with running(tmp_path) as server:
            status, answer = server.post(TIMED, body)
            assert (status, answer["request_id"]) == (200, "again")
            server.end(signal.SIGKILL)
    done = compact(store, server.log)
    assert (done.predictions, done.repeated) == (2, 2)
    assert logged(store, "timed").height == 2


def test_reloads_under_load_fail_no_request_and_every_version_is_seen(store, tmp_path):
    reloads = 50
    with running(tmp_path) as server, Callers(server) as callers:
        for number in range(2, reloads + 2):
            world.add_version(store, "plain", number, float(number))
            world.point(store, "plain", "champion", number)
            until = time.monotonic() + 30
            while server.get("/v1/endpoints/plain")[1]["versions"]["champion"] != number:
                assert time.monotonic() < until
        callers.wait_for(len(callers.acknowledged) + 20)
    assert (callers.refused, callers.lost) == ([], [])
    assert max(callers.versions) == reloads + 1
    assert len(callers.versions) > reloads // 2
    compact(store, server.log)
    rows = logged(store)
    assert sorted(rows["request_id"]) == sorted(callers.acknowledged)
    assert (rows["prediction"] == 106.0 + rows["version"] * (rows["version"] > 1)).all()


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGINT])
def test_a_signal_drains_and_ends_with_0(store, tmp_path, how):
    with running(tmp_path) as server, Callers(server) as callers:
        callers.wait_for(100)
        assert server.end(how) == 0
        assert server.process.communicate() == ("", "")
    assert not callers.refused
    compact(store, server.log)
    assert set(callers.acknowledged) <= set(logged(store)["request_id"])


def test_a_request_under_way_when_the_signal_comes_is_answered(store, tmp_path):
    body = json.dumps({"instances": [instance()], "request_id": "slow"}).encode()
    head = f"POST {PLAIN} HTTP/1.1\r\nhost: x\r\ncontent-length: {len(body)}\r\n\r\n".encode()
    with running(tmp_path) as server, socket.create_connection(("127.0.0.1", server.port)) as caller:
        caller.sendall(head + body[:10])
        time.sleep(0.1)
        server.process.terminate()
        time.sleep(0.3)
        caller.sendall(body[10:])
        assert caller.recv(4096).startswith(b"HTTP/1.1 200 OK")
        assert server.process.wait(60) == 0
    compact(store, server.log)
    assert logged(store)["request_id"].to_list() == ["slow"]


def test_a_port_in_use_is_said_plainly(store, tmp_path):
    with running(tmp_path) as server, running(tmp_path, port=server.port, wait=False) as second:
        assert second.process.wait(60) == 1
        _, told = second.process.communicate()
        assert told.startswith(f"refused: port {server.port} on 127.0.0.1 is in use. Stop what listens there")
        assert server.post(PLAIN, {"instances": [instance()]})[0] == 200


def test_an_application_that_can_not_start_is_said_plainly(store, tmp_path):
    with running(tmp_path, target="serve.broken:application", wait=False) as server:
        assert server.process.wait(60) == 1
        _, told = server.process.communicate()
        assert told == "refused: this project does not load. Mend it.\n"


def test_an_address_that_is_not_ours_is_said_plainly(store, tmp_path):
    with running(tmp_path, host="192.0.2.1", wait=False) as server:
        assert server.process.wait(60) == 1
        assert "nothing can listen on 192.0.2.1" in server.process.communicate()[1]


def test_a_full_disk_refuses_and_recovers(store, tmp_path):
    with small_disk(tmp_path / "disk", 256) as disk:
        log = disk / "log"
        log.mkdir()
        with running(tmp_path, log=str(log)) as server:
            assert server.post(PLAIN, {"instances": [instance()], "request_id": "before"})[0] == 200
            filler = fill(disk)
            answers = [server.post(PLAIN, {"instances": [instance()], "request_id": f"full{at}"}) for at in range(60)]
            refused = [answer for status, answer in answers if status == 503]
            taken = [f"full{at}" for at, (status, _) in enumerate(answers) if status == 200]
            assert refused
            assert "can't be written" in refused[-1]["error"]["message"]
            assert server.get("/healthz")[0] == 200
            filler.unlink()
            assert server.post(PLAIN, {"instances": [instance()], "request_id": "after"})[0] == 200
        compact(store, log)
        assert sorted(logged(store)["request_id"]) == sorted(["before", "after", *taken])


def test_two_workers_answer_for_each_other(store, tmp_path):
    with running(tmp_path, workers=2) as server, Callers(server, count=8) as callers:
        callers.wait_for(200)
        world.add_version(store, "plain", 2, 1.0)
        world.point(store, "plain", "champion", 2)
        until = time.monotonic() + 30
        while [worker["champion"] for worker in server.get("/v1/endpoints/plain")[1]["workers"]] != [2, 2]:
            assert time.monotonic() < until
            time.sleep(0.02)
        callers.__exit__()
        until = time.monotonic() + 30
        while True:
            text = server.get("/metrics")[1]
            lines = [line for line in text.splitlines() if line.startswith("drivetrain_predictions_total")]
            if sum(float(line.rsplit(" ", 1)[1]) for line in lines) == len(callers.acknowledged):
                break
            assert time.monotonic() < until, lines
            time.sleep(0.05)
    assert (callers.refused, callers.lost) == ([], [])
    compact(store, server.log)
    assert logged(store).height == len(callers.acknowledged)


def test_shadow_answers_are_logged_beside_the_champions(store, tmp_path):
    world.add_version(store, "plain", 2, 1000.0)
    world.point(store, "plain", "shadow", 2)
    with running(tmp_path) as server:
        answers = [server.post(PLAIN, {"instances": [instance()], "request_id": f"r{at}"}) for at in range(20)]
        assert {answer["predictions"][0] for _, answer in answers} == {106.0}
        server.end()
    compact(store, server.log)
    rows = logged(store).sort("request_id")
    assert rows.filter(role="shadow")["prediction"].to_list() == [1106.0] * 20
    assert rows.filter(role="shadow")["request_id"].equals(rows.filter(role="champion")["request_id"])


def test_a_signal_that_comes_while_a_worker_is_replaced_wakes_the_server_again():
    server = SimpleNamespace(interrupt_signal=False, interrupt_children=[])
    wake = _Wake(server)
    wake.set()
    wake.clear()
    assert not wake.is_set()
    for server.interrupt_signal, server.interrupt_children in ((True, []), (False, [1])):
        wake.set()
        wake.clear()
        assert wake.is_set()
