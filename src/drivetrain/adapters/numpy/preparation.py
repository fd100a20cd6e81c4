"""From encoded rows to what a network can take: no nulls, like scales, one column per category; and back."""

from __future__ import annotations

import numpy as np

from drivetrain.core.preparation import Network, Preparation
from drivetrain.core.records import InputSchema

_SIGMAS = 10.0


def learn(schema: InputSchema, rows: np.ndarray) -> Preparation:
    """Learns scales and gaps from training rows.

    Args:
        schema: Which columns hold category codes.
        rows: The training rows, shape (n, fields).
    """
    others = {*schema.category_positions, *schema.texts}
    numbers = tuple(at for at in range(len(schema.fields)) if at not in others)
    values = rows[:, numbers]
    known = ~np.isnan(values)
    counts = np.maximum(known.sum(axis=0), 1)
    means = np.where(known, values, 0.0).sum(axis=0) / counts
    spread = np.sqrt((np.where(known, values - means, 0.0) ** 2).sum(axis=0) / counts)
    return Preparation(
        fields=len(schema.fields),
        numbers=numbers,
        means=tuple(means.tolist()),
        scales=tuple(np.where(spread > 0, spread, 1.0).tolist()),
        gaps=tuple(at for at, whole in zip(numbers, known.all(axis=0), strict=True) if not whole),
        categories=tuple((at, len(schema.fields[at].categories)) for at in schema.category_positions),
        texts=schema.texts,
        limit=_SIGMAS,
    )


def prepared(preparation: Preparation, rows: np.ndarray) -> np.ndarray:
    """Float32 inputs (n, width): scaled numbers, flags of gaps, categories one by one with null; numbers of texts."""
    rows = np.asarray(rows, dtype=np.float32)
    values = rows[:, preparation.numbers]
    means, scales = (np.array(each, dtype=np.float32) for each in (preparation.means, preparation.scales))
    scaled = (values - means) / scales
    parts = [np.clip(np.nan_to_num(scaled), -preparation.limit, preparation.limit)]
    parts.append(np.isnan(rows[:, preparation.gaps]).astype(np.float32))
    for at, count in preparation.categories:
        codes = np.nan_to_num(rows[:, at], nan=count)
        parts.append((codes[:, None] == np.arange(count + 1, dtype=np.float32)).astype(np.float32))
    parts.append(rows[:, preparation.texts])
    inputs: np.ndarray = np.concatenate(parts, axis=1, dtype=np.float32)
    return inputs


def answered(network: Network, margins: np.ndarray) -> np.ndarray:
    """Probabilities or values of margins (n, outputs): shape (n,), or (n, classes)."""
    margins = np.asarray(margins, dtype=np.float64)
    if network.link == "softmax":
        shares = np.exp(margins - margins.max(axis=1, keepdims=True))
        return np.asarray(shares / shares.sum(axis=1, keepdims=True))
    one = margins[:, 0]
    if network.link == "sigmoid":
        return np.asarray(1 / (1 + np.exp(-np.clip(one, -500, 500))))
    return np.asarray(one * network.spread + network.mean)
