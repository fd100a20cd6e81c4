"""What follows from the answers to a file's rows, as columns beside them."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.features.exact import Floats
from drivetrain.train.deciding.conformal import intervals, members
from drivetrain.train.deciding.reading import DecidingEngine

DECISION, LOW, HIGH, SET = "decision", "prediction_low", "prediction_high", "prediction_set"


def read_schema(deciding: DecidingEngine | None) -> dict[str, pl.DataType]:
    """The columns that :func:`read_columns` makes, with their types; none of an engine that only predicts."""
    if deciding is None:
        return {}
    made: dict[str, pl.DataType] = {} if deciding.threshold is None else {DECISION: pl.Boolean()}
    if deciding.reach is None:
        return made
    ends: dict[str, pl.DataType] = {LOW: pl.Float64(), HIGH: pl.Float64()}
    return made | ({SET: pl.List(pl.String)} if deciding.reach.method == "set" else ends)


def read_columns(deciding: DecidingEngine, outputs: Floats) -> list[pl.Series]:
    """Whether to act, the interval's ends, or the names of the classes in the set; what is declared of it.

    Args:
        deciding: The version's engine.
        outputs: Its answers, as they are served.
    """
    made = []
    if deciding.threshold is not None:
        made.append(pl.Series(DECISION, outputs >= deciding.threshold))
    reach = deciding.reach
    if reach is not None and reach.method == "set":
        names = np.array(reach.classes, dtype=object)
        held = [names[inside].tolist() for inside in members(reach, outputs)]
        made.append(pl.Series(SET, held, dtype=pl.List(pl.String)))
    elif reach is not None:
        made += [pl.Series(name, ends) for name, ends in zip((LOW, HIGH), intervals(reach, outputs).T, strict=True)]
    return made
