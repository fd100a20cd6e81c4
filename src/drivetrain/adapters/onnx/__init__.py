"""ONNX Runtime: serves what other libraries fitted."""

from drivetrain.adapters.onnx.engine import OnnxEngine

engine = OnnxEngine

__all__ = ["engine"]
