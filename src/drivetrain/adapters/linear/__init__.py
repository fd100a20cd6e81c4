"""Linear models over wide, sparse rows: fitted by scikit-learn, kept as plain numbers, served by numpy alone."""

from drivetrain.adapters.linear.engine import LinearEngine
from drivetrain.adapters.linear.trainer import LinearTrainer

engine = LinearEngine
trainer = LinearTrainer

__all__ = ["engine", "trainer"]
