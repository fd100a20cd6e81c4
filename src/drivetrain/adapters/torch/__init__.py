"""PyTorch: fits modules, keeps each as a program that needs none of its code, and serves it."""

from drivetrain.adapters.torch.bert import bert
from drivetrain.adapters.torch.engine import TorchEngine
from drivetrain.adapters.torch.fitted import FittedModule
from drivetrain.adapters.torch.network import whole
from drivetrain.adapters.torch.trainer import TorchTrainer

engine = TorchEngine
fitted = FittedModule
network = whole
trainer = TorchTrainer

__all__ = ["bert", "engine", "fitted", "network", "trainer"]
