"""Which rows moved most: the mean loss of every bin of every feature, corrected for how many were looked at."""

from __future__ import annotations

import math
from statistics import NormalDist

import numpy as np
import numpy.typing as npt

from drivetrain.core.records import Measure, Segment
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.sample import Codes, Sample

FEWEST = 30
_TOLD = 5


def segments_of(
    sample: Sample,
    codes: Codes,
    losses: tuple[Floats, Floats],
    days: npt.NDArray[np.int64],
    level: float = 0.95,
) -> tuple[Segment, ...]:
    """Segments whose mean loss surely rose more than chance, greatest effect on the window first.

    A segment is told where it rose by Bonferroni's measure over all that were looked at, and where it rose more than
    the rows outside it: if all rows are worse alike, none is.

    Args:
        sample: The evaluation's rows.
        codes: Bins of the window's labelled rows, shape (n, features).
        losses: Of the evaluation's rows, and of the window's.
        days: Of the window's rows.
        level: Coverage of all intervals together.
    """
    then, now = losses
    looked = [
        (at, code)
        for at, column in enumerate(sample.columns)
        for code in range(column.bins)
        if int((codes[:, at] == code).sum()) >= FEWEST and int((sample.codes[:, at] == code).sum()) >= FEWEST
    ]
    if not looked:
        return ()
    wide = NormalDist().inv_cdf(1 - (1 - level) / 2 / len(looked))
    found = []
    for at, code in looked:
        here, there = codes[:, at] == code, sample.codes[:, at] == code
        if here.all():
            continue
        rise, error = _rise(now[here], days[here], then[there], sample.days[there])
        beside, noise = _rise(now[~here], days[~here], then[~there], sample.days[~there])
        if rise - wide * error <= 0 or rise - beside - wide * math.hypot(error, noise) <= 0:
            continue
        found.append(
            Segment(
                where=sample.columns[at].words(code),
                share=float(here.mean()),
                count=int(here.sum()),
                now=float(now[here].mean()),
                then=float(then[there].mean()),
                worse=Measure(rise, rise - wide * error, rise + wide * error, int(here.sum()), level),
            )
        )
    return tuple(sorted(found, key=lambda one: -one.share * one.worse.value)[:_TOLD])


def _rise(now: Floats, days: npt.NDArray[np.int64], then: Floats, before: npt.NDArray[np.int64]) -> tuple[float, float]:
    if not len(now) or not len(then):
        return 0.0, math.inf
    return float(now.mean() - then.mean()), math.hypot(_error(now, days), _error(then, before))


def _error(losses: Floats, days: npt.NDArray[np.int64]) -> float:
    """Standard error of a mean, days drawn whole (Liang and Zeger, 1986); never less than of independent rows."""
    apart = losses - losses.mean()
    _, day = np.unique(days, return_inverse=True)
    sums = np.bincount(day, weights=apart)
    blocks = len(sums)
    clustered = float((sums**2).sum()) * blocks / max(blocks - 1, 1)
    return math.sqrt(max(clustered, float((apart**2).sum()))) / len(losses)
