"""Guardrails between looks: what is counted, what is judged, and how soon callers are back with the champion."""

from __future__ import annotations

import dataclasses
import os
import re
import signal
import subprocess
import sys
import threading
import time

import lightgbm
import msgspec
import numpy as np
import pytest
from tests.loop.shop import ORDER, copy_shop, serving
from tests.loop.test_tick import second_version

import drivetrain as dt
from drivetrain.core.clock import MINUTE, SECOND, now
from drivetrain.core.errors import StoreError
from drivetrain.core.records import Arm, Decision, ModelVersion, Policy, Prediction
from drivetrain.loop import guarding, routing
from drivetrain.loop.guarding import Guard
from drivetrain.loop.project import Project
from drivetrain.loop.watch import watch
from drivetrain.registry.aliases import current
from drivetrain.serve.log.compact import compact
from drivetrain.serve.log.frame import embed, pack
from drivetrain.serve.log.wal import WriteAheadLog

CANARY = dt.Canary(
    version=2, steps=(0.3, 0.6), hold="1h", guardrails=(dt.Guardrail.errors(0.02), dt.Guardrail.slow("50ms", 0.05))
)
SOON = 6.0
"""Seconds for which callers may meet a broken canary on a machine that is busy; alone it takes about one."""


@pytest.fixture
def project(made_shop, tmp_path):
    loaded = Project.load(copy_shop(made_shop, tmp_path / "shop"))
    second_version(loaded)
    yield loaded
    loaded.store.close()


class Workers:
    """Logs answers as serving workers do: into segments, no table."""

    def __init__(self, project) -> None:
        self.wal = WriteAheadLog(project.log_folder / "returned")
        self.count = 0

    def answer(self, many, *, arm="canary", policy, failed=False, micros=300, at=None):
        own = arm == "canary" and not failed
        for _ in range(many):
            self.count += 1
            moment = now() if at is None else at
            entry = Prediction(
                request_id=f"r{self.count}", row=0, endpoint="returned", at=moment, logged_at=moment, model="returned",
                version=2 if own else 1, role="challenger" if own else "champion",
                entity=f"e{self.count}", request=embed(b"{}"), values=[0.0] * 8, ages=[0.0], prediction=0.5,
                latency_us=micros, experiment=policy.experiment, arm=arm, probability=0.3, failed=2 if failed else 0,
            )  # fmt: skip
            self.wal.append(pack(entry))


def policy_of(project):
    return project.store.catalog.get(Policy, "returned")


def test_failures_end_a_canary_and_a_calm_log_changes_nothing(project):
    guard, workers = Guard(project), Workers(project)
    assert guard.look() == [], "nothing is guarded"
    policy = project.route("returned", CANARY, because="new")
    workers.answer(300, policy=policy)
    workers.answer(300, policy=policy, arm="champion", failed=True)
    revision = project.store.catalog.revision()
    assert guard.look() == guard.look() == []
    assert project.store.catalog.revision() == revision, "a look that finds nothing writes nothing"
    workers.answer(40, policy=policy, failed=True)
    [decision] = guard.look()
    assert "canary v2 is ended: 40 of 340 were left to others, more than 2.00%" in decision.because
    assert policy_of(project).mode == "champion"
    assert guard.look() == []


def test_slow_answers_do_too(project):
    guard, workers = Guard(project), Workers(project)
    policy = project.route("returned", CANARY, because="new")
    workers.answer(100, policy=policy, micros=90_000)
    assert "100 of 100 took longer than 50ms, more than 5.00%" in guard.look()[0].because


def test_what_is_doubted_steps_down_once(project):
    project.route("returned", CANARY, because="new")
    higher = msgspec.structs.replace(policy_of(project), arms=(arm_of("canary", 2, 0.6), arm_of("champion", 0, 0.4)))
    project.store.catalog.commit(higher)
    guard, workers = Guard(project), Workers(project)
    policy = policy_of(project)
    workers.answer(100, policy=policy)
    made = []
    while not made:
        workers.answer(1, policy=policy, failed=True)
        made = guard.look()
    assert "canary v2 goes down to 30%" in made[0].because
    assert guard.look() == guard.look() == [], "told once"
    assert policy_of(project).rollout.doubted is not None


