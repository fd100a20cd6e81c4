"""XGBoost's parameters: ours where nothing is said, what tuning may vary, and which are the fit's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask, Space
from drivetrain.core.records.run import Scalar

PATIENCE = 20
"""Rounds without a better loss on the validation rows after which boosting stops."""

MOST_ROUNDS = 1_000
"""Most rounds where boosting may stop early."""

ROUNDS = 150
"""Rounds where there are no validation rows to stop by."""

NUM_ROUNDS = "num_boost_round"

DEFAULTS: Mapping[str, Scalar] = MappingProxyType(
    {
        "eta": 0.05,
        "max_depth": 6,
        "min_child_weight": 10.0,
        "colsample_bytree": 0.7,
        "max_bin": 64,
        "tree_method": "hist",
    }
)

SPACE: Mapping[str, Space] = MappingProxyType(
    {
        "max_depth": Space(3, 10, integer=True),
        "min_child_weight": Space(1.0, 100.0, log=True),
        "colsample_bytree": Space(0.3, 1.0),
        "reg_lambda": Space(0.01, 30.0, log=True),
    }
)

_OBJECTIVES = {"binary": "binary:logistic", "multiclass": "multi:softprob", "regression": "reg:squarederror"}
_ALIASES = {"learning_rate": "eta", "lambda": "reg_lambda", "alpha": "reg_alpha", "n_estimators": NUM_ROUNDS}
_OURS = ("nthread", "n_jobs", "seed", "random_state", "verbosity", "eval_metric", "device")


def objective_of(task: FitTask) -> dict[str, Scalar]:
    """What is fitted where no objective is set: the log loss, or squared error.

    Raises:
        TrainingError: It is a kind of model that is not fitted so.
    """
    if task.kind not in _OBJECTIVES:
        raise TrainingError(
            f"xgboost does not fit {task.kind} models", expected=" or ".join(_OBJECTIVES), do="Choose another trainer"
        )
    classes: dict[str, Scalar] = {"num_class": len(task.classes)} if task.kind == "multiclass" else {}
    return {"objective": _OBJECTIVES[task.kind], **classes}


def canonical(parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Parameters under one name each.

    Raises:
        TrainingError: One that the fit itself decides. What XGBoost does not know, it refuses when it fits.
    """
    for name in parameters:
        if name in _OURS:
            raise TrainingError(f"the parameter {name!r} is set by the fit itself", do="Remove it")
    return {_ALIASES.get(name, name): value for name, value in parameters.items()}
