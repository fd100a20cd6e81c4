"""Scoring requests as MLflow's server and SageMaker's containers take them, in JSON or CSV.

Sources: https://mlflow.org/docs/latest/ml/deployment/deploy-model-locally and
https://docs.aws.amazon.com/sagemaker/latest/dg/your-algorithms-inference-code.html
"""

from __future__ import annotations

import time
from typing import Any

import msgspec

from drivetrain.core.errors import RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.admission import unreadable
from drivetrain.serve.call import Call
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.protocols.columns import check_names, rows_of
from drivetrain.serve.protocols.content import CSV_TYPE, content_type, inflated
from drivetrain.serve.protocols.csv import csv_call
from drivetrain.serve.protocols.instances import Taken, raw_call, table_call, taken
from drivetrain.serve.request import Request

_FORMS = ("dataframe_split", "dataframe_records", "instances", "inputs")


class _Split(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    columns: list[str]
    data: list[list[Any]]
    index: msgspec.Raw = msgspec.Raw()  # pandas writes it; a prediction does not depend on it


class _Body(msgspec.Struct, forbid_unknown_fields=True, gc=False):
    dataframe_split: _Split | msgspec.UnsetType = msgspec.UNSET
    dataframe_records: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    instances: list[msgspec.Raw] | msgspec.UnsetType = msgspec.UNSET
    inputs: list[msgspec.Raw] | dict[str, list[Any]] | msgspec.UnsetType = msgspec.UNSET
    params: msgspec.Raw = msgspec.Raw()  # MLflow passes these to models that take some; ours take none


_decode = msgspec.json.Decoder(_Body).decode


def invocation(request: Request, schema: InstanceSchema, settings: ServeSettings) -> Call:
    """The call of a table in CSV, or of one of MLflow's forms in JSON.

    Raises:
        RequestError: The body does not fit; the message names the field, what was found and what was expected.
    """
    head = taken(request, time.perf_counter_ns())
    kind = content_type(request)
    body = inflated(request, settings)
    if kind == CSV_TYPE:
        return csv_call(body, schema, settings, head)
    return _json_call(body, schema, settings, head)


def _json_call(body: bytes, schema: InstanceSchema, settings: ServeSettings, head: Taken) -> Call:
    try:
        asked = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise unreadable(error, '{"dataframe_records": [{…}]}') from None
    given = {form: getattr(asked, form) for form in _FORMS if getattr(asked, form) is not msgspec.UNSET}
    if len(given) != 1:
        raise RequestError(
            "the body must have exactly one form of input",
            found=" and ".join(given) or "none",
            expected=f"one of {', '.join(_FORMS)}",
        )
    ((form, content),) = given.items()
    if isinstance(content, list):
        return raw_call(content, schema, settings, form, head)
    if isinstance(content, _Split):
        check_names(content.columns, schema, "dataframe_split.columns")
        return table_call(content.columns, _even(content), schema, settings, head)
    check_names(tuple(content), schema, "inputs")
    return table_call(tuple(content), rows_of(content, "inputs"), schema, settings, head)


def _even(table: _Split) -> list[list[Any]]:
    for at, row in enumerate(table.data):
        if len(row) != len(table.columns):
            field = f"dataframe_split.data[{at}]"
            raise RequestError(
                f"{field} has another number of cells than there are columns",
                field=field,
                found=len(row),
                expected=len(table.columns),
            )
    return table.data