def test_what_breaks_while_it_is_judged_is_judged_again(project, monkeypatch):
    policy = project.route("returned", CANARY, because="new")
    guard, workers = Guard(project), Workers(project)
    workers.answer(100, policy=policy)
    assert guard.look() == []
    _, ward = guard._wards["returned"]
    while not ward.worse():
        workers.answer(1, policy=policy, failed=True)
    real = guarding.follow_policy

    def breaks(*args, **more):
        made = real(*args, **more)
        assert policy_of(project).rollout.doubted is not None, "doubted, and no more"
        project.store.catalog.commit(policy)  # the same ward stays
        workers.answer(60, policy=policy, failed=True)
        compact(project.store, project.log_folder, "returned")
        return made

    monkeypatch.setattr(guarding, "follow_policy", breaks)
    guard.look()
    monkeypatch.undo()
    assert "is ended" in guard.look()[0].because


def test_a_policy_that_moved_is_guarded_anew(project, monkeypatch):
    """Somebody moved it while it was judged, so that nothing came of that; the canary is as broken as before."""
    policy = project.route("returned", CANARY, because="new")
    guard, workers = Guard(project), Workers(project)
    workers.answer(40, policy=policy, failed=True)

    def overtaken(*_args, **_more):
        project.store.catalog.commit(msgspec.structs.replace(policy, because="as it was, said otherwise"))
        return []

    monkeypatch.setattr(guarding, "follow_policy", overtaken)
    assert guard.look() == []
    monkeypatch.undo()
    assert "is ended" in guard.look()[0].because


def arm_of(name, version, share):
    return Arm(name=name, version=version, share=share)


def test_compaction_and_new_segments_lose_and_double_nothing(project):
    """However the log is moved into tables between looks, the guard counts what was logged."""
    policy = project.route("returned", CANARY, because="new")
    guard, workers = Guard(project), Workers(project)
    for round_ in range(6):
        workers.answer(50, policy=policy)
        guard.look()
        if round_ % 2:
            compact(project.store, project.log_folder, "returned")
        workers.answer(1, policy=policy, failed=True)
        if round_ % 3 == 2:
            workers.wal.close()
            if round_ == 5:
                compact(project.store, project.log_folder, "returned")
        guard.look()
        _, ward = guard._wards["returned"]
        assert (ward._of, ward._bad) == ((round_ + 1) * 51, [round_ + 1, 0])


def test_a_request_that_is_sent_again_counts_once(project, monkeypatch):
    """As in the tables: whether it came again before they had the first one, or after."""
    monkeypatch.setattr(guarding, "REMEMBERED", 300)
    policy = project.route("returned", CANARY, because="new")
    guard, workers = Guard(project), Workers(project)
    workers.answer(200, policy=policy)
    assert guard.look() == []
    for count, many in ((0, 15), (0, 15), (200, 5), (200, 5)):  # r1 to r15, which the table has; r201 to r205, new
        workers.count = count
        workers.answer(many, policy=policy, micros=90_000)
    assert guard.look() == []
    _, ward = guard._wards["returned"]
    assert (ward._of, ward._bad) == (205, [0, 5])
    compact(project.store, project.log_folder, "returned")
    answers = routing.answers_of(project, project.endpoints["returned"], policy).collect()
    assert (answers.height, (answers["latency_us"] == 90_000).sum()) == (205, 5), "as the tables have it"
    workers.answer(400, policy=policy)
    guard.look()
    assert len(ward._seen) == 300


def test_what_is_compacted_while_a_ward_begins_counts_once(project, monkeypatch):
    policy = project.route("returned", CANARY, because="new")
    guard, workers = Guard(project), Workers(project)
    workers.answer(50, policy=policy)
    real = guarding.answers_of

    def late(*args):
        workers.answer(30, policy=policy)
        compact(project.store, project.log_folder, "returned")
        return real(*args)

    monkeypatch.setattr(guarding, "answers_of", late)
    assert guard.look() == []
    monkeypatch.undo()
    assert guard.look() == []
    _, ward = guard._wards["returned"]
    assert ward._of == 80


