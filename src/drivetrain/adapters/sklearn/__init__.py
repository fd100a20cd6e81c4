"""scikit-learn: fits pipelines, keeps them as skops and ONNX, serves natively those that ONNX can't hold."""

from drivetrain.adapters.sklearn.engine import SklearnEngine
from drivetrain.adapters.sklearn.trainer import SklearnTrainer

engine = SklearnEngine
trainer = SklearnTrainer

__all__ = ["engine", "trainer"]
