"""A model's file whose columns have names: what reads a frame by XGBoost's own package holds its names against them."""

from __future__ import annotations

import re
from collections.abc import Sequence

from drivetrain.core.errors import StoreError

_TAKEN = re.compile(r"[\[\]<]")
"""What XGBoost takes in no name."""


def renamed(data: bytes, names: Sequence[str]) -> bytes:
    """The same trees, their columns called so; as it is where XGBoost can't take one of the names.

    Args:
        data: A model's file.
        names: Of its columns, in order.

    Raises:
        StoreError: It is no model of XGBoost's.
        MissingExtra: XGBoost is not installed.
    """
    import xgboost  # noqa: PLC0415 - deferred: it takes a while

    if any(_TAKEN.search(name) for name in names):
        return data
    try:
        booster = xgboost.Booster(model_file=bytearray(data))
        booster.feature_names = list(names)
    except (xgboost.core.XGBoostError, ValueError) as error:
        raise StoreError(f"no model of XGBoost's: {str(error).partition(chr(10))[0]}") from None
    return bytes(booster.save_raw("ubj"))
