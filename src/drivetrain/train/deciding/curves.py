"""Curves that take a probability to the share that came true: how they are learned, and how they are read.

A row of its own is read in plain Python, a batch in numpy, by the same arithmetic.
"""

from __future__ import annotations

import math
from bisect import bisect_right
from collections.abc import Callable, Sequence

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.core.records.deciding import Calibration, CalibrationMethod, Curve, Sigmoid, Steps

_EDGE = 1e-15
_SURE = -700.0
"""Log-odds at or below which a probability is 0: beyond it exp would overflow."""
_ROUNDS = 100
_CLOSE = 1e-12


def learn_curve(method: CalibrationMethod, said: np.ndarray, came: np.ndarray) -> Curve:
    """A curve for one outcome.

    Args:
        method: ``sigmoid`` or ``isotonic``.
        said: Probabilities, shape (n,).
        came: 0 or 1, shape (n,).

    Raises:
        TrainingError: The more probable it was said to be, the rarer it was.
    """
    return sigmoid(said, came) if method == "sigmoid" else isotonic(said, came)


def sigmoid(said: np.ndarray, came: np.ndarray) -> Sigmoid:
    """Platt's scaling of log-odds: two numbers, by Newton's steps, towards his targets that keep off 0 and 1.

    Example:
        >>> found = sigmoid(np.array([0.1, 0.1, 0.9, 0.9]), np.array([0.0, 1.0, 0.0, 1.0]))
        >>> abs(round(found.slope, 6))
        0.0
    """
    odds = _log_odds(said)
    yes = float(came.sum())
    target = np.where(came > 0, (yes + 1) / (yes + 2), 1 / (len(came) - yes + 2))
    design = np.column_stack([odds, np.ones(len(odds))])
    at = np.array([0.0, math.log((yes + 1) / (len(came) - yes + 1))])
    loss = _cross_entropy(design @ at, target)
    for _ in range(_ROUNDS):
        share = _logistic(design @ at)
        slope = design.T @ (share - target)
        bend = (design * (share * (1 - share))[:, None]).T @ design + 1e-12 * np.eye(2)
        step = np.linalg.solve(bend, slope)
        much = 1.0
        while (tried := _cross_entropy(design @ (at - much * step), target)) > loss + 1e-15 and much > 1e-10:
            much /= 2
        at = at - much * step
        if abs(loss - tried) < _CLOSE * (1 + abs(loss)):
            break
        loss = tried
    return Sigmoid(float(at[0]), float(at[1]))


def isotonic(said: np.ndarray, came: np.ndarray) -> Steps:
    """The never-falling curve with the least squares, by pooling adjacent violators (Zadrozny and Elkan, 2002).

    Its ends stay 1 / (n + 1) away from 0 and 1: n rows can't make anybody surer than that.

    Example:
        >>> isotonic(np.array([0.1, 0.2, 0.3, 0.4]), np.array([0.0, 1.0, 0.0, 1.0])).says
        (0.2, 0.5, 0.5, 0.8)
    """
    at, of = np.unique(said, return_inverse=True)
    rows = np.bincount(of).astype(np.float64)
    hits = np.bincount(of, weights=came)
    pools: list[list[float]] = []  # rows, hits, first, last
    for place, (many, hit) in enumerate(zip(rows.tolist(), hits.tolist(), strict=True)):
        pool = [many, hit, place, place]
        while pools and pools[-1][1] * pool[0] >= pool[1] * pools[-1][0]:
            before = pools.pop()
            pool = [before[0] + pool[0], before[1] + pool[1], before[2], pool[3]]
        pools.append(pool)
    edge = 1.0 / (len(said) + 1)
    points: list[tuple[float, float]] = []
    for many, hit, first, last in pools:
        share = min(max(hit / many, edge), 1 - edge)
        points += [(float(at[int(place)]), share) for place in dict.fromkeys((first, last))]
    return Steps(tuple(where for where, _ in points), tuple(share for _, share in points))


def temperature(said: np.ndarray, labels: np.ndarray) -> float:
    """What log-probabilities are multiplied by, so that the log loss is least: one number for all classes.

    Args:
        said: Probabilities, shape (n, classes).
        labels: Positions of classes, shape (n,).
    """
    logs = np.log(np.clip(said, _EDGE, 1.0))
    own = logs[np.arange(len(labels)), labels.astype(np.intp)]

    def slope(inverse: float) -> float:
        """Of the log loss, which is convex."""
        scaled = inverse * logs
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        shares /= shares.sum(axis=1, keepdims=True)
        return float(((shares * logs).sum(axis=1) - own).mean())

    low, high = 1e-3, 1e3
    for _ in range(200):
        middle = math.sqrt(low * high)
        low, high = (low, middle) if slope(middle) > 0 else (middle, high)
    return math.sqrt(low * high)


