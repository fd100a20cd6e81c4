"""scikit-learn: fits pipelines, keeps them as skops and ONNX, serves natively those that ONNX can't hold."""

import os

from drivetrain.adapters.sklearn.engine import SklearnEngine
from drivetrain.adapters.sklearn.trainer import SklearnTrainer, kept_estimator

os.environ.setdefault("OMP_WAIT_POLICY", "passive")
"""OpenMP's threads would spin while they wait: ruinous where cores are shared. Read when scikit-learn is loaded."""

engine = SklearnEngine
kept = kept_estimator
trainer = SklearnTrainer

__all__ = ["engine", "kept", "trainer"]
