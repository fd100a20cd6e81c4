from __future__ import annotations

import threading
import time

import pytest

from drivetrain.core.errors import StoreError
from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.dataplane import Dataplane
from drivetrain.serve.reload import RETRY_SECONDS, SILENT_SECONDS, Reloader
from drivetrain.serve.telemetry import Meter
from drivetrain.store.bundle import Store
from serve import world
from serve.fakes import door


class Clock:
    def __init__(self, monkeypatch):
        self.now = 1000.0
        monkeypatch.setattr("drivetrain.serve.reload.time.monotonic", lambda: self.now)


@pytest.fixture
def store(tmp_path):
    opened = world.make(tmp_path)
    yield opened
    opened.close()


@pytest.fixture
def clock(monkeypatch):
    return Clock(monkeypatch)


def watched(store, tmp_path, load=world.load):
    meter = Meter()
    planes = {
        plan.name: Dataplane(plan, store.online, ServeSettings(), tmp_path / "log", meter)
        for plan in (world.PLAIN, world.TIMED)
    }
    return Reloader(planes, store, load, meter, lambda: None), planes


def versions(plane):
    return [None if one is None else one.record.version for one in (plane.serving.champion, plane.serving.shadow)]


def test_aliases_are_followed(store, tmp_path):
    reloader, planes = watched(store, tmp_path)
    reloader.look()
    assert versions(planes["plain"]) == [1, None]
    world.add_version(store, "plain", 2, 2.0)
    world.point(store, "plain", "shadow", 2)
    reloader.look()
    assert versions(planes["plain"]) == [1, 2]
    world.point(store, "plain", "champion", 2)
    reloader.look()
    assert versions(planes["plain"]) == [2, None]
    world.point(store, "plain", "champion", None)
    world.point(store, "plain", "shadow", None)
    reloader.look()
    assert versions(planes["plain"]) == [None, None]
    assert versions(planes["timed"]) == [1, None]


def test_a_version_is_opened_once_and_swaps_keep_its_engine(store, tmp_path):
    opened: list[str] = []

    def load(store: Store, version: ModelVersion) -> Engine:
        opened.append(version.key)
        return world.load(store, version)

    reloader, planes = watched(store, tmp_path, load)
    reloader.look()
    before = planes["plain"].serving.champion
    world.add_version(store, "plain", 2, 2.0)
    world.point(store, "plain", "shadow", 2)
    reloader.look()
    shadow = planes["plain"].serving.shadow
    world.point(store, "plain", "champion", 2)
    world.point(store, "plain", "shadow", 1)
    reloader.look()
    assert planes["plain"].serving.champion is shadow
    assert planes["plain"].serving.shadow is before
    assert sorted(opened) == ["plain@1", "plain@2", "timed@1"]


def test_a_corrupt_artifact_leaves_the_version_before_and_says_so(store, tmp_path, clock):
    reloader, planes = watched(store, tmp_path)
    reloader.look()
    version = world.add_version(store, "plain", 2, 2.0)
    path = store.blobs.path(version.artifacts[0].digest)
    good = path.read_bytes()
    path.chmod(0o644)
    path.write_bytes(b"spoiled")
    world.point(store, "plain", "champion", 2)
    reloader.look()
    plane = planes["plain"]
    assert versions(plane) == [1, None]
    problem = plane.serving.problems["champion"]
    assert problem.startswith("version 2 can't be served, version 1 stays:")
    assert version.artifacts[0].digest in problem
    path.write_bytes(good)
    reloader.look()
    assert versions(plane) == [1, None]
    clock.now += RETRY_SECONDS
    reloader.look()
    assert versions(plane) == [2, None]
    assert plane.serving.problems == {}


def test_a_version_that_is_not_there_is_named(store, tmp_path):
    reloader, planes = watched(store, tmp_path)
    world.point(store, "plain", "champion", 9)
    reloader.look()
    assert versions(planes["plain"]) == [None, None]
    assert "no version is called plain@9" in planes["plain"].serving.problems["champion"]


def test_a_version_of_other_feature_definitions_is_refused(store, tmp_path):
    reloader, planes = watched(store, tmp_path)
    reloader.look()
    version = world.add_version(store, "timed", 2, 0.0)
    store.catalog.commit(type(version)(**{**_fields(version), "features": {"calendar": "0" * 32}}))
    world.point(store, "timed", "champion", 2)
    reloader.look()
    assert versions(planes["timed"]) == [1, None]
    assert "trained with another definition of calendar" in planes["timed"].serving.problems["champion"]


def test_a_version_that_needs_more_than_the_endpoint_computes_is_refused(store, tmp_path):
    reloader, planes = watched(store, tmp_path)
    version = world.add_version(store, "plain", 2, 0.0)
    store.catalog.commit(type(version)(**{**_fields(version), "input_schema": world.SCHEMAS["timed"]}))
    world.point(store, "plain", "champion", 2)
    reloader.look()
    assert "calendar.hour, calendar.weekday" in planes["plain"].serving.problems["champion"]


def test_while_the_catalog_is_away_serving_goes_on(store, tmp_path, monkeypatch):
    reloader, planes = watched(store, tmp_path)
    reloader.look()
    away = StoreError("the database is away")

    def revision() -> int:
        raise away

    with monkeypatch.context() as patch:
        patch.setattr(store.catalog, "revision", revision)
        reloader.look()
        assert reloader.catalog_problem == "the database is away."
    assert versions(planes["plain"]) == [1, None]
    reloader.look()
    assert reloader.catalog_problem == ""


def test_a_catalog_that_does_not_answer_is_told_of_while_it_is_asked(store, tmp_path, clock, monkeypatch):
    reloader, _ = watched(store, tmp_path)
    reloader.look()
    said = []

    def revision() -> int:
        clock.now += SILENT_SECONDS + 1
        said.append(reloader.catalog_problem)
        return 7

    monkeypatch.setattr(store.catalog, "revision", revision)
    reloader.look()
    assert said == ["the catalog has not answered for 6 s"]
    assert reloader.catalog_problem == ""


def test_housekeeping_does_not_wait_for_the_catalog(store, tmp_path, monkeypatch):
    kept, gate = [], threading.Event()
    reloader = Reloader({}, store, world.load, Meter(), lambda: kept.append(1))
    reloader.start()
    monkeypatch.setattr(store.catalog, "revision", lambda: gate.wait(20))
    until = time.monotonic() + 20
    while len(kept) < 5:
        assert time.monotonic() < until
        time.sleep(0.01)
    gate.set()
    reloader.close()


def test_the_door_tells_of_problems(store, tmp_path):
    world.point(store, "plain", "shadow", 9)
    with door(store, tmp_path / "log") as made:
        assert "plain@9" in made.get("/healthz")[1]["problems"]["plain"]["shadow"]
        assert "plain@9" in made.get("/v1/endpoints/plain")[1]["problems"]["shadow"]
        assert 'drivetrain_reload_failed_total{endpoint="plain",role="shadow"} 1.0' in made.get("/metrics")[1]


def _fields(version):
    return {name: getattr(version, name) for name in version.__struct_fields__}