def test_a_guard_lets_nothing_grow(project):
    quick = dt.Canary(version=2, steps=(0.3, 0.6), hold=1, least=1, guardrails=(dt.Guardrail.errors(0.02),))
    policy = project.route("returned", quick, because="new", at=now() - MINUTE)
    guard, workers = Guard(project), Workers(project)
    workers.answer(5, policy=policy, failed=True, at=now() - 10 * SECOND)
    workers.answer(600, policy=policy)
    guard.look()
    assert [arm.share for arm in policy_of(project).arms] == [0.3, 0.7] or policy_of(project).mode == "champion"
    growing = project.route("returned", quick, because="again", at=now() - MINUTE)
    workers.answer(600, policy=growing)
    assert guard.look() == []
    assert policy_of(project).arms == growing.arms
    project.tick(now())
    assert policy_of(project).arms != growing.arms, "the watch's look does"


def test_what_a_look_could_not_write_is_tried_again(project, monkeypatch):
    monkeypatch.setattr(guarding, "AWAY", 0.1)
    policy = project.route("returned", CANARY, because="new")
    guard, workers = Guard(project), Workers(project)
    workers.answer(40, policy=policy, failed=True)

    def away(*_args, **_more):
        raise StoreError("the catalog is away")

    monkeypatch.setattr(guarding, "follow_policy", away)
    assert guard.look() == []
    assert isinstance(guard.problems["returned"], StoreError)
    assert guard.look() == []
    monkeypatch.undo()
    assert guard.look() == [], "it is not asked as often while it is away"
    time.sleep(0.2)
    assert "is ended" in guard.look()[0].because
    assert guard.problems == {}


@pytest.mark.parametrize("error", [OSError("a file has gone"), msgspec.DecodeError("odd"), RuntimeError("a defect")])
@pytest.mark.parametrize("where", ["_begin", "worse"])
def test_what_is_wrong_with_one_endpoint_keeps_nobody_from_the_others(project, monkeypatch, caplog, error, where):
    """Both have a canary that fails every time; the one whose log can't be read comes first, and is told of once."""
    monkeypatch.setattr(guarding, "AWAY", 0.1)
    other = dataclasses.replace(project.endpoints["returned"], name="aside")
    project.endpoints["aside"] = other
    project.route("aside", CANARY, because="new")
    policy = project.route("returned", CANARY, because="new")
    Workers(project).answer(40, policy=policy, failed=True)
    real = getattr(guarding.Ward, where)

    def broken(ward):
        if ward._endpoint.name == "aside":
            raise error
        return real(ward)

    monkeypatch.setattr(guarding.Ward, where, broken)
    told, tries = [], threading.Event()

    def tell(decision):
        told.append(decision.because)
        tries.set()

    with caplog.at_level("WARNING"), guarding.guarding(project, tell) as thread:
        assert tries.wait(20)
        time.sleep(1.5)
        assert thread._thread.is_alive()
    assert "is ended" in told[0]
    said = [line for line in caplog.messages if "guardrails of aside" in line]
    assert said == [f"guardrails of aside can't be looked at, and are tried again: {type(error).__name__}"]


def test_a_look_that_fails_as_a_whole_is_not_the_last(project, monkeypatch):
    monkeypatch.setattr(guarding, "AWAY", 0.1)
    policy = project.route("returned", CANARY, because="new")
    Workers(project).answer(40, policy=policy, failed=True)
    revision, fails = project.store.catalog.revision, iter([OSError("gone"), ValueError("odd")])

    def odd():
        if (error := next(fails, None)) is not None:
            raise error
        return revision()

    monkeypatch.setattr(project.store.catalog, "revision", odd)
    ended = threading.Event()
    with guarding.guarding(project, lambda _: ended.set()):
        assert ended.wait(20)


