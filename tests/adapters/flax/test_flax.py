from __future__ import annotations

import importlib
import time
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from adapters.digits import digits, share_right
from adapters.flax import modules
from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import SCHEMA, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import Flax

for needed in ("jax", "flax", "optax", "safetensors"):
    need_extra(needed, "flax", loading=False, heavy=True)


class TestTrainer(TrainerConformance):
    made = """
from adapters.flax.modules import small
from drivetrain.train.trainers import Flax
trainer = Flax(small, epochs=5, lr=0.02, batch=250)
"""
    tolerance = 2e-6
    dies_at = 3


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    folder = tmp_path_factory.mktemp("flax")
    model = Flax(modules.small, epochs=2).fit(make_task())
    assert model.save(folder) == [("model.stablehlo.zip", "flax")]
    return model, folder / "model.stablehlo.zip"


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, fitted: tuple[Any, Path]) -> EngineCase:
        model, path = fitted
        rows, _ = make_rows(100, seed=11)
        return EngineCase(plugins.load("engine", "flax"), path, SCHEMA, rows, model.predict(rows), tolerance=2e-6)


def test_digits(tmp_path: Path) -> None:
    started = time.process_time()
    model = Flax(modules.convolutions, epochs=14, batch=64, lr=0.003).fit(digits())
    assert share_right(model) >= 0.98
    assert time.process_time() - started < 20
    task = digits()
    model.save(tmp_path)
    engine = plugins.load("engine", "flax")(tmp_path / "model.stablehlo.zip", task.schema)
    assert np.max(np.abs(engine.predict(task.rows[:300]) - model.predict(task.rows[:300]))) < 2e-6


def test_a_program_that_calls_what_is_outside_it_is_refused(fitted: tuple[Any, Path], tmp_path: Path) -> None:
    jax, export = importlib.import_module("jax"), importlib.import_module("jax.export")

    def sorted_first(rows: Any) -> Any:
        return jax.numpy.linalg.svd(rows[:4, :4], compute_uv=False)[:, None]  # LAPACK's, outside the program

    program = export.export(jax.jit(sorted_first))(jax.ShapeDtypeStruct((4, 11), np.float32)).serialize()
    with zipfile.ZipFile(fitted[1]) as archive:
        network = archive.read("network.json")
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        archive.writestr("network.json", network)
        archive.writestr("program.stablehlo", bytes(program))
    with pytest.raises(StoreError, match="outside"):
        plugins.load("engine", "flax")(tmp_path / "bad.zip", SCHEMA)


@pytest.mark.parametrize(
    ("build", "message"),
    [(modules.narrow, r"margins of another shape; found \(2, 2\)"), (modules.nothing, "no module")],
)
def test_what_it_can_not_fit(build: Any, message: str) -> None:
    with pytest.raises(TrainingError, match=message):
        Flax(build).fit(make_task())
