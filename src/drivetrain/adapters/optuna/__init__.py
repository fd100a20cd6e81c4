"""Optuna: searches for parameters, and carries on where it was stopped."""

from drivetrain.adapters.optuna.tuner import OptunaTuner

tuner = OptunaTuner()

__all__ = ["tuner"]
