"""A version's errors taken one by one: where they change, and their means before and since."""

from __future__ import annotations

import math
from collections.abc import Sequence

import numpy as np
import numpy.typing as npt
from msgspec.structs import replace

from drivetrain.core.clock import DAY, Micros
from drivetrain.core.records import ErrorChunk, ErrorRise, ErrorStream, Measure
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.student import t_quantile
from drivetrain.monitor.concept.detector import kept_state, resumed

RISE = 0.1
"""An error that rose by less than this share of itself is not worth a word."""

_LONGEST = 64
_FINE: Micros = 7 * DAY
"""How long chunks of one day are kept apart: a change is found within it, as a rule."""
_BACK: Micros = 14 * DAY
"""For how long errors must be as they were before a change, where the detector does not say that they fell."""
_LEAST = 30
_CHUNKS = 2_000
_DAYS = 4
"""Days from which on an interval counts what errors of a day share."""
_LEVEL = 0.95


def advance(stream: ErrorStream, errors: Floats, ats: npt.NDArray[np.int64]) -> ErrorStream:
    """The stream after further errors.

    Args:
        stream: As it was.
        errors: Between 0 and 1, shape (n,), in the order of their predictions.
        ats: Moments of those, microseconds UTC.

    Returns:
        With the change that stands, if one does: the mean error rose by a tenth or more. It stands until the mean error
        since is again what it was before, or the detector finds that it fell to that, or that of the last fortnight
        surely fell to what is not worth a word.
    """
    detector = resumed(stream.detector, stream.state)
    chunks, seen, regime, rise = list(stream.chunks), stream.seen, stream.regime, stream.rise
    for error, at in zip(errors.tolist(), ats.tolist(), strict=True):
        if chunks and _joins(chunks[-1], at):
            last = chunks[-1]
            chunks[-1] = ErrorChunk(last.at, last.count + 1, last.total + error, last.squares + error * error)
        else:
            chunks.append(ErrorChunk(at, 1, error, error * error))
        seen += 1
        if not detector.update(error):
            continue
        place = _place(chunks, detector.recent)
        start = seen - sum(one.count for one in chunks[place:])
        before, after = chunks[_place(chunks, seen - regime) : place], chunks[place:]
        rise = _rise(rise, before, after, (at, seen))
        regime = max(regime, start)
    stream = replace(stream, state=kept_state(detector), seen=seen, regime=regime, chunks=tuple(chunks), rise=rise)
    return _standing(_merged(stream))


def mean_error(chunks: Sequence[ErrorChunk]) -> Measure | None:
    """The mean of errors; its interval counts that errors of a day hang together, from four days on."""
    count = sum(one.count for one in chunks)
    if not count:
        return None
    mean = sum(one.total for one in chunks) / count
    days: dict[int, list[float]] = {}
    for one in chunks:
        day = days.setdefault(one.at // DAY, [0.0, 0.0])
        day[0] += one.total
        day[1] += one.count
    if len(days) >= _DAYS:
        apart = sum((total - mean * many) ** 2 for total, many in days.values())
        error = math.sqrt(apart * len(days) / (len(days) - 1)) / count
        reach = t_quantile(0.5 + _LEVEL / 2, len(days) - 1) * error
    elif count > 1:
        variance = max(sum(one.squares for one in chunks) - count * mean * mean, 0.0) / (count - 1)
        reach = t_quantile(0.5 + _LEVEL / 2, count - 1) * math.sqrt(variance / count)
    else:
        return Measure(mean, count=count)
    return Measure(mean, max(mean - reach, 0.0), min(mean + reach, 1.0), count, _LEVEL)


def since_change(stream: ErrorStream) -> Measure | None:
    """The mean error since the last change, of whichever way."""
    return mean_error(stream.chunks[_place(stream.chunks, stream.seen - stream.regime) :])


def _rise(
    standing: ErrorRise | None, before: Sequence[ErrorChunk], after: Sequence[ErrorChunk], found: tuple[Micros, int]
) -> ErrorRise | None:
    """The change that stands once the detector has found one."""
    was, now = mean_error(before), mean_error(after)
    if now is None:
        return standing
    if standing is not None:
        # The same change cut once more, a further one, or one back: held against what was before the first.
        return replace(
            standing, after=now, began=max(standing.began, after[0].at) if _near(standing, now) else standing.began
        )
    if was is None or now.value < was.value * (1 + RISE) or now.value <= (was.high or was.value):
        return None
    return ErrorRise(found=found[0], began=after[0].at, before=was, after=now, labels=found[1])


def _near(standing: ErrorRise, now: Measure) -> bool:
    """Whether a further cut is one of the same rise, which tells better when it began."""
    return now.value >= standing.after.value and now.count <= 2 * standing.after.count


def _standing(stream: ErrorStream) -> ErrorStream:
    """With the mean since the change as it is by now, or without the change where that is what it was before."""
    rise, now = stream.rise, since_change(stream)
    if rise is None or now is None:
        return stream
    before = rise.before
    if now.value <= (before.high or before.value) and (now.low or 0.0) <= before.value:
        return replace(stream, rise=None)
    recent = _fallen(stream, before)
    if recent:
        return replace(stream, rise=None, regime=stream.seen - recent)
    return replace(stream, rise=replace(rise, after=now))


def _fallen(stream: ErrorStream, before: Measure) -> int:
    """How many errors there were since they surely fell to what is not worth a word; 0 where they did not.

    Page and Hinkley's test and DDM tell of no fall, and a mean since the change keeps the worse days in it.
    """
    since = stream.chunks[_place(stream.chunks, stream.seen - stream.regime) :]
    fresh = max(one.at for one in since) - _BACK
    worse = mean_error([one for one in since if one.at < fresh])
    recent = mean_error([one for one in since if one.at >= fresh])
    if worse is None or worse.low is None or recent is None or recent.high is None or recent.count < _LEAST:
        return 0
    as_before = recent.value <= max(before.value * (1 + RISE), before.high or 0.0)
    return recent.count if as_before and recent.high < worse.low else 0


def _joins(last: ErrorChunk, at: Micros) -> bool:
    return last.count < _LONGEST and last.at // DAY == at // DAY and at >= last.at


def _place(chunks: Sequence[ErrorChunk], recent: int) -> int:
    """Where the chunks begin that hold the latest errors: as near to so many as whole chunks come."""
    held = 0
    for back in range(len(chunks) - 1, -1, -1):
        if held + chunks[back].count / 2 > recent:
            return back + 1
        held += chunks[back].count
    return 0


def _merged(stream: ErrorStream) -> ErrorStream:
    """With older chunks of one day as one, so that a year takes a few hundred; never across the last change."""
    if not stream.chunks:
        return stream
    fine = stream.chunks[-1].at - _FINE
    border = _place(stream.chunks, stream.seen - stream.regime)
    found: list[ErrorChunk] = []
    for place, one in enumerate(stream.chunks):
        last = found[-1] if found else None
        if last is not None and place != border and one.at < fine and last.at // DAY == one.at // DAY:
            found[-1] = ErrorChunk(last.at, last.count + one.count, last.total + one.total, last.squares + one.squares)
        else:
            found.append(one)
    return replace(stream, chunks=tuple(found[-_CHUNKS:]))
