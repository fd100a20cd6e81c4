"""A policy that changes, by the clock on the wall: how soon every connection of two real workers is answered by it."""

from __future__ import annotations

import json
import threading
import time

import pytest

from drivetrain.core.clock import now
from drivetrain.core.records import Arm, Policy
from serve import world
from serve.process import answered_by, ask, running
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"
BODY = json.dumps({"instances": [instance()]}).encode()
CONNECTIONS = 12
CHANGES = 3


def policy(number: int) -> Policy:
    arms = (Arm(name=f"a{number}", share=0.5), Arm(name=f"b{number}", version=2, share=0.5))
    return Policy(endpoint="plain", at=now(), mode="split", experiment=f"e{number}", arms=arms)


@pytest.mark.parametrize("pause", [0.02, 0.0], ids=["at leisure", "under load"])
def test_every_worker_follows_within_a_second(tmp_path, pause):
    store = world.make(tmp_path)
    world.add_version(store, "plain", 2, 1.0)
    answers: list[tuple[float, int]] = []
    stop = threading.Event()

    def call(server):
        connection = server.client()
        while not stop.is_set():
            sent = time.monotonic()
            status, answer = ask(connection, "POST", PLAIN, BODY)
            assert status == 200
            answers.append((sent, int(answer["arms"][0][1:])))
            time.sleep(pause)
        connection.close()

    store.catalog.commit(policy(0))
    access = tmp_path / "access.jsonl"
    changed = []
    with running(tmp_path, workers=2, access_log=str(access)) as server:
        server.wait_for_answers(2, access)
        access.write_text("")
        callers = [threading.Thread(target=call, args=(server,)) for _ in range(CONNECTIONS)]
        for caller in callers:
            caller.start()
        for number in range(1, CHANGES + 1):
            time.sleep(1.1)
            store.catalog.commit(policy(number))
            changed.append(time.monotonic())
        time.sleep(1.2)
        stop.set()
        for caller in callers:
            caller.join()
    last = [max((sent for sent, seen in answers if seen < number), default=0.0) for number in range(1, CHANGES + 1)]
    took = [sent - at for sent, at in zip(last, changed, strict=True)]
    assert max(took) < 1.0, took
    assert {seen for _, seen in answers} == set(range(CHANGES + 1)), "each was followed"
    assert len(answered_by(access)) == 2, "both workers answered"
    store.close()
