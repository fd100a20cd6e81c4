"""Functions that return estimators, for trainers to name."""

from __future__ import annotations

from typing import Any

import numpy as np
from sklearn.calibration import CalibratedClassifierCV
from sklearn.compose import ColumnTransformer
from sklearn.impute import SimpleImputer
from sklearn.linear_model import LogisticRegression
from sklearn.pipeline import make_pipeline
from sklearn.preprocessing import FunctionTransformer, KBinsDiscretizer, OneHotEncoder
from sklearn.svm import LinearSVC


def binned() -> Any:
    """Numbers cut into bins, after the flag of their gaps; categories one by one."""
    numbers = make_pipeline(
        SimpleImputer(strategy="median", add_indicator=True),
        KBinsDiscretizer(5, quantile_method="averaged_inverted_cdf"),
    )
    categories = make_pipeline(
        SimpleImputer(strategy="constant", fill_value=-1.0),
        OneHotEncoder(categories=[np.arange(-1.0, 4.0)], handle_unknown="ignore"),
    )
    prepare = ColumnTransformer([("numbers", numbers, [0, 1, 2, 4]), ("categories", categories, [3])])
    return make_pipeline(prepare, LogisticRegression())


def machine() -> Any:
    """Without probabilities of its own."""
    return CalibratedClassifierCV(LinearSVC(), ensemble=False)


def of_ones_own() -> Any:
    """A step that skops can't vouch for."""
    return make_pipeline(FunctionTransformer(zeros_for_nulls), LogisticRegression())


def zeros_for_nulls(rows: Any) -> Any:
    return np.nan_to_num(rows)


def nothing() -> Any:
    return 7
