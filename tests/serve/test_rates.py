"""A rate over several workers: exact in their own words, and in real servers whatever the spread of connections."""

from __future__ import annotations

import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.serve.bucket import Bucket
from drivetrain.serve.rates import Rates
from serve import world
from serve.process import running
from serve.test_tokens import keep

CALLS = st.lists(st.tuples(st.integers(0, 3), st.floats(0, 2)), max_size=120)


@settings(max_examples=40)
@given(st.floats(0.2, 200), CALLS)
def test_several_that_share_a_bucket_do_what_one_alone_would(tmp_path_factory, rate, calls):
    folder = tmp_path_factory.mktemp("rates")
    workers = [Rates(folder, 4) for _ in range(4)]
    shared = [worker.bucket("shop", rate) for worker in workers]
    alone, now = Bucket(rate), 5.0
    for worker, gap in calls:
        now += gap
        assert shared[worker].wait(now) == pytest.approx(alone.wait(now))
    for worker in workers:
        worker.close()


def test_who_takes_the_place_of_a_dead_worker_goes_on_with_its_counts(tmp_path):
    first, second = Rates(tmp_path, 2), Rates(tmp_path, 2)
    staying = second.bucket("shop", 1.0)
    assert first.bucket("shop", 1.0).wait(9.0) == 0.0
    first.close()
    assert staying.wait(9.0) == 1.0, "a worker that died has not given back what it let through"
    third = Rates(tmp_path, 2)
    assert third.bucket("shop", 1.0).wait(9.0) == 1.0
    assert third.bucket("shop", 2.0).wait(9.0) == 0.0, "another rate is another bucket"
    assert third.bucket("till", 1.0).wait(9.0) == 0.0
    assert staying.wait(9.5) == 0.5
    for worker in (second, third):
        worker.close()
    last = Rates(tmp_path, 2)
    assert last.bucket("shop", 1.0).wait(0.5) == 0.0, "after all have ended, the clock may be another one"
    last.close()


def test_more_buckets_than_the_file_had_room_for(tmp_path):
    first, second = Rates(tmp_path, 2), Rates(tmp_path, 2)
    early = second.bucket("0", 1.0)
    for name in range(100):
        assert first.bucket(str(name), 1.0).wait(9.0) == 0.0
    assert early.wait(9.0) == 1.0
    assert {second.bucket(str(name), 1.0).wait(9.0) for name in range(100)} == {1.0}


def test_without_the_file_each_worker_takes_its_part(tmp_path, caplog):
    (tmp_path / "rates").write_text("")
    rates = Rates(tmp_path / "rates" / "none", 4)
    assert [rates.bucket(name, 8.0).rate for name in ("a", "b")] == [2.0, 2.0]
    assert caplog.text.count("each worker goes by its own part") == 1


HAMMER = """
import sys, time
from pathlib import Path
from drivetrain.serve.rates import Rates
folder, seconds, gap = Path(sys.argv[1]), float(sys.argv[2]), float(sys.argv[3])
bucket = Rates(folder, 3).bucket("shop", 2000.0)
print("ready", flush=True)
sys.stdin.readline()
began, passed = time.perf_counter(), 0
while (now := time.perf_counter()) < began + seconds:
    passed += not bucket.wait(now)
    if gap:
        time.sleep(gap)
print(began, now, passed)
"""


def test_processes_that_race_pass_one_more_each_at_most(tmp_path):
    words = [sys.executable, "-c", HAMMER, str(tmp_path), "1.5"]
    pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
    workers = [subprocess.Popen([*words, gap], **pipes) for gap in ("0", "0", "0.01")]
    for worker in workers:
        assert worker.stdout.readline() == "ready\n"
    for worker in workers:
        worker.stdin.write("\n")
        worker.stdin.flush()
    told = [[float(word) for word in worker.communicate(timeout=60)[0].split()] for worker in workers]
    seconds = max(end for _, end, _ in told) - min(began for began, _, _ in told)
    passed = sum(count for _, _, count in told)
    assert passed <= 2_000 * seconds + 2_000 + len(workers)
    assert passed >= 2_000 * seconds * 0.9


@pytest.mark.parametrize("spread", [(1,), (6, 1)], ids=["one connection", "seven, at two speeds"])
def test_a_token_gets_its_rate_from_two_workers_however_its_connections_lie(tmp_path, spread):
    """A connection stays with one worker: an even part each would give a single one half of its rate."""
    rate, seconds = 40.0, 2.5
    store = world.make(tmp_path)
    text = keep(store, rate=rate, scopes=("read",))

    def call(server, pause, until):
        connection, passed = server.client(), 0
        while time.monotonic() < until:
            connection.request("GET", "/v1/endpoints/plain", headers={"authorization": text})
            response = connection.getresponse()
            response.read()
            passed += response.status == 200
            assert response.status in {200, 429}
            time.sleep(pause)
        connection.close()
        return passed

    access = tmp_path / "access.jsonl"
    with running(tmp_path, workers=2, tokens="on", access_log=str(access)) as server:
        server.wait_for_answers(2, access)
        began = time.monotonic()
        pauses = [0.004] * spread[0] + [0.1] * sum(spread[1:])
        with ThreadPoolExecutor(len(pauses)) as callers:
            passed = sum(callers.map(lambda pause: call(server, pause, began + seconds), pauses))
        took = time.monotonic() - began
        assert server.get("/healthz")[0] == 200
    assert rate + rate * seconds * 0.9 <= passed <= rate + rate * took + 2
