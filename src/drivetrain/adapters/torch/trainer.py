"""Fitting PyTorch modules on encoded rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

import numpy as np

from drivetrain.adapters.torch.epochs import Epochs, Settings
from drivetrain.adapters.torch.fitted import FittedModule
from drivetrain.adapters.torch.network import whole
from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, TrainingError
from drivetrain.core.hashing import code_digest
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar

DEFAULTS: Mapping[str, Scalar] = {
    "epochs": 200, "batch": 256, "lr": 1e-3, "weight_decay": 0.01, "accumulate": 1, "patience": 10,
}  # fmt: skip

SPACE: Mapping[str, Space] = {
    "lr": Space(1e-4, 1e-2, log=True),
    "weight_decay": Space(1e-4, 0.3, log=True),
    "batch": Space(choices=(64, 256, 1024)),
}

_LINKS = {"binary": "sigmoid", "multiclass": "softmax", "regression": "identity"}
_SHAPE_ROWS = 2


class TorchTrainer:
    """What ``drivetrain.Torch`` stands for; see there.

    Args:
        build: (inputs, outputs) → a module.
        **parameters: How it is fitted.
    """

    name = "torch"
    engine = "torch"

    def __init__(self, build: Callable[[int, int], Any], **parameters: Scalar) -> None:
        self._build = build
        self._parameters = parameters

    def search_space(self) -> Mapping[str, Space]:
        """Steps and regularisation, but for what is set."""
        return {name: space for name, space in SPACE.items() if name not in self._parameters}

    def fit(self, task: FitTask) -> FittedModule:
        """Fits a module by AdamW until the loss on the validation rows is best, or for as many epochs as are set.

        Raises:
            TrainingError: A parameter that there is not, labels of another kind, or a module of other shapes.
            MissingExtra: PyTorch or safetensors is not installed.
        """
        for library in ("torch", "safetensors"):
            if find_spec(library) is None:
                raise MissingExtra(f"the torch trainer needs {library}", do='Run: pip install "drivetrain[torch]"')
        labels, outputs = plugins.load("labels", "numpy")(self.name, task)
        used = _settled({**DEFAULTS, **self._parameters, **task.parameters}, judged=task.valid_rows is not None)
        rows = np.asarray(task.rows, dtype=np.float64)
        preparation = plugins.load("preparation", "numpy")(task.schema, rows)
        scaling = (0.0, 1.0)
        if task.kind == "regression":
            scaling = plugins.load("scaling", "numpy")(labels, task.weights)
        data = _data(task, preparation, scaling)
        with _seeded(task):
            core = self._made(preparation.width, outputs)
            meaning = ["torch", code_digest(self._build), preparation, used]
            settings = Settings(**used)  # type: ignore[arg-type] # settled above
            epochs = Epochs(task, core, meaning, settings).run(data)
        model = whole(preparation, core, _LINKS[task.kind], scaling)
        again: dict[str, Scalar] = {**used, "epochs": epochs, "patience": 0}
        return FittedModule(model, len(task.schema.fields), again)

    def _made(self, inputs: int, outputs: int) -> Any:  # noqa: ANN401 - torch is an extra
        import torch  # noqa: PLC0415 - deferred: an extra

        core = self._build(inputs, outputs)
        if not isinstance(core, torch.nn.Module):
            raise TrainingError(
                f"{self._build.__name__} built no module", found=type(core).__name__, expected="a torch.nn.Module"
            )
        core.eval()
        with torch.inference_mode():
            said = tuple(core(torch.zeros(_SHAPE_ROWS, inputs)).shape)
        if said != (_SHAPE_ROWS, outputs):
            raise TrainingError(
                f"the module of {self._build.__name__} gives margins of another shape",
                found=f"{said} for {_SHAPE_ROWS} rows",
                expected=(_SHAPE_ROWS, outputs),
                do="Let its last layer have as many outputs as the function is given",
            )
        return core


def _settled(given: Mapping[str, Scalar], *, judged: bool) -> dict[str, Scalar]:
    """Parameters as they are used; without rows that judge, nothing stops an epoch."""
    used: dict[str, Scalar] = {}
    for name, value in given.items():
        if name not in DEFAULTS:
            raise TrainingError(f"torch has no parameter {name!r}", expected=", ".join(DEFAULTS), do="Correct it")
        whole_number = isinstance(DEFAULTS[name], int)
        least = 0 if name in {"patience", "weight_decay"} else 1 if whole_number else 1e-12
        fits = isinstance(value, int | float) and not isinstance(value, bool) and value >= least
        if not fits or (whole_number and value != int(value)):  # type: ignore[arg-type] # a number by now
            raise TrainingError(f"{name} can't be {value!r}", expected=f"a number of {least} or more")
        used[name] = int(value) if whole_number else float(value)  # type: ignore[arg-type] # as above
    if not judged:
        used["patience"] = 0
    return used


def _data(task: FitTask, preparation: Any, scaling: tuple[float, float]) -> dict[str, np.ndarray]:  # noqa: ANN401 - a record of core's
    prepare = plugins.load("prepare", "numpy")
    count = len(task.labels)
    weights = np.ones(count) if task.weights is None else np.asarray(task.weights) / np.mean(task.weights)
    held = {"inputs": prepare(preparation, task.rows), "weights": weights.astype(np.float32)}
    held["labels"] = ((np.asarray(task.labels) - scaling[0]) / scaling[1]).astype(np.float32)
    if task.valid_rows is not None:
        held["valid_inputs"] = prepare(preparation, task.valid_rows)
        held["valid_labels"] = ((np.asarray(task.valid_labels) - scaling[0]) / scaling[1]).astype(np.float32)
    return held


@contextmanager
def _seeded(task: FitTask) -> Iterator[None]:
    """Random numbers and threads of PyTorch are the fit's own for its time; the process's are put back."""
    import torch  # noqa: PLC0415 - deferred: an extra

    before = torch.get_num_threads()
    with torch.random.fork_rng():
        torch.manual_seed(task.seed)
        torch.set_num_threads(task.threads)
        try:
            yield
        finally:
            torch.set_num_threads(before)
