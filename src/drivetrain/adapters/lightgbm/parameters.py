"""LightGBM's parameters: ours where nothing is said, what tuning may vary, and which names exist."""

from __future__ import annotations

import ctypes
import difflib
import json
from collections.abc import Mapping
from functools import cache
from types import MappingProxyType

from drivetrain.adapters.lightgbm.library import check, library
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

DEFAULTS: Mapping[str, Scalar] = MappingProxyType(
    {
        "learning_rate": 0.05,
        "num_leaves": 31,
        "min_data_in_leaf": 50,
        "feature_fraction": 0.7,
        "max_bin": 63,
        "cat_smooth": 20.0,
    }
)

OBJECTIVES: Mapping[TaskKind, str] = MappingProxyType(
    {
        "binary": "binary",
        "multiclass": "multiclass",
        "multilabel": "binary",
        "regression": "regression",
        "quantile": "quantile",
        "ranking": "lambdarank",
    }
)
"""Kind of answers → the objective, where none is set."""

_OF_CLASSES = ("multiclass", "softmax", "multiclassova", "multiclass_ova", "ova", "ovr")
DRAWING = ("rank_xendcg", "xendcg", "xe_ndcg", "xe_ndcg_mart", "xendcg_mart")
"""Objectives that draw random numbers in every round."""

_OF_GROUPS = ("lambdarank", *DRAWING)
_OF_CHANCES = ("binary", "cross_entropy", "xentropy", "cross_entropy_lambda", "xentlambda")

SPACE: Mapping[str, Space] = MappingProxyType(
    {
        "num_leaves": Space(8, 96, integer=True, log=True),
        "min_data_in_leaf": Space(20, 400, integer=True, log=True),
        "feature_fraction": Space(0.3, 1.0),
        "lambda_l2": Space(0.01, 30.0, log=True),
        "cat_smooth": Space(1.0, 200.0, log=True),
    }
)

_OBJECTIVES = {"binary": "binary", "multiclass": "multiclass", "regression": "regression"}

_OURS = ("num_threads", "seed", "deterministic", "force_row_wise", "verbosity", "metric", "early_stopping_round")


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
    several, grouped, chance = asked in _OF_CLASSES, asked in _OF_GROUPS, asked in _OF_CHANCES
    suits = {
        "binary": not grouped,  # what answers otherwise than a yes or no, whoever evaluates it says
        "multiclass": several,
        "multilabel": chance,
        "regression": not (several or grouped or chance),
        "quantile": asked == "quantile",
        "ranking": grouped,
    }
    if not suits[kind]:
        raise TrainingError(
            f"LightGBM's objective {asked!r} does not suit a label that is {KINDS[kind]}",
            expected=OBJECTIVES[kind], do="Leave objective out, or set one that does",
        )  # fmt: skip
    return str(asked)


def canonical(parameters: Mapping[str, Scalar]) -> dict[str, Scalar]:
    """Parameters under LightGBM's own names, aliases resolved.

    Raises:
        TrainingError: LightGBM has no such parameter, or it is one that the fit itself decides.
    """
    names = _names()
    known: dict[str, Scalar] = {}
    for given, value in parameters.items():
        if given not in names:
            close = difflib.get_close_matches(given, names, n=3)
            raise TrainingError(
                f"LightGBM has no parameter {given!r}", expected=", ".join(close) or "one of its own", do="Correct it"
            )
        if names[given] in _OURS:
            raise TrainingError(f"the parameter {given!r} is set by the fit itself", do="Remove it")
        known[names[given]] = value
    return known


@cache
def _names() -> dict[str, str]:
    """Every name and alias → the parameter's own name, as the installed library lists them."""
    length, size = ctypes.c_int64(), 1 << 16
    while True:
        buffer = ctypes.create_string_buffer(size)
        check(library().LGBM_DumpParamAliases(ctypes.c_int64(size), ctypes.byref(length), buffer), "list parameters")
        if length.value <= size:
            break
        size = length.value
    aliases: dict[str, list[str]] = json.loads(buffer.value)
    return {name: own for own, others in aliases.items() for name in (own, *others)}
