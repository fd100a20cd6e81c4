"""XGBoost: fits through its Python package, serves through its C interface."""

from drivetrain.adapters.xgboost.engine import XGBoostEngine
from drivetrain.adapters.xgboost.named import renamed
from drivetrain.adapters.xgboost.trainer import XGBoostTrainer

engine = XGBoostEngine
trainer = XGBoostTrainer

__all__ = ["engine", "renamed", "trainer"]
