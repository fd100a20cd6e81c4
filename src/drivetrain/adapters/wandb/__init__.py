"""Weights & Biases: runs written down as its own library writes them offline, and sent when it can be reached."""

from drivetrain.adapters.wandb.mirror import WandbMirror

mirror = WandbMirror

__all__ = ["mirror"]
