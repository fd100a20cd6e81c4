"""Rows rebuilt from a few principal components of the reference: where that goes worse, features hang together anew."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import numpy as np
import polars as pl

from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.joint.folds import JointDifference, Rows, rows_of
from drivetrain.monitor.statistics.area import FOLDS, dealt_sides
from drivetrain.monitor.statistics.permutation import place

_KEPT = 0.65
"""Share of the variance that components keep."""
_FAR = 5.0


class _Rebuilt(NamedTuple):
    errors: Floats
    """Of each row, over all features."""
    squares: Floats
    """Of each row and feature."""


def rebuild(
    reference: pl.DataFrame,
    window: pl.DataFrame,
    *,
    features: Sequence[str] = (),
    time: str | None = None,
    block: str | None = None,
    false_alarm: float = 0.05,
    effect: float = 0.05,
    seed: int = 0,
) -> JointDifference:
    """Holds the error of rebuilding the window's rows against that of reference rows the components never saw.

    Numbers are centred and scaled by the reference, nulls are its middle, categories their share of it. Components of
    part of the reference rebuild rows of both sides in other blocks.

    Source: the data reconstruction of NannyML; for components, Jolliffe, "Principal component analysis" (2002).

    Args:
        reference: Rows of before.
        window: Rows of now.
        features: Look only at these columns; two at least.
        time: Column with each row's moment; without, rows are taken to be independent.
        block: How long a block is; by default as long as neighbours resemble each other.
        false_alarm: Probability of drift being said where nothing changed.
        effect: Change of the mean error, as a share of it, from which on it is worth a word.
        seed: Where the lots come from.

    Raises:
        UsageError: A side has no rows, columns don't fit together, or there are too few blocks.
    """
    rows = rows_of(reference, window, features, time, block, seed)
    rebuilt = _rebuilt(rows, _scaled(rows))
    changes = _changes(rows, rebuilt.errors, np.random.default_rng(seed))
    value, p_value = float(changes[0]), place(abs(float(changes[0])), np.abs(changes[1:]))
    moved = np.abs(rebuilt.squares[rows.is_window].mean(axis=0) - rebuilt.squares[~rows.is_window].mean(axis=0))
    shares = moved / max(float(moved.sum()), 1e-300)
    return JointDifference(
        method="reconstruction",
        value=value,
        effect=effect,
        p_value=p_value,
        drifted=p_value <= false_alarm and abs(value) >= effect,
        importance={rows.names[at]: float(shares[at]) for at in np.argsort(-shares, kind="stable")},
        null=rows.null,
    )


def _scaled(rows: Rows) -> Floats:
    """Numbers in deviations of the reference, far ones drawn in; categories as their share of it."""
    found = np.empty_like(rows.values)
    for at in range(rows.values.shape[1]):
        column = rows.values[:, at]
        if at in rows.categories:
            codes = column.astype(np.intp)
            seen = np.bincount(codes[~rows.is_window], minlength=int(codes.max()) + 1)
            column = seen[codes] / max(int(seen.sum()), 1)
        known = column[~rows.is_window & np.isfinite(column)]
        middle, spread = (float(np.median(known)), float(known.std())) if len(known) else (0.0, 0.0)
        if at not in rows.categories and len(known):
            low, high = np.quantile(known, (0.05, 0.95))
            spread = float(high - low) / 3.2897 or spread
        scaled = (column - middle) / (spread if spread > 0 else 1.0)
        found[:, at] = np.clip(np.where(np.isfinite(scaled), scaled, 0.0), -_FAR, _FAR)
    return found


def _rebuilt(rows: Rows, scaled: Floats) -> _Rebuilt:
    squares = np.empty_like(scaled)
    for fold in range(FOLDS):
        mine = rows.folds == fold
        taught = scaled[~mine & ~rows.is_window]
        middle = taught.mean(axis=0)
        centred = taught - middle
        variances, directions = np.linalg.eigh(centred.T @ centred / len(centred))
        order = np.argsort(-variances)
        kept = np.cumsum(variances[order]) / max(float(variances.sum()), 1e-300)
        # At least one component is kept, and at least one left out: else nothing could go worse.
        count = int(np.clip(np.searchsorted(kept, _KEPT) + 1, 1, max(len(order) - 1, 1)))
        components = directions[:, order[:count]]
        apart = scaled[mine] - middle
        squares[mine] = (apart - apart @ components @ components.T) ** 2
    return _Rebuilt(np.sqrt(squares.sum(axis=1)), squares)


def _changes(rows: Rows, errors: Floats, random: np.random.Generator) -> Floats:
    """By which share the mean error is greater in the window: as it is, and as dealt by lot; the mean over folds."""
    found = []
    for fold in range(FOLDS):
        mine = rows.folds == fold
        blocks = np.unique(rows.blocks[mine], return_inverse=True)[1]
        sides = dealt_sides(blocks, rows.is_window[mine], random)
        sums, many = np.bincount(blocks, errors[mine]), np.bincount(blocks).astype(np.float64)
        now = (sides @ sums) / (sides @ many)
        then = ((1 - sides) @ sums) / ((1 - sides) @ many)
        found.append(now / np.maximum(then, 1e-300) - 1)
    return np.asarray(np.mean(found, axis=0))
