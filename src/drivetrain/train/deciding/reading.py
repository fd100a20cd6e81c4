"""A version's answers read as its project declares: calibrated where an engine is opened, then decided on.

What opens a model calibrates it in here if an artifact says how, as :mod:`drivetrain.train.filling` fills it in; a
model without one is opened as it is, and pays nothing. Explanations stay the model's own: their margin is that of its
answer before it is calibrated.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
import numpy as np

from drivetrain.core.errors import StoreError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import Blobs, Engine
from drivetrain.core.records import Artifact, Decider
from drivetrain.core.records.deciding import Reach, Steps
from drivetrain.train.deciding.conformal import interval_of, set_of
from drivetrain.train.deciding.curves import applied, row_reader

FORMAT = "decide"
"""Format of the artifact."""

_decode = msgspec.json.Decoder(Decider).decode  # not made in a thread


class Read(NamedTuple):
    """What follows from one answer; none of what is not declared."""

    decision: bool | None = None
    interval: tuple[float, float] | None = None
    classes: list[str] | None = None


class DecidingEngine:
    """A model whose answers are calibrated, with what follows from them.

    Args:
        engine: The model itself, filled in where its schema says so.
        decider: How its answers are read.
    """

    def __init__(self, engine: Engine, decider: Decider) -> None:
        self.own = engine
        """The model as it answers before it is calibrated."""
        self.threshold = decider.threshold
        self.reach: Reach | None = decider.reach
        self._calibration = decider.calibration
        self._row = engine.predict_row
        self._calibrated = None if decider.calibration is None else row_reader(decider.calibration)

    def predict(self, rows: Matrix) -> Matrix:
        """As :meth:`Engine.predict`."""
        said = self.own.predict(rows)
        return said if self._calibration is None else applied(self._calibration, np.asarray(said, np.float64))

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """As :meth:`Engine.predict_row`."""
        return self._row(row) if self._calibrated is None else self._calibrated(self._row(row))

    def explain(self, rows: Matrix) -> Matrix | None:
        """As :meth:`Engine.explain`, of the model itself."""
        return self.own.explain(rows)

    @property
    def calibrates(self) -> bool:
        """Whether it answers otherwise than the model itself."""
        return self._calibrated is not None

    @property
    def decides(self) -> bool:
        """Whether anything follows from an answer."""
        return self.threshold is not None or self.reach is not None

    def read(self, said: float | list[float]) -> Read:
        """What follows from an answer, as it is served."""
        return follows(said, self.threshold, self.reach)


def follows(said: float | list[float], threshold: float | None, reach: Reach | None) -> Read:
    """What follows from an answer.

    Example:
        >>> follows(0.4, 0.3, None)
        Read(decision=True, interval=None, classes=None)
    """
    decision = None if threshold is None or isinstance(said, list) else said >= threshold
    if reach is None:
        return Read(decision)
    if reach.method == "set":
        return Read(decision, None, set_of(reach, said))
    return Read(decision, interval_of(reach, said))


def own(engine: Engine) -> Engine:
    """The model as it answers before it is calibrated."""
    return engine.own if isinstance(engine, DecidingEngine) else engine


def keep_decider(blobs: Blobs, decider: Decider) -> Artifact:
    """Keeps how answers are read, as an artifact beside the model's."""
    data = msgspec.json.encode(decider)
    return Artifact(name="decide.json", format=FORMAT, digest=blobs.put(data), size=len(data))


def load_decider(blobs: Blobs, artifacts: Sequence[Artifact]) -> Decider | None:
    """How answers are read, if that is among a version's artifacts.

    Raises:
        CorruptBlob: Its bytes do not match its digest.
        StoreError: It is not there, or can't be read.
    """
    artifact = next((each for each in artifacts if each.format == FORMAT), None)
    return None if artifact is None else decider_of(blobs.get(artifact.digest))


def decider_of(data: bytes) -> Decider:
    """How answers are read, from an artifact's bytes.

    Raises:
        StoreError: They are something else, or curves without an end.
    """
    try:
        found = _decode(data)
    except msgspec.MsgspecError as error:
        raise StoreError(f"how answers are read can't be read: {error}", do="Train the version again") from None
    curves = () if found.calibration is None else found.calibration.curves
    bent = [curve for curve in curves if isinstance(curve, Steps) and not 0 < len(curve.at) == len(curve.says)]
    reach = found.reach
    if bent or (reach is not None and len(reach.floors) != len(reach.classes)):
        raise StoreError("how answers are read is cut short", do="Train the version again")
    return found
