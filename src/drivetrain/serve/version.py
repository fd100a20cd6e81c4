"""A model version loaded for serving."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from math import isfinite
from operator import itemgetter
from typing import Any, TypeAlias

import numpy as np

from drivetrain.core.errors import RefusedError
from drivetrain.core.hashing import Digest
from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion
from drivetrain.features.texts import gathered
from drivetrain.serve.refusal import EngineFailed
from drivetrain.train.deciding.reading import DecidingEngine

Output: TypeAlias = float | list[float]
"""One prediction: a number, or one per class."""

_SIZES = (2, 4, 8, 16, 32, 64)
_ROUNDS = 5
NEVER = 1 << 30
_SOON = 8
_HEAVY = 1e-3
"""Seconds a request; below, refusing somebody takes about as long as answering them."""
_SLOW = 50e-6
"""Seconds a row; joining a batch costs a turn of the event loop, some 15 µs: a faster engine does not win it back."""


class LoadedVersion:
    """An engine with what turns a vector of features into its input; immutable once made, so it can be swapped.

    Args:
        record: The version.
        engine: Its model, loaded.
        names: Full names of the features in the vectors that :meth:`encode` is given, in order.
        definitions: Name → digest of the feature definitions the server holds.

    Raises:
        RefusedError: The version needs a feature, or a definition of one, that the server does not hold.
    """

    def __init__(
        self, record: ModelVersion, engine: Engine, names: Sequence[str], definitions: Mapping[str, Digest]
    ) -> None:
        self.record = record
        self.number = record.version
        """The version's number."""
        self.engine = engine
        _check(record, names, definitions)
        positions = [names.index(field.name) for field in record.input_schema.fields]
        self.decides = engine if isinstance(engine, DecidingEngine) and engine.decides else None
        """What tells what follows from an answer; none where nothing does."""
        self.encode: Callable[[Sequence[object]], list[float]] = _encoder(record, positions, len(names))
        """The model's input row from a vector of feature values; ``None`` for null."""
        self.names = record.input_schema.names
        """Names of the input's columns."""
        self.batch_from, alone = _measured(engine, len(positions))
        """Rows from which one call for all of them is faster than one call each."""
        self.gathers = self.batch_from <= _SOON and alone >= _SLOW
        """Whether a request does better to join others than to be answered alone at once."""
        self._alone = alone

    def heavy(self, rows: int) -> bool:
        """Whether answering so many rows takes so long that others should be heard, and refused, meanwhile."""
        return rows * self._alone >= _HEAVY

    def predict(self, rows: list[list[float]]) -> list[Output]:
        """Predictions for input rows, in order.

        Raises:
            EngineFailed: The model raised, or gave something that is no number.
        """
        try:
            if len(rows) == 1:
                outputs = [self.engine.predict_row(rows[0])]
            elif len(rows) < self.batch_from:
                outputs = list(map(self.engine.predict_row, rows))
            else:
                outputs = np.asarray(self.engine.predict(gathered(rows))).tolist()
        except Exception as error:  # an engine is foreign code: whatever it raises, the server stays up
            raise EngineFailed(f"{self.record.key} failed: {error}", do="Ask whoever owns the model") from error
        for output in outputs:
            if not (isfinite(output) if isinstance(output, float) else all(map(isfinite, output))):
                raise EngineFailed(f"{self.record.key} gave something that is no number", found=repr(output))
        return outputs


def _encoder(record: ModelVersion, positions: Sequence[int], width: int) -> Callable[[Sequence[object]], list[float]]:
    """What picks a version's features out of vectors of so many, and makes numbers of them."""
    encode = record.input_schema.encoder().encode
    if list(positions) == list(range(width)):
        return encode
    if len(positions) < 2:
        return lambda vector: encode([vector[at] for at in positions])
    pick = itemgetter(*positions)
    return lambda vector: encode(pick(vector))


def _check(record: ModelVersion, names: Sequence[str], definitions: Mapping[str, Digest]) -> None:
    for name, digest in record.features.items():
        if definitions.get(name) != digest:
            raise RefusedError(
                f"{record.key} was trained with another definition of {name}",
                found=definitions.get(name, "none"),
                expected=digest,
                do="Restart the server if the project changed, or train again",
            )
    lacking = [field.name for field in record.input_schema.fields if field.name not in names]
    if lacking:
        raise RefusedError(
            f"{record.key} needs features the endpoint does not compute",
            found=", ".join(lacking),
            expected=f"some of {', '.join(names)}",
        )


def _measured(engine: Engine, width: int) -> tuple[int, float]:
    """Warms the engine up: from how many rows a batch is faster, and what one row takes alone, in seconds.

    The largest batch comes first, so that what a library sets up at its first calls is there before anything is timed,
    and before the first request. An engine that fails on neutral input is left to fail, or not, on real input.
    """
    row = [0.0] * width
    try:
        engine.predict(np.zeros((_SIZES[-1], width)))
        alone = _fastest(lambda: engine.predict_row(row))
        for size in _SIZES:
            rows = np.zeros((size, width))
            if _fastest(lambda rows=rows: engine.predict(rows)) < size * alone:  # type: ignore[misc]
                return size, alone
    except Exception:  # noqa: BLE001 - foreign code; what it does on real rows is what counts
        return NEVER, 0.0
    return NEVER, alone


def _fastest(call: Callable[[], Any]) -> float:
    times = []
    for _ in range(_ROUNDS):
        started = time.perf_counter()
        call()
        times.append(time.perf_counter() - started)
    return min(times)
