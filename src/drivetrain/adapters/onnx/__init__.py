"""ONNX Runtime: serves what other libraries fitted."""

from drivetrain.adapters.onnx.engine import OnnxEngine
from drivetrain.adapters.onnx.trees import trees_graph

engine = OnnxEngine
trees = trees_graph

__all__ = ["engine", "trees"]
