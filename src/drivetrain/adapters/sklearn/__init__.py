"""scikit-learn: fits pipelines, keeps them as skops and ONNX, serves natively those that ONNX can't hold."""

import os

from drivetrain.adapters.sklearn.engine import SklearnEngine
from drivetrain.adapters.sklearn.pickled import PickledEngine
from drivetrain.adapters.sklearn.trainer import SklearnTrainer, kept_estimator
from drivetrain.adapters.sklearn.trust import unknown_types

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
"""OpenMP's threads would spin while they wait: ruinous where cores are shared. Read when scikit-learn is loaded."""

engine = SklearnEngine
kept = kept_estimator
pickled = PickledEngine
trainer = SklearnTrainer

__all__ = ["engine", "kept", "pickled", "trainer", "unknown_types"]
