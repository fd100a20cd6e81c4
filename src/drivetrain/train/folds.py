"""How good a model is fold by fold: each, all of their rows together, and how far they lie apart."""

from __future__ import annotations

from collections.abc import Callable, Mapping

import numpy as np
from msgspec.structs import replace

from drivetrain.core.protocols import FitTask

Figures = Callable[[FitTask, np.ndarray], dict[str, float]]
"""A task's validation rows, and what a model that has not seen them said → ``valid.METRIC`` → figure."""


def over_folds(found: Mapping[str, tuple[FitTask, np.ndarray]], figures: Figures) -> dict[str, float]:
    """Figures over folds.

    Args:
        found: Name of the fold → its task, and what a model fitted on the rows that teach said of those that judge.
        figures: How good that is.

    Returns:
        ``valid.METRIC``: of all their rows together; ``valid.METRIC.FOLD``: of one; ``valid.METRIC.spread``: the
        standard deviation over the folds, where there are two or more. A fold that a metric can't be made of has none.
    """
    each = {fold: figures(task, said) for fold, (task, said) in found.items()}
    told = _together(found, figures)
    for name in dict.fromkeys(name for figured in each.values() for name in figured):
        values = {fold: figured[name] for fold, figured in each.items() if name in figured}
        told |= {f"{name}.{fold}": value for fold, value in values.items()}
        if len(values) > 1:
            told[f"{name}.spread"] = float(np.std(list(values.values()), ddof=1))
    return told


def _together(found: Mapping[str, tuple[FitTask, np.ndarray]], figures: Figures) -> dict[str, float]:
    tasks, said = zip(*found.values(), strict=True)
    ranked = tasks[0].valid_groups is not None
    whole = replace(
        tasks[0],
        valid_labels=np.concatenate([task.valid_labels for task in tasks]),
        valid_groups=np.concatenate([task.valid_groups for task in tasks]) if ranked else None,
    )
    return figures(whole, np.concatenate(said))
