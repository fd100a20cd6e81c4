"""One endpoint of MLflow's API: what it is asked, and who answers."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, get_origin

import msgspec

from drivetrain.core.errors import RequestError
from drivetrain.web.desk import Desk

_DECODERS: dict[type[msgspec.Struct], Callable[[bytes], msgspec.Struct]] = {}
"""What reads a request, made with its endpoint: two threads that make one at the same moment crash the process."""


class Nothing(msgspec.Struct):
    """A request that says nothing beyond its path."""


class Route(msgspec.Struct, frozen=True):
    """One endpoint.

    Attributes:
        method: HTTP method.
        path: Beneath ``/mlflow/``; ``{name}`` stands for one part, which becomes the field of that name.
        asks: What a request says.
        answer: The project and the request → what goes out as JSON.
    """

    method: str
    path: str
    asks: type[msgspec.Struct]
    answer: Callable[[Desk, Any], object]

    def __post_init__(self) -> None:
        _DECODERS.setdefault(self.asks, msgspec.json.Decoder(self.asks, strict=False).decode)


def asked_in(body: bytes, kind: type[msgspec.Struct], path: Mapping[str, str]) -> msgspec.Struct:
    """What a body says; numbers may be written as text, as protobuf writes large ones and NaN.

    Raises:
        RequestError: It is not JSON, or a field is missing or of the wrong type.
    """
    try:
        if path or not body:
            return _converted({**(msgspec.json.decode(body) if body else {}), **path}, kind)
        try:
            return _DECODERS[kind](body)
        except msgspec.ValidationError:  # once more without nulls: to protobuf they are fields that are not there
            return _converted(msgspec.json.decode(body), kind)
    except (msgspec.ValidationError, TypeError) as error:
        raise RequestError(f"what is asked for can't be read: {error}") from None
    except msgspec.DecodeError as error:
        raise RequestError(f"the body is not JSON: {error}") from None


def asked_of(query: Sequence[tuple[str, str]], kind: type[msgspec.Struct], path: Mapping[str, str]) -> msgspec.Struct:
    """What an address says; a field that is a list may be there several times.

    Raises:
        RequestError: A field is missing or of the wrong type.
    """
    lists = {one.encode_name for one in msgspec.structs.fields(kind) if get_origin(one.type) is list}
    found: dict[str, Any] = {}
    for name, value in query:
        plain = name.removesuffix("[]")
        if plain in lists:
            found.setdefault(plain, []).append(value)
        else:
            found[plain] = value
    try:
        return _converted({**found, **path}, kind)
    except msgspec.ValidationError as error:
        raise RequestError(f"what is asked for can't be read: {error}") from None


def _converted(said: Any, kind: type[msgspec.Struct]) -> msgspec.Struct:  # noqa: ANN401 - whatever JSON holds
    return msgspec.convert(_without_nulls(said), kind, strict=False)


def _without_nulls(said: Any) -> Any:  # noqa: ANN401 - whatever JSON holds
    if isinstance(said, dict):
        return {name: _without_nulls(value) for name, value in said.items() if value is not None}
    return [_without_nulls(one) for one in said] if isinstance(said, list) else said
