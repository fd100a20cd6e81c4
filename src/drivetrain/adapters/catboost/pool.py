"""Encoded rows as CatBoost takes them: numbers in 32 bits, categories as text, numbers first."""

from __future__ import annotations

from importlib.util import find_spec
from typing import Any

import numpy as np

from drivetrain.core.errors import MissingExtra
from drivetrain.core.records import InputSchema

_BINARY = ("Logloss", "CrossEntropy")


def library() -> Any:  # noqa: ANN401 - catboost has few types
    """The library.

    Raises:
        MissingExtra: It, or the pandas that it imports, is not installed.
    """
    for name in ("catboost", "pandas"):
        if find_spec(name) is None:
            raise MissingExtra(f"the catboost adapter needs {name}", do='Run: pip install "drivetrain[catboost]"')
    import catboost  # noqa: PLC0415 - deferred: it takes a second, and 270 MB

    return catboost


def order(schema: InputSchema) -> list[int]:
    """Positions of the fields as CatBoost counts them."""
    categories = schema.category_positions
    return [*(at for at in range(len(schema.fields)) if at not in categories), *categories]


def pool(schema: InputSchema, rows: Any, labels: Any = None, weights: Any = None) -> Any:  # noqa: ANN401 - arrays
    """Rows as a pool; a null category is a category of its own, as is one that was never seen."""
    matrix = np.asarray(rows, dtype=np.float64)
    categories = list(schema.category_positions)
    numbers = [at for at in range(len(schema.fields)) if at not in categories]
    named: dict[str, Any] = {}
    if numbers:
        named["num_feature_data"] = np.ascontiguousarray(matrix[:, numbers], dtype=np.float32)
        named["num_feature_names"] = [f"f{at}" for at in numbers]
    if categories:
        codes = np.nan_to_num(matrix[:, categories], nan=-1.0).astype(np.int64)
        texts = np.array([b"", *(str(code).encode() for code in range(int(codes.max(initial=-1)) + 1))], dtype=object)
        named["cat_feature_data"] = texts[codes + 1]
        named["cat_feature_names"] = [f"f{at}" for at in categories]
    catboost = library()
    return catboost.Pool(catboost.FeaturesData(**named), label=labels, weight=weights)


def answers(model: Any, rows: Any, loss: str, threads: int) -> np.ndarray:  # noqa: ANN401 - catboost has few types
    """What a model says: probabilities, one a class where there are several, or values.

    Args:
        model: The model.
        rows: A pool.
        loss: Name of what it was fitted by.
        threads: How many it may use.
    """
    if loss in {*_BINARY, "MultiClass", "MultiClassOneVsAll"}:
        kind = "Probability"
    else:
        kind = "Exponent" if loss in {"Poisson", "Tweedie"} else "RawFormulaVal"
    said = np.asarray(model.predict(rows, prediction_type=kind, thread_count=threads), dtype=np.float64)
    return said[:, 1] if loss in _BINARY else said
