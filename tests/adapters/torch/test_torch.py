from __future__ import annotations

import pickle
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from drivetrain.core import plugins
from drivetrain.core.errors import StoreError
from drivetrain.core.records import Field, InputSchema
from drivetrain.testing.engine import EngineCase, EngineConformance
from drivetrain.testing.extra import need_extra
from drivetrain.testing.trainer import SCHEMA, make_rows

torch: Any = need_extra("torch")
pytestmark = pytest.mark.filterwarnings("ignore:`torch.jit:DeprecationWarning")


class Late(torch.nn.Module):  # type: ignore[misc]
    """Nulls become zeros with a flag beside them; two layers; a probability, or one a class."""

    def __init__(self, outputs: int = 1) -> None:
        super().__init__()
        torch.manual_seed(7)
        self.layers = torch.nn.Sequential(torch.nn.Linear(10, 32), torch.nn.ReLU(), torch.nn.Linear(32, outputs))
        self.outputs = outputs

    def forward(self, rows: Any) -> Any:
        known = torch.cat([torch.nan_to_num(rows) / 30, torch.isnan(rows).to(rows.dtype)], dim=1)
        margin = self.layers(known)
        return torch.sigmoid(margin) if self.outputs == 1 else torch.softmax(margin, dim=1)


def fitted(outputs: int = 1) -> Any:
    return plugins.load("fitted", "torch")(Late(outputs), 5, {"epochs": 3})


@pytest.fixture(scope="module")
def folders(tmp_path_factory: pytest.TempPathFactory) -> dict[int, Path]:
    """Outputs → where such a module is saved; the export takes seconds: once."""
    made = {outputs: tmp_path_factory.mktemp(f"outputs-{outputs}") for outputs in (1, 3)}
    for outputs, folder in made.items():
        assert fitted(outputs).save(folder) == [("model.pt", "torch"), ("model.onnx", "onnx")]
    return made


def saved(folders: dict[int, Path], outputs: int, engine: str = "torch", file: str = "model.pt") -> EngineCase:
    rows, _ = make_rows(200, seed=11)
    expected = fitted(outputs).predict(rows)
    return EngineCase(plugins.load("engine", engine), folders[outputs] / file, SCHEMA, rows, expected, tolerance=2e-6)


class TestEngine(EngineConformance):
    @pytest.fixture
    def case(self, folders: dict[int, Path]) -> EngineCase:
        return saved(folders, 1)


class TestClasses(EngineConformance):
    @pytest.fixture
    def case(self, folders: dict[int, Path]) -> EngineCase:
        return saved(folders, 3)


class TestGraph(EngineConformance):
    @pytest.fixture
    def case(self, folders: dict[int, Path]) -> EngineCase:
        return saved(folders, 1, "onnx", "model.onnx")


def test_a_module_that_has_no_graph_is_served_natively(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    class Looping(torch.nn.Module):  # type: ignore[misc]
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            total = torch.zeros(rows.shape[0])
            for at in range(int(torch.nan_to_num(rows).abs().sum().item()) % 3 + 1):
                total = total + at
            return total

    model = plugins.load("fitted", "torch")(torch.jit.script(Looping()), 2)
    assert model.save(tmp_path) == [("model.pt", "torch")]
    assert "no ONNX form" in caplog.text
    engine = plugins.load("engine", "torch")(tmp_path / "model.pt", InputSchema((Field("a"), Field("b"))))
    assert [engine.predict_row([float(at), 0.0]) for at in range(3)] == [0.0, 1.0, 3.0]


def test_what_it_was_fitted_with_is_told() -> None:
    assert fitted().parameters() == {"epochs": 3}
    assert fitted().importance() == {}


def test_the_processs_own_number_of_threads_is_left_as_it_was(folders: dict[int, Path]) -> None:
    case = saved(folders, 1)
    before = torch.get_num_threads()
    case.open(before + 1).predict(case.rows)
    assert torch.get_num_threads() == before


def _reads_files() -> Any:
    class Reads(torch.nn.Module):  # type: ignore[misc]
        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows[:, 0] + torch.from_file("/etc/hostname", False, 1, dtype=torch.uint8).float().sum()

    return torch.jit.script(Reads())


def _runs_when_loaded() -> Any:
    class Runs(torch.nn.Module):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.seen = 0

        @torch.jit.export
        def __getstate__(self) -> int:
            return self.seen

        @torch.jit.export
        def __setstate__(self, state: int) -> None:
            self.seen = state
            self.training = False

        def forward(self, rows: torch.Tensor) -> torch.Tensor:
            return rows[:, 0]

    return torch.jit.script(Runs())


@pytest.mark.parametrize(("make", "message"), [(_reads_files, "reads or writes files"), (_runs_when_loaded, "loaded")])
def test_a_program_that_does_more_than_compute_is_refused(
    make: Callable[[], Any], message: str, tmp_path: Path
) -> None:
    path = tmp_path / "model.pt"
    make().save(str(path))
    with pytest.raises(StoreError, match=message):
        plugins.load("engine", "torch")(path, InputSchema((Field("a"),)))


class Bomb:
    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return pytest.fail, ("a pickle was loaded",)


def test_a_pickle_never_runs(tmp_path: Path) -> None:
    plain, zipped = tmp_path / "plain.pt", tmp_path / "zipped.pt"
    plain.write_bytes(pickle.dumps(Bomb()))
    torch.save(Bomb(), zipped)
    for path in (plain, zipped):
        with pytest.raises(StoreError, match=path.name):
            plugins.load("engine", "torch")(path, SCHEMA)


def test_weights_alone_are_refused_with_what_to_do(tmp_path: Path) -> None:
    path = tmp_path / "weights.pt"
    torch.save(Late().state_dict(), path)
    with pytest.raises(StoreError, match=r"no program.*FittedModule"):
        plugins.load("engine", "torch")(path, SCHEMA)


def test_the_first_call_after_loading_is_warm(folders: dict[int, Path]) -> None:
    """PyTorch specialises a program in its first calls, a hundred times as slow as the rest: before traffic."""
    case = saved(folders, 1)
    shapes: list[int] = []
    kind = type(case.open())

    class Watched(kind):  # type: ignore[misc, valid-type]
        def _ask(self, rows: np.ndarray) -> np.ndarray:
            shapes.append(len(rows))
            return super()._ask(rows)  # type: ignore[no-any-return]

    Watched(case.path, case.schema)
    assert shapes.count(1) >= 2
    assert shapes.count(64) >= 2


def test_without_the_library_the_extra_is_named() -> None:
    code = """
import importlib.util
from pathlib import Path
found = importlib.util.find_spec
importlib.util.find_spec = lambda name, *more: None if name == "torch" else found(name, *more)
from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra
from drivetrain.core.records import Field, InputSchema
try:
    plugins.load("engine", "torch")(Path("model.pt"), InputSchema((Field("one"),)))
except MissingExtra as error:
    print(error)
"""
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True)
    assert 'pip install "drivetrain[torch]"' in said.stdout