def test_who_was_ended_meanwhile_never_becomes_champion(project, monkeypatch):
    """A look that has judged a canary good is overtaken by one that has seen it break."""
    quick = dt.Canary(version=2, steps=(0.5,), hold=1, least=1, guardrails=(dt.Guardrail.errors(0.02),))
    policy = project.route("returned", quick, because="new", at=now() - MINUTE)
    workers = Workers(project)
    workers.answer(300, policy=policy)
    judge = routing.judge

    def overtaken(*seen):
        verdict = judge(*seen)
        assert verdict.step == "promote"
        monkeypatch.undo()
        workers.answer(200, policy=policy, failed=True)
        assert "is ended" in Guard(project).look()[0].because
        return verdict

    monkeypatch.setattr(routing, "judge", overtaken)
    project.tick(now())
    assert current(project.store, "returned") == {"champion": 1}
    assert policy_of(project).mode == "champion"


def test_a_watch_ends_a_broken_canary_though_its_look_takes_long(project):
    """The look of the watch hangs, as one that trains does; the thread beside it does not wait."""
    policy = project.route("returned", CANARY, because="new")
    Workers(project).answer(100, policy=policy, failed=True)
    ended, told = threading.Event(), []

    def look(_project):
        assert ended.wait(60)
        return []

    def tell(decision: Decision) -> None:
        told.append(decision.because)
        ended.set()

    watch(project, look, every=60, looks=1, tell=tell)
    assert "is ended" in told[0]


def test_callers_are_back_with_the_champion_within_seconds(project):
    """A real server and a real watch that looks every five minutes; the canary's model begins to say nonsense."""
    spoil(project)
    project.route(
        "returned", dt.Canary(version=2, steps=(0.5,), guardrails=(dt.Guardrail.errors(0.02),)), because="new"
    )
    watcher = subprocess.Popen(
        [sys.executable, "-m", "drivetrain", "watch", "--project", str(project.folder), "--every", "300"],
        env=os.environ, stderr=subprocess.PIPE, text=True,
    )  # fmt: skip
    try:
        with serving(project.folder) as client:
            good = answered(client, amount=10.0)
            assert {"canary", "champion"} == good.keys(), "while it is well, it answers its share"
            assert not any(good.values())
            time.sleep(8)  # the watch has had its look, and waits five minutes for the next
            began, last = time.monotonic(), 0.0
            while time.monotonic() - began < SOON + 20:
                if "canary" in (arms := answered(client, amount=5_000.0, many=20)):
                    assert arms["canary"], "it fails, and the champion stands in"
                    last = time.monotonic() - began
                elif time.monotonic() - began > last + 3:
                    break
    finally:
        watcher.send_signal(signal.SIGTERM)
        said = watcher.communicate(timeout=60)[1]
    assert last < SOON
    assert re.search(r"canary v2 is ended: \d+ of \d+ were left to others", said)
    assert policy_of(project).mode == "champion"


def answered(client, *, amount, many=60) -> dict[str, int]:
    """Arm → how many of its requests somebody else had to answer."""
    found: dict[str, int] = {}
    for number in range(many):
        answer = client.predict("returned", [ORDER | {"order_id": f"{time.monotonic_ns()}-{number}", "amount": amount}])
        for arm in answer.get("arms", ["none"]):
            found[arm] = found.get(arm, 0) + len(answer.get("failed", []))
    return {} if set(found) == {"none"} else found


def spoil(project) -> None:
    """Gives version 2 a model that says what is no number of orders above 1,000."""
    version = project.store.catalog.get(ModelVersion, "returned@2")
    names = version.input_schema.names
    place = next(at for at, name in enumerate(names) if name.endswith("amount"))
    rows = np.random.default_rng(7).normal(500, 100, (400, len(names)))
    rows[200:, place] = 5_000
    rows[:200, place] = 10
    answers = np.repeat([0.0, 1.0], 200)
    settings = {"objective": "binary", "num_leaves": 2, "verbose": -1, "num_threads": 1}
    text = lightgbm.train(settings, lightgbm.Dataset(rows, answers), 1).model_to_string()
    leaves = re.search(r"leaf_value=(\S+) (\S+)", text)
    text = text.replace(leaves[0], f"leaf_value={leaves[1]} nan", 1)
    digest = project.store.blobs.put(text.encode())
    served = next(one for one in version.artifacts if one.format == "lightgbm")
    artifacts = tuple(
        msgspec.structs.replace(one, digest=digest, size=len(text)) if one is served else one
        for one in version.artifacts
    )
    project.store.catalog.commit(msgspec.structs.replace(version, artifacts=artifacts))
