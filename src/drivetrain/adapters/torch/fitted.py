"""A PyTorch module that was fitted, by whatever loop: what a trainer of one's own returns."""

from __future__ import annotations

import logging
import warnings
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import numpy as np

from drivetrain.core.frames import Matrix
from drivetrain.core.records.run import Scalar
from drivetrain.core.trees import OUTPUTS

FILE = "model.pt"
GRAPH = "model.onnx"

_ROWS = 4

_log = logging.getLogger(__name__)


class FittedModule:
    """Keeps a module as TorchScript and, where PyTorch can export it, as ONNX; packaging compares and times both.

    Args:
        module: Takes float32 rows of shape (n, width) with NaN for null, and gives predictions (probabilities, not
            logits) of shape (n,), (n, 1) or (n, classes). It may hold no Python that depends on the values of rows,
            unless it is a ``torch.jit.ScriptModule``.
        width: How many columns it reads.
        parameters: What it was fitted with, to be kept with the run.
        both: Whether two columns are two numbers told, as of two classes by name; otherwise the second is the answer.

    Example:
        A trainer's ``fit`` ends so::

            fitted = drivetrain.core.plugins.load("fitted", "torch")
            return fitted(module, len(task.schema.fields), {"epochs": 20})
    """

    def __init__(
        self,
        module: Any,  # noqa: ANN401 - torch is an extra
        width: int,
        parameters: Mapping[str, Scalar] | None = None,
        *,
        both: bool = False,
    ) -> None:
        self._module = module.eval()
        self._width = width
        self._parameters = dict(parameters or {})
        self._last = 1 if both else 2

    def predict(self, rows: Matrix) -> np.ndarray:
        """What the module itself says, as it is."""
        import torch  # noqa: PLC0415 - deferred: an extra

        with torch.inference_mode():
            answers = self._module(torch.from_numpy(np.ascontiguousarray(rows, dtype=np.float32))).numpy()
        said: np.ndarray = answers.astype(np.float64)
        return said if said.ndim == 1 or said.shape[1] > self._last else said[:, -1]

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes TorchScript, and after it an ONNX graph where the module has such a form."""
        import torch  # noqa: PLC0415 - deferred: an extra

        rows = torch.zeros((_ROWS, self._width))
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # of TorchScript's age: see archive.py
            script = isinstance(self._module, torch.jit.ScriptModule)
            traced = self._module if script else torch.jit.trace(self._module, rows)
            torch.jit.freeze(traced).save(str(folder / FILE), _extra_files=self._told())
        if not self._export(folder / GRAPH, rows):
            return [(FILE, "torch")]
        return [(FILE, "torch"), (GRAPH, "onnx")]

    def importance(self) -> dict[str, float]:
        """Not known of a module."""
        return {}

    def parameters(self) -> dict[str, Scalar]:
        """What the trainer says it was fitted with."""
        return dict(self._parameters)

    def _told(self) -> dict[str, bytes]:
        """What is written beside the module, for whoever opens it."""
        return {OUTPUTS: b"2"} if self._last == 1 and self.predict(np.zeros((1, self._width))).shape[1:] == (2,) else {}

    def _export(self, path: Path, rows: Any) -> bool:  # noqa: ANN401 - torch is an extra
        import torch  # noqa: PLC0415 - deferred: an extra

        quiet = logging.getLogger("torch.onnx")
        level = quiet.level
        quiet.setLevel(logging.ERROR)
        try:
            with warnings.catch_warnings():
                warnings.simplefilter("ignore")
                program = torch.onnx.export(
                    self._module, (rows,), dynamo=True, dynamic_shapes=({0: torch.export.Dim.DYNAMIC},),
                    input_names=["rows"], output_names=["prediction"], verbose=False,
                )  # fmt: skip
            graph = program.model_proto
            for name, value in self._told().items():
                graph.metadata_props.add(key=name, value=value.decode())
            path.write_bytes(graph.SerializeToString())
        except Exception as error:  # noqa: BLE001 - exporters raise what they like; TorchScript holds what they can't
            _log.warning("the module has no ONNX form: %s", str(error).partition("\n")[0])
            return False
        finally:
            quiet.setLevel(level)
        return True
