"""Trees of their own for each of several outputs: LightGBM fits one label, and one quantile, at a time."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Protocol

import numpy as np
from msgspec.structs import replace

from drivetrain.core import plugins
from drivetrain.core.errors import TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.records.run import Scalar
from drivetrain.core.trees import Trees

GRAPH = "model.onnx"


class OneOutput(Protocol):
    """Trees just boosted that have one output."""

    def predict(self, rows: Matrix) -> np.ndarray:
        """Shape (n,)."""
        ...

    def trees(self) -> Trees | None:
        """As plain numbers; none where they have no such form."""
        ...

    def importance(self) -> dict[str, float]:
        """Feature → share."""
        ...

    def parameters(self) -> dict[str, Scalar]:
        """What was used."""
        ...


class FittedSeveral:
    """Trees for each output. LightGBM has no file for them together: all of them are kept as one ONNX graph.

    Args:
        each: The trees of each output.
    """

    def __init__(self, each: Sequence[OneOutput]) -> None:
        self._each = each

    def predict(self, rows: Matrix) -> np.ndarray:
        """Shape (n, outputs); (n,) of one output."""
        said = np.stack([one.predict(rows) for one in self._each], axis=1)
        return said[:, 0] if len(self._each) == 1 else said

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes the graph.

        Raises:
            TrainingError: The trees have no such form (their leaves are linear, say).
        """
        found = [one.trees() for one in self._each]
        known = [trees for trees in found if trees is not None]
        if len(known) < len(found):
            raise TrainingError(
                "several outputs can be served as plain trees only", do="Leave out linear_tree and zero_as_missing"
            )
        whole = replace(
            known[0],
            trees=tuple(replace(tree, output=at) for at, trees in enumerate(known) for tree in trees.trees),
            base=tuple(trees.base[0] for trees in known),
        )
        (folder / GRAPH).write_bytes(plugins.load("trees", "onnx")(whole))
        return [(GRAPH, "onnx")]

    def importance(self) -> dict[str, float]:
        """Mean share of the total gain."""
        shares = [one.importance() for one in self._each]
        return {name: float(np.mean([share[name] for share in shares])) for name in shares[0]}

    def parameters(self) -> dict[str, Scalar]:
        """What was used; of the number of rounds, that of each."""
        used = {name: value for name, value in self._each[0].parameters().items() if name != "alpha"}
        rounds = [str(one.parameters()["num_iterations"]) for one in self._each]
        return {**used, "num_iterations": ",".join(rounds)}
