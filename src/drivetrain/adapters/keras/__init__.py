"""Keras 3: fits models on whichever backend is there, keeps them as configuration and weights, and serves them."""

from drivetrain.adapters.keras.engine import KerasEngine
from drivetrain.adapters.keras.trainer import KerasTrainer

engine = KerasEngine
trainer = KerasTrainer

__all__ = ["engine", "trainer"]
