from __future__ import annotations

import time
import zipfile
from pathlib import Path
from typing import Any

import msgspec
import pytest

from adapters.digits import digits, share_right
from adapters.keras import modules
from drivetrain.adapters.keras.configuration import strange_parts
from drivetrain.core import plugins
from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import SCHEMA, TrainerConformance, make_rows, make_task
from drivetrain.train.trainers import Keras

need_extra("torch")
need_extra("safetensors", "keras")
need_extra("keras", loading=False, heavy=True)
pytestmark = [
    pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning"),
    pytest.mark.filterwarnings("ignore:__array__ implementation:DeprecationWarning"),  # Keras 3.15 with numpy 2
]


class TestTrainer(TrainerConformance):
    made = """
from adapters.keras.modules import small
from drivetrain.train.trainers import Keras
trainer = Keras(small, epochs=5, lr=0.02, batch=128)
"""
    tolerance = 2e-6
    rounding = 2e-6
    between_threads = 1e-3
    dies_at = 2


@pytest.fixture(scope="module")
def fitted(tmp_path_factory: pytest.TempPathFactory) -> tuple[Any, Path]:
    """A model, and where it is saved: fitted once, for an export takes seconds."""
    folder = tmp_path_factory.mktemp("keras")
    model = Keras(modules.small, epochs=2).fit(make_task())
    model.save(folder)
    return model, folder / "model.keras.zip"


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, fitted: tuple[Any, Path]) -> EngineCase:
        model, path = fitted
        rows, _ = make_rows(100, seed=11)
        return EngineCase(plugins.load("engine", "keras"), path, SCHEMA, rows, model.predict(rows), tolerance=2e-6)


def test_digits() -> None:
    started = time.process_time()
    model = Keras(modules.convolutions, epochs=25, batch=64, lr=0.002).fit(digits())
    assert share_right(model) >= 0.98
    assert time.process_time() - started < 20


def test_what_is_code_is_kept_as_a_program_only(tmp_path: Path) -> None:
    model = Keras(modules.code, epochs=1).fit(make_task())
    assert [format for _, format in model.save(tmp_path)] == ["torch", "onnx"]


def part(module: str | None, name: str, registered: str | None = None) -> dict[str, Any]:
    """A node of a configuration."""
    return {"module": module, "class_name": name, "config": {}, "registered_name": registered}


@pytest.mark.parametrize(
    ("node", "strange"),
    [
        (part("keras.layers", "Lambda"), "keras.layers.Lambda"),
        (part("os", "system", "system"), "os.system"),
        (part("kerasly", "Dense"), "kerasly.Dense"),
        (part("keras.layers", "Dense", "mine>Dense"), "keras.layers.Dense"),
        (part(None, "function", "function"), "function"),
        ({**part("keras.layers", "Dense"), "config": {"activation": part(None, "__lambda__")}}, "__lambda__"),
    ],
)
def test_a_configuration_that_names_more_than_layers_is_refused(
    node: dict[str, Any], strange: str, fitted: tuple[Any, Path], tmp_path: Path
) -> None:
    assert strange_parts({"class_name": "Sequential", "module": "keras", "config": {"layers": [node]}}) == [strange]
    with zipfile.ZipFile(fitted[1]) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    told = msgspec.json.decode(parts["configuration.json"])
    told["config"]["layers"].append(node)
    with zipfile.ZipFile(tmp_path / "bad.zip", "w") as archive:
        for name, data in {**parts, "configuration.json": msgspec.json.encode(told)}.items():
            archive.writestr(name, data)
    with pytest.raises(StoreError, match="not trusted"):
        plugins.load("engine", "keras")(tmp_path / "bad.zip", SCHEMA)


def test_the_same_model_is_the_same_file(tmp_path: Path) -> None:
    one, two = tmp_path / "1", tmp_path / "2"
    for folder in (one, two):
        folder.mkdir()
        Keras(modules.small, epochs=1).fit(make_task()).save(folder)
    assert (one / "model.keras.zip").read_bytes() == (two / "model.keras.zip").read_bytes()


def test_what_it_can_not_fit() -> None:
    with pytest.raises(TrainingError, match=r"margins of another shape; found \(2, 2\)"):
        Keras(modules.narrow).fit(make_task())
    with pytest.raises(TrainingError, match="keras has no parameter 'rate'"):
        Keras(modules.small, rate=1).fit(make_task())
