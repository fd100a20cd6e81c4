"""LightGBM: fits through its Python package, serves through its C interface."""

from drivetrain.adapters.lightgbm.apart import apart
from drivetrain.adapters.lightgbm.engine import LightGBMEngine
from drivetrain.adapters.lightgbm.trainer import LightGBMTrainer

engine = LightGBMEngine
trainer = LightGBMTrainer

__all__ = ["apart", "engine", "trainer"]
