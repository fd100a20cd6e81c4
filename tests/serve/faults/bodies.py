"""A good request of every protocol, and what may be wrong with one."""

from __future__ import annotations

import http.client
import json
import struct
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

import numpy as np

from drivetrain.core.clock import iso, now
from serve.process import Server
from serve.world import instance, timed

LENGTH = "inference-header-content-length"
_KINDS = {"flight_id": "BYTES", "carrier": "BYTES", "distance": "FP64", "seats": "INT64"}


class Asked(NamedTuple):
    """One request."""

    path: str
    body: bytes
    headers: Mapping[str, str] = {}


def _tensors(binary: bool) -> Asked:
    inputs: list[dict[str, Any]] = []
    tail = b""
    for name, kind in _KINDS.items():
        value = instance()[name]
        tensor: dict[str, Any] = {"name": name, "shape": [1], "datatype": kind}
        if binary:
            text = value.encode() if isinstance(value, str) else b""
            data = struct.pack("<I", len(text)) + text if text else np.array([value], _TYPES[kind]).tobytes()
            tail += data
            inputs.append(tensor | {"parameters": {"binary_data_size": len(data)}})
        else:
            inputs.append(tensor | {"data": [value]})
    head = json.dumps({"inputs": inputs}).encode()
    return Asked("/v2/models/plain/infer", head + tail, {LENGTH: str(len(head))} if binary else {})


_TYPES = {"FP64": "<f8", "INT64": "<i8"}


def good() -> dict[str, Asked]:
    """Requests that are answered 200, by protocol."""
    names, values = ",".join(timed()), ",".join(map(str, timed().values()))
    meant = {"x-drivetrain-endpoint": "timed"}
    event = {"flight_id": "e", "tailnum": "P", "delay": 20.0, "at": iso(now())}
    return {
        "native": Asked("/v1/endpoints/timed/predict", _json({"instances": [timed(), timed()], "request_id": "r"})),
        "feedback": Asked("/v1/endpoints/plain/feedback", _json({"feedback": [{"entity": "f1", "label": 1}]})),
        "V2": _tensors(binary=False),
        "V2 binary": _tensors(binary=True),
        "V1": Asked("/v1/models/timed:predict", _json({"instances": [timed()]})),
        "invocations": Asked(
            "/invocations", _json({"dataframe_records": [timed()]}), meant | {"content-type": "application/json"}
        ),
        "invocations CSV": Asked("/invocations", f"{names}\n{values}\n".encode(), meant | {"content-type": "text/csv"}),
        "push": Asked("/v1/features/plane/push", _json({"events": [event]})),
    }


def bad(one: Asked) -> Iterator[tuple[str, bytes]]:
    """Bodies that no protocol takes, made of one that it does."""
    whole = one.body
    yield "nothing", b""
    yield "no JSON", b"{"
    yield "half", whole[: len(whole) // 2]
    yield "half a text", b'{"instances": [{"flight_id": "f'
    yield "no UTF-8", b"\xff\xfe\x00\x80"
    yield "no UTF-8 in a text", whole.replace(b"f1", b"f\xff", 1).replace(b'"P"', b'"\xc3\x28"', 1)
    yield "no UTF-8 in a name", whole.replace(b"i", b"\xfe", 1)
    yield "a lone surrogate", b'{"instances": [{"flight_id": "\\ud800"}], "events": [{"flight_id": "\\ud800"}]}'
    for name in (b"instances", b"inputs", b"events", b"feedback", b"dataframe_records", b"parameters", b"odd"):
        yield f"deep {name.decode()}", b'{"' + name + b'": ' + b"[" * 20_000
        yield f"deep objects in {name.decode()}", b'{"' + name + b'": [' + b'{"a":' * 9_000
    for text in (b"NaN", b"Infinity", b"-Infinity", b"1e999", b"1" * 400, b"null", b'"x"', b"[]", b"{}", b"true"):
        if (changed := _with(whole, text)) != whole:
            yield f"{text[:9].decode()} as a value", changed
        yield f"{text[:9].decode()} as rows", b'{"instances": ' + text + b', "inputs": ' + text + b"}"
        yield f"{text[:9].decode()} as events", b'{"events": [' + text + b'], "feedback": [' + text + b"]}"


def _with(whole: bytes, text: bytes) -> bytes:
    """The body with every number another thing."""
    for number in (b"100.0", b"20.0", b'"label": 1', b"[5]", b": 5"):
        whole = whole.replace(number, (b'"label": ' if b"label" in number else b": " if b":" in number else b"") + text)
    return whole


def wrong_tensors() -> Iterator[tuple[str, bytes]]:
    """V2 requests of wrong types and shapes."""
    for number, name in enumerate(_KINDS):
        for change in (
            {"datatype": "?"}, {"datatype": "BOOL"}, {"datatype": 7}, {"shape": []},
            {"shape": [0]}, {"shape": [-1]}, {"shape": [2]}, {"shape": [1, 2]}, {"shape": [1, 1, 1]},
            {"shape": [2**62, 2**62]}, {"shape": [2**70]}, {"shape": "x"}, {"shape": [1.5]}, {"data": []},
            {"data": [[1], [2]]}, {"data": {}}, {"data": None}, {"name": "odd"}, {"name": 1}, {"name": ""},
            {"parameters": {"binary_data_size": 2**70}}, {"parameters": {"binary_data_size": -1}}, {"parameters": 1},
        ):  # fmt: skip
            content = json.loads(_tensors(binary=False).body)
            content["inputs"][number] |= change
            yield f"{name} {change}", _json(content)


def send(server: Server, asked: Asked) -> tuple[int, bytes]:
    """Status and body of the answer, on a connection of its own."""
    connection = server.client()
    try:
        connection.request("POST", asked.path, asked.body, dict(asked.headers))
        answer = connection.getresponse()
        return answer.status, answer.read()
    finally:
        connection.close()


def exchange(connection: http.client.HTTPConnection, asked: Asked) -> tuple[int, bytes]:
    """The same on one that is kept."""
    connection.request("POST", asked.path, asked.body, dict(asked.headers))
    answer = connection.getresponse()
    return answer.status, answer.read()


def _json(content: object) -> bytes:
    return json.dumps(content).encode()
