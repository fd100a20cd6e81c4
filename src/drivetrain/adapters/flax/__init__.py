"""Flax: fits modules by JAX, keeps each as the program that JAX compiles, and serves it."""

import os

from drivetrain.adapters.flax.engine import FlaxEngine
from drivetrain.adapters.flax.trainer import FlaxTrainer

os.environ.setdefault("XLA_FLAGS", "--xla_cpu_multi_thread_eigen=false")
"""One thread an operator: those of XLA can't be counted a call. Read when JAX first computes."""

engine = FlaxEngine
trainer = FlaxTrainer

__all__ = ["engine", "trainer"]