def learn(method: CalibrationMethod, said: np.ndarray, labels: np.ndarray) -> Calibration:
    """A calibration of a yes or no, or of classes.

    Args:
        method: ``temperature`` is for classes.
        said: Probabilities, shape (n,) or (n, classes).
        labels: 0 or 1, or positions of classes, shape (n,).

    Raises:
        TrainingError: The more probable an outcome was said to be, the rarer it was.
    """
    if method == "temperature":
        return Calibration(method=method, inverse=temperature(said, labels))
    each = [(said, labels)] if said.ndim == 1 else [(column, labels == at) for at, column in enumerate(said.T)]
    curves = tuple(learn_curve(method, column, came.astype(np.float64)) for column, came in each)
    if said.ndim == 1 and isinstance(curves[0], Sigmoid) and curves[0].slope <= 0:
        raise TrainingError(
            "answers can't be calibrated: what was said to be likelier came true more rarely",
            found=f"a slope of {curves[0].slope:.3g} in log-odds", expected="one above zero",
            do="Look at the model: on rows it had not seen it tells nothing, or the opposite",
        )  # fmt: skip
    return Calibration(method=method, curves=curves)


def applied(calibration: Calibration, said: np.ndarray) -> np.ndarray:
    """Calibrated probabilities of a batch, of the shape that they came in."""
    if calibration.method == "temperature":
        scaled = calibration.inverse * np.log(np.clip(said, _EDGE, 1.0))
        shares = np.exp(scaled - scaled.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True), np.float64)
    if said.ndim == 1:
        return _read(calibration.curves[0], said)
    read = np.column_stack([_read(curve, column) for curve, column in zip(calibration.curves, said.T, strict=True)])
    whole = read.sum(axis=1, keepdims=True)
    even = np.full_like(read, 1.0 / read.shape[1])
    return np.asarray(np.divide(read, whole, out=even, where=whole > 0), np.float64)


def row_reader(calibration: Calibration) -> Callable[[float | list[float]], float | list[float]]:
    """What calibrates the answer to one row."""
    if calibration.method == "temperature":
        inverse = calibration.inverse

        def cooled(said: float | list[float]) -> list[float]:
            logs = [inverse * math.log(min(max(one, _EDGE), 1.0)) for one in _several(said)]
            top = max(logs)
            return _shares([math.exp(one - top) for one in logs])

        return cooled
    readers = [_reader(curve) for curve in calibration.curves]

    def curved(said: float | list[float]) -> float | list[float]:
        if isinstance(said, list):
            return _shares([read(one) for read, one in zip(readers, said, strict=True)])
        return readers[0](said)

    return curved


def _several(said: float | list[float]) -> Sequence[float]:
    return said if isinstance(said, list) else [said]


def _shares(parts: list[float]) -> list[float]:
    whole = sum(parts)
    return [part / whole for part in parts] if whole > 0 else [1.0 / len(parts)] * len(parts)


def _reader(curve: Curve) -> Callable[[float], float]:
    if isinstance(curve, Sigmoid):
        slope, intercept = curve.slope, curve.intercept

        def platt(said: float) -> float:
            sure = min(max(said, _EDGE), 1.0 - _EDGE)
            power = slope * (math.log(sure) - math.log1p(-sure)) + intercept
            return 1.0 / (1.0 + math.exp(-power)) if power > _SURE else 0.0

        return platt
    at, says = curve.at, curve.says
    last = len(at) - 1

    def stepped(said: float) -> float:
        place = bisect_right(at, said) - 1
        if place < 0:
            return says[0]
        if place >= last:
            return says[last]
        return says[place] + (said - at[place]) / (at[place + 1] - at[place]) * (says[place + 1] - says[place])

    return stepped


def _read(curve: Curve, said: np.ndarray) -> np.ndarray:
    if isinstance(curve, Sigmoid):
        return _logistic(curve.slope * _log_odds(said) + curve.intercept)
    at, says = np.array(curve.at), np.array(curve.says)
    if len(at) == 1:
        return np.full(len(said), says[0])
    place = np.clip(np.searchsorted(at, said, side="right") - 1, 0, len(at) - 2)
    inside = np.clip(said, at[0], at[-1])
    between = says[place] + (inside - at[place]) / (at[place + 1] - at[place]) * (says[place + 1] - says[place])
    return np.asarray(np.where(said <= at[0], says[0], np.where(said >= at[-1], says[-1], between)), np.float64)


def _log_odds(said: np.ndarray) -> np.ndarray:
    sure = np.clip(said, _EDGE, 1 - _EDGE)
    return np.asarray(np.log(sure) - np.log1p(-sure), np.float64)


def _logistic(power: np.ndarray) -> np.ndarray:
    likely = 1.0 / (1.0 + np.exp(-np.maximum(power, _SURE)))
    return np.asarray(np.where(power > _SURE, likely, 0.0), np.float64)


def _cross_entropy(power: np.ndarray, target: np.ndarray) -> float:
    return float(np.mean(np.logaddexp(0.0, power) - target * power))
