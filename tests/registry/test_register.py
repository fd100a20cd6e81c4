from __future__ import annotations

import subprocess
import sys

import msgspec
import pytest
from msgspec.structs import replace

from drivetrain.core.errors import Conflict, CorruptBlob, TrainingError
from drivetrain.core.records import Decision, ModelVersion
from drivetrain.registry import lineage
from drivetrain.registry.load import load_engine
from drivetrain.registry.register import register, versions
from drivetrain.store.bundle import Store
from registry.versions import PASSED, REFUSED, finished_run, registered


def test_a_version_has_its_report_and_its_blobs(store: Store) -> None:
    version = registered(store, "run-1", REFUSED)
    assert store.catalog.get(ModelVersion, "late@1") == version
    assert (version.version, version.engine, version.gates) == (1, "rate", REFUSED)
    assert store.blobs.get(version.card or "") == b"<html>"
    assert store.blobs.get(version.reference or "") == b"profile"
    (decision,) = store.catalog.find(Decision, "late")
    assert (decision.what, decision.version) == ("register", 1)
    assert decision.because == "1 of 2 gates passed; average precision .50 is below the champion's .60"
    assert msgspec.json.decode(decision.evidence)["run"] == "run-1"


def test_numbers_run_on_within_a_model(store: Store) -> None:
    numbers = [registered(store, f"run-{at}").version for at in range(3)]
    assert numbers == [1, 2, 3]
    assert registered(store, "run-9", model="early").version == 1
    assert [version.version for version in versions(store, "late")] == [3, 2, 1]


def test_a_run_keeps_its_number(store: Store) -> None:
    first = registered(store, "run-1")
    registered(store, "run-2")
    assert registered(store, "run-1", REFUSED) == first
    assert len(store.catalog.find(Decision, "late")) == 2


def test_a_run_judged_by_other_rules_is_another_version_of_the_same_artifacts(store: Store) -> None:
    run = finished_run(store, "run-1")

    def numbered(judged: str) -> ModelVersion:
        return register(
            store, run, gates=PASSED, card=None, reference=None, features={}, training_set="table:x@0", judged=judged
        )

    first, second = numbered("as it was"), numbered("more strictly")
    assert (first.version, second.version) == (1, 2)
    assert first.artifacts == second.artifacts
    assert numbered("as it was") == first
    assert numbered("more strictly") == second


def test_a_run_that_did_not_finish_is_refused(store: Store) -> None:
    run = replace(finished_run(store, "run-1"), status="running")
    with pytest.raises(TrainingError, match="run-1 of late is running"):
        register(store, run, gates=PASSED, card=None, reference=None, features={}, training_set="table:x@0")


def test_lineage_leads_up_and_down(store: Store) -> None:
    version = registered(store, "run-1")
    up = lineage.upward(store.catalog, version.ref)
    assert {(step.link.source, step.depth) for step in up} == {("run:run-1", 1), ("table:training/late@3", 1)}
    down = lineage.downward(store.catalog, "run:run-1")
    assert [step.link.target for step in down] == [version.ref]
    assert lineage.upward(store.catalog, "table:nothing@0") == []


REGISTER = """
import sys
from pathlib import Path
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from registry.versions import registered
store = open_store(StoreSettings(online_gib=0.01), Path(sys.argv[1]))
for number in range(8):
    registered(store, f"{sys.argv[2]}-{number}")
    registered(store, f"shared-{number}")
"""


def test_numbers_have_no_gaps_when_several_register(store: Store) -> None:
    environment = {"PYTHONPATH": ":".join(filter(None, sys.path)), "PATH": ""}
    children = [
        subprocess.Popen([sys.executable, "-c", REGISTER, str(store.folder), name], env=environment) for name in "abc"
    ]
    assert [child.wait() for child in children] == [0, 0, 0]
    found = versions(store, "late")
    assert [version.version for version in reversed(found)] == list(range(1, 33))
    assert len({version.run_id for version in found}) == 32


def test_a_number_taken_meanwhile_is_left_to_its_taker(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    commit = type(store.catalog).commit
    calls = []

    def raced(self: object, *records: object, **rest: object) -> int:
        if rest.get("expect") and not calls:
            calls.append(records)
            raise Conflict("somebody was first")
        return commit(self, *records, **rest)

    monkeypatch.setattr(type(store.catalog), "commit", raced)
    assert registered(store, "run-1").version == 1
    assert calls


def test_opening_a_version(store: Store) -> None:
    version = registered(store, "run-1")
    assert load_engine(store, version).predict_row([1.0]) == 0.4
    path = store.blobs.path(version.artifacts[0].digest)
    path.chmod(0o644)
    path.write_bytes(b"{}")
    with pytest.raises(CorruptBlob):
        load_engine(store, version)
