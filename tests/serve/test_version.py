from __future__ import annotations

import asyncio
import time

import numpy as np
import pytest

from drivetrain.core.records import InputSchema
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.app import Application
from drivetrain.serve.refusal import EngineFailed
from drivetrain.serve.version import NEVER, LoadedVersion
from serve import world

NAMES = ("distance", "carrier", "seats")


class Paced(world.Sum):
    """Costs a fixed time a call, and a fixed time a row."""

    def __init__(self, call: float, row: float, batch_row: float) -> None:
        super().__init__(0.0)
        self._call, self._row, self._batch_row = call, row, batch_row
        self.calls: list[int] = []

    def predict_row(self, row):
        self.calls.append(1)
        time.sleep(self._row)
        return super().predict_row(row)

    def predict(self, rows):
        self.calls.append(len(np.asarray(rows)))
        time.sleep(self._call + self._batch_row * len(np.asarray(rows)))
        return np.array([super(Paced, self).predict_row(row) for row in np.asarray(rows).tolist()])


@pytest.fixture
def record(tmp_path):
    store = world.fresh_store(tmp_path)
    yield world.add_version(store, "plain", 1, 0.0)
    store.close()


def test_a_row_is_picked_and_encoded(record):
    loaded = LoadedVersion(record, world.Sum(1.0), ("seats", "extra", "carrier", "distance"), {})
    assert loaded.encode([None, "x", "AA", 2.5])[:2] == [2.5, 0.0]
    assert np.isnan(loaded.encode([None, "x", "AA", 2.5])[2])
    assert loaded.predict([[1.0, 2.0, 3.0], [0.0, 0.0, 0.0]]) == [7.0, 1.0]


def test_a_model_of_one_feature(record):
    one = type(record)(
        **{name: getattr(record, name) for name in record.__struct_fields__}
        | {"input_schema": InputSchema(record.input_schema.fields[:1])}
    )
    assert LoadedVersion(one, world.Sum(0.0), NAMES, {}).encode([2.0, "AA", 1]) == [2.0]


def test_an_engine_that_is_fast_alone_is_asked_row_by_row(record):
    engine = Paced(call=0.02, row=0.0001, batch_row=0.0001)
    loaded = LoadedVersion(record, engine, NAMES, {})
    assert not loaded.gathers
    engine.calls.clear()
    loaded.predict([[0.0, 0.0, 0.0]] * 5)
    assert engine.calls == [1] * 5


def test_an_engine_that_is_slow_alone_takes_the_batch(record):
    engine = Paced(call=0.0, row=0.004, batch_row=0.0001)
    loaded = LoadedVersion(record, engine, NAMES, {})
    assert loaded.batch_from <= 8
    assert loaded.gathers
    engine.calls.clear()
    loaded.predict([[0.0, 0.0, 0.0]] * 64)
    assert engine.calls == [64]


def test_the_first_request_finds_rows_and_batches_warm(record):
    engine = Paced(call=0.0, row=0.004, batch_row=0.0)
    loaded = LoadedVersion(record, engine, NAMES, {})
    assert loaded.batch_from == 2
    assert engine.calls[0] == 64, "what takes a row fastest is warm last"
    assert engine.calls.count(1) >= 2


@pytest.mark.parametrize("threads", [1, 3])
def test_an_engine_is_opened_on_as_many_threads_as_are_set(tmp_path, monkeypatch, threads):
    seen = []

    def opened(store, version, threads=1):
        seen.append(threads)
        return world.load(store, version)

    monkeypatch.setattr("drivetrain.serve.app.load_engine", opened)
    store = world.fresh_store(tmp_path)
    world.add_version(store, "plain", 1, 0.0)
    world.point(store, "plain", "champion", 1)
    app = Application([world.PLAIN], store, ServeSettings(threads=threads), tmp_path / "log")
    loop = asyncio.new_event_loop()
    app.__rsgi_init__(loop)
    app.__rsgi_del__(loop)
    loop.close()
    assert seen == [threads]


def test_an_engine_that_fails_when_warmed_may_still_be_asked(record):
    loaded = LoadedVersion(record, world.Sum(-1.0), NAMES, {})
    assert loaded.batch_from == NEVER
    with pytest.raises(EngineFailed, match="plain@1 failed: this model always fails"):
        loaded.predict([[0.0, 0.0, 0.0]])


@pytest.mark.parametrize("output", [float("nan"), float("inf"), [0.5, float("nan")]])
def test_what_is_no_number_is_refused(record, output):
    engine = world.Sum(0.0)
    loaded = LoadedVersion(record, engine, NAMES, {})
    engine.predict_row = lambda _: output
    with pytest.raises(EngineFailed, match="no number"):
        loaded.predict([[0.0, 0.0, 0.0]])


def test_a_request_is_heavy_by_what_all_its_rows_cost(record):
    loaded = LoadedVersion(record, Paced(call=0.02, row=0.0002, batch_row=0.0001), NAMES, {})
    assert loaded.heavy(100)
    assert not LoadedVersion(record, world.Sum(0.0), NAMES, {}).heavy(1)
