"""The V1 protocol as KServe, TensorFlow Serving and Vertex AI speak it: instances in, predictions out.

Sources: https://kserve.github.io/website/docs/concepts/architecture/data-plane/v1-protocol,
https://www.tensorflow.org/tfx/serving/api_rest and
https://cloud.google.com/vertex-ai/docs/predictions/custom-container-requirements
"""

from __future__ import annotations

import time
from typing import Any, NamedTuple

import msgspec

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import unreadable
from drivetrain.serve.call import Call
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.protocols.columns import check_names, rows_of
from drivetrain.serve.protocols.content import inflated
from drivetrain.serve.protocols.instances import raw_call, table_call, taken
from drivetrain.serve.request import Request


class _Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    instances: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    inputs: list[msgspec.Raw] | dict[str, list[Any]] | msgspec.UnsetType = msgspec.UNSET
    # Vertex AI and TensorFlow Serving send these along; there is nothing here for them to choose.
    parameters: msgspec.Raw = msgspec.Raw()
    signature_name: msgspec.Raw = msgspec.Raw()


_decode = msgspec.json.Decoder(_Body).decode


class Asked(NamedTuple):
    """A predict request.

    Attributes:
        call: Its instances.
        member: What the answer's list goes by: TensorFlow Serving answers columns with ``outputs``.
    """

    call: Call
    member: str


def asked(request: Request, schema: InstanceSchema, settings: ServeSettings) -> Asked:
    """The call of ``{"instances": [{…}]}``, or of ``{"inputs": …}``: a list as above, or an object of columns.

    Raises:
        RequestError: The body does not fit; the message names the field, what was found and what was expected.
    """
    head = taken(request, time.perf_counter_ns())
    try:
        body = _decode(inflated(request, settings))
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, '{"instances": [{…}]}') from None
    given = [name for name in ("instances", "inputs") if getattr(body, name) is not msgspec.UNSET]
    if len(given) != 1:
        raise RequestError(
            "the body must have one of instances and inputs",
            found=" and ".join(given) or "neither",
            expected='a body like {"instances": [{…}]}',
        )
    if isinstance(body.instances, list):
        return Asked(raw_call(body.instances, schema, settings, "instances", head), "predictions")
    if isinstance(body.inputs, dict):
        check_names(tuple(body.inputs), schema, "inputs")
        rows = rows_of(body.inputs, "inputs")
        return Asked(table_call(tuple(body.inputs), rows, schema, settings, head), "outputs")
    assert isinstance(body.inputs, list)
    return Asked(raw_call(body.inputs, schema, settings, "inputs", head), "predictions")
