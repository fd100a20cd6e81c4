"""From encoded rows to what an estimator can take: no nulls, like scales, one column per category."""

from __future__ import annotations

from typing import Any

import numpy as np

from drivetrain.core.records import InputSchema

OUTPUTS = "outputs_"
"""Attribute of a pipeline: how many classes, or labels, its answers tell; skops keeps it. Without it a pair is a no and
a yes, and the yes is the answer."""


def pipeline(estimator: Any, schema: InputSchema, rows: np.ndarray) -> Any:  # noqa: ANN401 - sklearn has no types
    """A pipeline around an estimator, not fitted yet; what is a pipeline already stays as it is.

    Args:
        estimator: The last step, or a pipeline that takes encoded rows itself: NaN for null, codes for categories.
        schema: Which columns hold category codes.
        rows: The training rows: columns with a null among them get an indicator.
    """
    from sklearn.compose import ColumnTransformer  # noqa: PLC0415 - deferred: it takes a while
    from sklearn.impute import MissingIndicator, SimpleImputer  # noqa: PLC0415 - as above
    from sklearn.pipeline import Pipeline  # noqa: PLC0415 - as above
    from sklearn.preprocessing import OneHotEncoder, StandardScaler  # noqa: PLC0415 - as above

    if isinstance(estimator, Pipeline):
        return estimator
    categories = list(schema.category_positions)
    numbers = [at for at in range(len(schema.fields)) if at not in categories]
    gaps = [at for at in numbers if np.isnan(rows[:, at]).any()]
    parts = []
    if numbers:
        scaled = Pipeline([("impute", SimpleImputer(strategy="median")), ("scale", StandardScaler())])
        parts.append(("numbers", scaled, numbers))
    if gaps:
        parts.append(("missing", MissingIndicator(features="all"), gaps))
    if categories:
        codes = [np.arange(-1.0, len(schema.fields[at].categories)) for at in categories]
        one_hot = OneHotEncoder(categories=codes, handle_unknown="ignore", sparse_output=False)
        filled = SimpleImputer(strategy="constant", fill_value=-1.0)
        parts.append(("categories", Pipeline([("null", filled), ("one_hot", one_hot)]), categories))
    return Pipeline([("prepare", ColumnTransformer(parts)), ("estimate", estimator)])


def answers(fitted: Any, rows: np.ndarray) -> np.ndarray:  # noqa: ANN401 - sklearn has no types
    """What a fitted pipeline says: the probability of the positive class, or of each of several, or the value."""
    if not hasattr(fitted, "predict_proba"):
        return np.asarray(fitted.predict(rows), dtype=np.float64)
    shares = np.asarray(fitted.predict_proba(rows), dtype=np.float64)
    outputs = getattr(fitted, OUTPUTS, None)
    if outputs is None:
        return shares[:, 1] if shares.shape[1] == 2 else shares
    if shares.shape[1] < outputs:  # a class that no row had that it was fitted on
        every = np.zeros((len(shares), outputs))
        every[:, np.asarray(fitted.classes_, np.intp)] = shares
        return every
    return shares[:, 0] if outputs == 1 else shares
