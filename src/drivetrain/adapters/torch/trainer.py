"""Fitting PyTorch modules on encoded rows."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from importlib.util import find_spec
from typing import Any

from drivetrain.adapters.torch.epochs import Epochs
from drivetrain.adapters.torch.fitted import FittedModule
from drivetrain.adapters.torch.network import whole
from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, TrainingError
from drivetrain.core.hashing import code_digest
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar

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
        space: Mapping[str, Space] = plugins.load("space", "numpy")(self._parameters)
        return space

    def fit(self, task: FitTask) -> FittedModule:
        """Fits a module by AdamW until the loss on the validation rows is best, or for as many epochs as are set.

        Raises:
            TrainingError: A parameter that there is not, labels of another kind, or a module of other shapes.
            MissingExtra: PyTorch or safetensors is not installed.
        """
        for library in ("torch", "safetensors"):
            if find_spec(library) is None:
                raise MissingExtra(f"the torch trainer needs {library}", do='Run: pip install "drivetrain[torch]"')
        lesson = plugins.load("lessons", "numpy")(self.name, task, self._parameters)
        with _seeded(task):
            core = self._made(lesson.network.preparation.width, lesson.outputs)
            epochs = Epochs(task, core, ["torch", code_digest(self._build)], lesson).run()
        module, width = whole(lesson.network, core), len(task.schema.fields)
        return FittedModule(module, width, lesson.used(epochs), both=task.kind == "multiclass")

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
