"""XGBoost's parameters: ours where nothing is said, what tuning may vary, and which are the fit's own."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import Space
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import KINDS, TaskKind

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

OBJECTIVES: Mapping[TaskKind, str] = MappingProxyType(
    {
        "binary": "binary:logistic",
        "multiclass": "multi:softprob",
        "multilabel": "binary:logistic",
        "regression": "reg:squarederror",
        "quantile": "reg:quantileerror",
        "ranking": "rank:ndcg",
    }
)
"""Kind of answers → the objective, where none is set."""

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


def objective_of(kind: TaskKind, asked: Scalar) -> str:
    """The objective of a fit.

    Args:
        kind: Of the answers wanted.
        asked: The objective that the project sets; none where it sets none.

    Raises:
        TrainingError: It gives answers of another kind.
    """
    if asked is None:
        return OBJECTIVES[kind]
    family = str(asked).partition(":")[0]
    suits = {
        "binary": family != "rank",  # what answers otherwise than a yes or no, whoever evaluates it says
        "multiclass": asked == "multi:softprob",
        "multilabel": asked == "binary:logistic",
        "regression": family not in {"binary", "multi", "rank"} and asked != "reg:quantileerror",
        "quantile": asked == "reg:quantileerror",
        "ranking": family == "rank",
    }
    if not suits[kind]:
        raise TrainingError(
            f"XGBoost's objective {asked!r} does not suit a label that is {KINDS[kind]}",
            expected=OBJECTIVES[kind], do="Leave objective out, or set one that does",
        )  # fmt: skip
    return str(asked)


def canonical(parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Parameters under one name each.

    Raises:
        TrainingError: One that the fit itself decides. What XGBoost does not know, it refuses when it fits.
    """
    for name in parameters:
        if name in _OURS:
            raise TrainingError(f"the parameter {name!r} is set by the fit itself", do="Remove it")
    return {_ALIASES.get(name, name): value for name, value in parameters.items()}
