"""PyTorch: keeps a fitted module as a program that needs none of its code, and serves it."""

from drivetrain.adapters.torch.engine import TorchEngine
from drivetrain.adapters.torch.fitted import FittedModule

engine = TorchEngine
fitted = FittedModule

__all__ = ["engine", "fitted"]
