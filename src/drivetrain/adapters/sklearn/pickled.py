"""Serving an estimator from its pickle, for a project that says it trusts it. Nobody else comes here."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from drivetrain.adapters.sklearn.engine import SklearnEngine
from drivetrain.core.errors import StoreError


class PickledEngine(SklearnEngine):
    """An estimator that :mod:`pickle`, cloudpickle or joblib kept, answering as :class:`SklearnEngine` does.

    Opening the file runs whatever its author put into it. Whoever makes one has asked the project first, and has
    checked the file's digest.

    Args:
        path: The pickle.
        schema: What its rows hold.
        threads: How many its libraries may use.

    Raises:
        StoreError: It holds no estimator, or needs what is not installed.
    """

    def _loaded(self, path: Path) -> Any:  # noqa: ANN401 - sklearn has no types
        import joblib  # noqa: PLC0415 - deferred with scikit-learn, which brings it

        try:
            fitted = joblib.load(path)
        except Exception as error:  # noqa: BLE001 - a pickle may raise anything
            words = str(error).partition("\n")[0] or type(error).__name__
            raise StoreError(
                f"the pickle {path} can't be opened: {words}",
                do="Install what it was made with, in the same version",
            ) from None
        if not hasattr(fitted, "predict") or not hasattr(fitted, "n_features_in_"):
            raise StoreError(f"the pickle {path} holds no fitted estimator", found=type(fitted).__name__)
        return fitted
