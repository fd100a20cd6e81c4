"""Estimators that programs name, as trainers that a project declares."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import NamedTuple

from drivetrain.loop.adopt.seen import parameters_of
from drivetrain.loop.adopt.values import Made, Scalar

_TRANSFORMERS = frozenset(
    {"sklearn.preprocessing", "sklearn.impute", "sklearn.compose", "sklearn.feature_extraction",
     "sklearn.decomposition", "sklearn.feature_selection", "sklearn.kernel_approximation",
     "sklearn.random_projection", "category_encoders", "imblearn.over_sampling", "imblearn.under_sampling"}
)  # fmt: skip
_MODULES = ("torch.nn.", "torch.nn:", "pytorch_lightning.", "lightning.", "keras.", "tensorflow.", "torch.")
_OWN = frozenset(
    {"random_state", "seed", "n_jobs", "nthread", "num_threads", "verbose", "verbosity", "silent", "thread_count",
     "random_seed", "metric", "eval_metric", "early_stopping_rounds", "early_stopping_round", "use_label_encoder",
     "importance_type", "device", "tree_method", "force_row_wise", "enable_categorical", "objective", "callbacks"}
)  # fmt: skip
"""Parameters that drivetrain decides itself."""
REGRESSION = "regression"
_NUMBERS = (
    "regress", "reg:squared", "reg:absolute", "mae", "mse", "l1", "l2", "huber", "poisson", "quantile", "tweedie",
    "gamma",
)  # fmt: skip
"""What objectives of a number begin with."""


class Trainer(NamedTuple):
    """How a draft names a trainer.

    Attributes:
        code: Python.
        words: What the program used.
        notes: What of it is not in the draft.
        task: ``regression``, or empty for a yes or no.
    """

    code: str
    words: str
    notes: list[str]
    task: str = ""


_ROOTS = MappingProxyType({"lightgbm": "LightGBM", "xgboost": "XGBoost"})


def is_transformer(path: str) -> bool:
    """Whether a class changes columns and tells nothing."""
    return path.rpartition(".")[0].startswith(tuple(_TRANSFORMERS))


def is_estimator(path: str) -> bool:
    """Whether a class may be what a program fits; anything but a transformer or a splitter may."""
    return not is_transformer(path) and not path.startswith(("sklearn.model_selection.TimeSeries", "sklearn.metrics"))


def is_module(path: str) -> bool:
    """Whether it is a network of PyTorch, Keras or the like."""
    return path.startswith(_MODULES)


def trainer_of(made: Made | None) -> Trainer:
    """The trainer that stands for an estimator; gradient-boosted trees where there is none."""
    if made is None:
        return Trainer("dt.LightGBM()", "", ["Which model is fitted could not be told; the draft has boosted trees."])
    name = made.path.rpartition(".")[2]
    parameters, odd = parameters_of(made.given)
    task = REGRESSION if "Regress" in name and "Logistic" not in name else _task(parameters)
    notes = [f"{name} is given {', '.join(odd)}, which the program computes: they are left out."] if odd else []
    kept = {key: value for key, value in parameters.items() if key not in _OWN and value is not None}
    root = made.path.partition(".")[0]
    if root in _ROOTS:
        if root == "xgboost" and "n_estimators" in kept:
            kept["num_boost_round"] = kept.pop("n_estimators")
        return Trainer(f"dt.{_ROOTS[root]}({_arguments(kept)})", _words(made), notes, task)
    if root == "sklearn":
        path = _public(made.path)
        return Trainer(
            f"dt.Sklearn({', '.join(filter(None, (repr(path), _arguments(kept))))})", _words(made), notes, task
        )
    if root == "catboost":
        notes.append(
            "CatBoost has no trainer here: boosted trees of LightGBM stand in its place, with its own parameters."
        )
    elif is_module(made.path) or made.path.startswith(":"):
        label = made.path.rpartition(":")[2] or name
        notes.append(
            f"{label} is a network that the program trains in a loop of its own: that loop is not in the draft. "
            "Boosted trees stand in its place; they are the baseline that it must beat."
        )
    else:
        notes.append(f"{made.path} has no trainer here: boosted trees stand in its place.")
    return Trainer("dt.LightGBM()", _words(made), notes, task)


def _task(parameters: dict[str, Scalar]) -> str:
    objective = str(parameters.get("objective", ""))
    return REGRESSION if objective.startswith(_NUMBERS) else ""


def _words(made: Made) -> str:
    name = made.path.rpartition(".")[2].rpartition(":")[2]
    return f"{made.path} (line {made.line})" if made.line and name else made.path


def _public(path: str) -> str:
    """Without modules that begin with an underscore, which are nobody's business."""
    return ".".join(part for part in path.split(".") if not part.startswith("_"))


def _arguments(parameters: Mapping[str, Scalar]) -> str:
    plain = {name: value for name, value in parameters.items() if name.isidentifier()}
    return ", ".join(f"{name}={value!r}" for name, value in plain.items())
