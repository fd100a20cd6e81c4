"""CatBoost: fits symmetrical trees with categories told by their labels, and serves them by its own library."""

from drivetrain.adapters.catboost.engine import CatBoostEngine
from drivetrain.adapters.catboost.trainer import CatBoostTrainer

engine = CatBoostEngine
trainer = CatBoostTrainer

__all__ = ["engine", "trainer"]
