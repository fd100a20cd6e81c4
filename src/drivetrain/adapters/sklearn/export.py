"""A fitted pipeline as an ONNX graph; whether the graph gives the same answers is for packaging to find."""

from __future__ import annotations

from typing import Any

from drivetrain.adapters.sklearn.additive import KEPT_AS
from drivetrain.adapters.sklearn.pipeline import OUTPUTS as KEPT_OUTPUTS
from drivetrain.core.additive import ADDITIVE
from drivetrain.core.trees import OUTPUTS


def to_onnx(fitted: Any, width: int) -> bytes | None:  # noqa: ANN401 - sklearn has no types
    """The graph, which computes in 32 bits; none where the estimator has no ONNX form.

    Args:
        fitted: The pipeline.
        width: How many columns it reads.
    """
    from skl2onnx import convert_sklearn, update_registered_converter  # noqa: PLC0415 - deferred: it takes a while
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415 - as above
    from sklearn.impute import MissingIndicator  # noqa: PLC0415 - as above

    update_registered_converter(
        MissingIndicator, "DrivetrainMissingIndicator", _indicator_shape, _indicator, overwrite=True
    )
    options = {id(fitted): {"zipmap": False}} if hasattr(fitted, "predict_proba") else None
    try:
        model = convert_sklearn(fitted, initial_types=[("rows", FloatTensorType([None, width]))], options=options)
        if hasattr(fitted, KEPT_AS):
            model.metadata_props.add(key=ADDITIVE, value=getattr(fitted, KEPT_AS))
        if hasattr(fitted, KEPT_OUTPUTS):
            model.metadata_props.add(key=OUTPUTS, value=str(getattr(fitted, KEPT_OUTPUTS)))
        graph: bytes = model.SerializeToString()
    except Exception:  # noqa: BLE001 - converters raise what they like; skops holds what they can't
        return None
    return graph


def _indicator_shape(operator: Any) -> None:  # noqa: ANN401 - skl2onnx has no types
    from skl2onnx.common.data_types import FloatTensorType  # noqa: PLC0415 - deferred: it takes a while

    known = operator.inputs[0].type.shape
    operator.outputs[0].type = FloatTensorType([known[0], known[1]])


def _indicator(scope: Any, operator: Any, container: Any) -> None:  # noqa: ANN401 - skl2onnx has no types
    """The converter that skl2onnx lacks: 1.0 where a value is NaN."""
    from onnx import TensorProto  # noqa: PLC0415 - deferred: a native library

    missing = scope.get_unique_variable_name("missing")
    container.add_node("IsNaN", operator.inputs[0].full_name, missing, op_version=13)
    container.add_node("Cast", missing, operator.outputs[0].full_name, to=TensorProto.FLOAT, op_version=13)
