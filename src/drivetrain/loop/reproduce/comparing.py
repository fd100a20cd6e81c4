"""Two runs held against each other: first their bytes, then, where these differ, their answers."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import numpy as np
import polars as pl

from drivetrain.core.records import Artifact, Run
from drivetrain.loop.reproduce.said import Part
from drivetrain.store.bundle import Store
from drivetrain.train.predict import predict_run

ROWS = 5_000
"""Rows that answers are compared on at most, evenly spaced."""


def parts_of(then: Run, now: Run) -> Iterator[Part]:
    """Schema, what was learned before the fit, parameters, trials and artifacts, one by one."""
    yield _part("input schema", then.input_schema, now.input_schema, _fields(then), _fields(now))
    if then.selection or now.selection:
        yield _part("features kept", then.selection, now.selection, _chosen(then), _chosen(now))
    was, is_ = ((run.imputations, run.encodings, run.weighing) for run in (then, now))
    yield _part("fills and weights", was, is_, "", "")
    yield _part("parameters", then.parameters, now.parameters, _told(then.parameters), _told(now.parameters))
    if then.trials or now.trials:
        tried = [[(one.number, one.parameters, one.value) for one in run.trials] for run in (then, now)]
        yield _part("trials", tried[0], tried[1], f"{len(tried[0])} trials", f"{len(tried[1])} trials")
    yield from artifact_parts("artifact", then.artifacts, now.artifacts)
    for name, artifacts in then.baselines.items():
        yield from artifact_parts(f"baseline {name},", artifacts, now.baselines.get(name, ()))


def artifact_parts(what: str, then: Iterable[Artifact], now: Iterable[Artifact]) -> Iterator[Part]:
    """Artifacts by file name; which is served first hangs on how fast each was, and does not count."""
    was, is_ = ({artifact.name: artifact for artifact in artifacts} for artifacts in (then, now))
    for name in dict.fromkeys((*was, *is_)):
        digests = [one[name].digest if name in one else "not there" for one in (was, is_)]
        yield Part(name=f"{what} {name}", equal=digests[0] == digests[1], then=digests[0], now=digests[1])


def furthest(then: tuple[Store, Run], now: tuple[Store, Run], rows: pl.DataFrame) -> tuple[float, float, int]:
    """How far two runs' answers to the same rows lie apart at most, how large they are at most, and on how many rows.

    Raises:
        DrivetrainError: One of them can't be asked.
    """
    places = np.unique(np.linspace(0, rows.height - 1, min(ROWS, rows.height)).astype(np.int64))
    some = rows[places]
    said = [np.asarray(predict_run(store, run, some), dtype=np.float64) for store, run in (then, now)]
    if said[0].shape != said[1].shape:
        return float("inf"), 1.0, some.height
    return (
        float(np.max(np.abs(said[0] - said[1]), initial=0.0)),
        float(np.max(np.abs(said[0]), initial=0.0)),
        some.height,
    )


def _part(name: str, then: object, now: object, was: str, is_: str) -> Part:
    return Part(name=name, equal=then == now, then=was, now=is_)


def _fields(run: Run) -> str:
    return f"{len(run.input_schema.fields)} columns" if run.input_schema else "none"


def _chosen(run: Run) -> str:
    return run.selection.summary if run.selection else "none left out"


def _told(parameters: dict[str, object] | dict[str, str | int | float | bool | None]) -> str:
    return ", ".join(f"{name}={value}" for name, value in parameters.items())
