"""A window's performance without its labels, weighted where inputs shifted, told with what it assumes."""

from __future__ import annotations

from typing import Literal

import msgspec
import numpy as np
import numpy.typing as npt

from drivetrain.core.clock import DAY
from drivetrain.core.records import Estimation, Measure
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.estimate.binary import estimate_binary
from drivetrain.monitor.estimate.domain import Ratio, density_ratio
from drivetrain.monitor.estimate.keeping import LEAST_ROWS, Kept
from drivetrain.monitor.estimate.loss import estimate_losses
from drivetrain.monitor.estimate.multiclass import estimate_multiclass
from drivetrain.monitor.estimate.sample import MOST_ROWS, spaced
from drivetrain.monitor.estimate.weighted import estimate_weighted

TOLD_APART = 0.6
"""ROC AUC of the domain classifier from which on the evaluation's rows are weighted like the window's."""

LEAST_EFFECTIVE = 150.0
"""Rows that the weighted ones must be worth."""

APART = 0.95
"""ROC AUC from which on hardly any of the evaluation's rows lie where the window's do, whatever their weights say."""

ASSUMES = {
    "cbpe": "Right if what the probabilities mean has not changed since the evaluation: rows alike in their inputs "
    "come true as often as they did. A change in that (concept drift) can't be seen without labels.",
    "dle": "Right if the model errs as it did on rows alike in their inputs. A change in that (concept drift) can't be "
    "seen without labels.",
}
NEVER = "not estimated: v{version} was evaluated before estimates were kept, or on fewer than {least} rows"


class Estimated(msgspec.Struct, frozen=True):
    """What a window's performance is estimated to be.

    Attributes:
        metrics: Name → estimate; the interval is where the real figure should fall.
        estimation: How.
        ratio: The evaluation's rows weighed like the window's, or none.
    """

    metrics: dict[str, Measure]
    estimation: Estimation
    ratio: Ratio | None = None


def estimate_window(
    kept: Kept | None,
    values: Floats,
    outputs: Floats,
    ats: npt.NDArray[np.int64],
    *,
    version: int = 0,
    level: float = 0.95,
) -> Estimated:
    """Estimates a window's performance.

    Args:
        kept: What was kept of the version's evaluation, if anything was.
        values: The window's encoded rows, shape (n, fields).
        outputs: What the version said to them, shape (n,), or (n, outputs).
        ats: Moment of each, microseconds UTC.
        version: Its number, to be told.
        level: Coverage of the intervals.

    Returns:
        Nothing is estimated, and why is said, where there is nothing to go by.
    """
    if kept is None:
        return _refused(NEVER.format(version=version, least=LEAST_ROWS))
    whole = np.isfinite(outputs.reshape(len(outputs), -1)).all(axis=1)
    if not whole.any():
        return _refused("not estimated: the window has no prediction that is a number")
    if values.shape[1] != len(kept.schema.fields):
        return _refused(
            f"not estimated: logged rows have {values.shape[1]} values, the version reads {len(kept.schema.fields)}"
        )
    values, said, days = values[whole], np.ascontiguousarray(outputs[whole]), ats[whole] // DAY
    ratio = weigh(kept, values, days)
    method: Literal["cbpe", "dle"] = "dle" if kept.task.kind == "regression" else "cbpe"
    told = Estimation(
        method=method,
        assumes=ASSUMES[method],
        shift=ratio.told,
        effective=ratio.effective,
    )
    if ratio.told >= TOLD_APART and too_few(ratio):
        told = msgspec.structs.replace(told, refused=unlike(ratio, len(kept.sample.labels)))
    # A model of losses is asked about the window's own inputs: it needs no weights.
    if ratio.told < TOLD_APART or too_few(ratio) or method == "dle":
        return Estimated(_plain(kept, values, said, days, level), told, ratio)
    plain = _plain(kept, values, said, days, None)
    weighted = estimate_weighted(kept, ratio.weights, said, days, level)
    return Estimated(weighted, msgspec.structs.replace(told, plain=plain), ratio)


def too_few(ratio: Ratio) -> bool:
    """Whether the evaluation has too few rows like the window's to say anything of them."""
    return ratio.effective < LEAST_EFFECTIVE or ratio.told > APART


def unlike(ratio: Ratio, rows: int) -> str:
    """That it has, in a sentence without its full stop."""
    return (
        f"the window's inputs are unlike the evaluation's: {rows:,} of its rows, weighted to be like the window's, are "
        f"worth {ratio.effective:.0f} (at least {LEAST_EFFECTIVE:.0f} are needed), and {100 * ratio.told:.0f} of 100 "
        "pairs are told apart, so that what is told rests on rows that the window is not like"
    )


def weigh(kept: Kept, values: Floats, days: npt.NDArray[np.int64]) -> Ratio:
    """Weighs the kept rows like a window's."""
    picks = spaced(len(days), MOST_ROWS)
    sample = kept.sample
    here = sample.encode(values[picks])
    return density_ratio(sample.codes, here, (sample.days, days[picks]), [each.bins for each in sample.columns])


def _plain(
    kept: Kept, values: Floats, said: Floats, days: npt.NDArray[np.int64], level: float | None
) -> dict[str, Measure]:
    """Estimates from the evaluation's rows as they are; without a level, no intervals are made of probabilities."""
    drawn = {} if level is not None else {"replicates": 0}
    level = 0.95 if level is None else level
    if kept.task.kind == "binary":
        return estimate_binary(
            kept.calibrations[0], said, days, threshold=kept.threshold, rate=kept.rate, level=level, **drawn
        )
    if kept.task.kind == "multiclass":
        return estimate_multiclass(kept.calibrations, said, days, level=level, **drawn)
    assert kept.losses is not None, "losses are kept of every evaluation of numbers"
    return estimate_losses(kept.losses, values, said, days, kept.schema, level)


def _refused(words: str) -> Estimated:
    return Estimated({}, Estimation(refused=words))
