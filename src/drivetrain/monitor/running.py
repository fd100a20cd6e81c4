"""How an endpoint ran in a window: who had to be stood in for, and what answers cost."""

from __future__ import annotations

import polars as pl

from drivetrain.core.clock import HOUR


def failed_share(rows: pl.DataFrame, version: int) -> float:
    """Share of requests that a version should have answered and something else stood in for.

    Args:
        rows: Of the prediction log.
        version: Which version: rows it answered as champion, and those that name it as the one that failed.

    Example:
        >>> rows = pl.DataFrame({"role": ["champion"] * 4, "version": [2, 2, 1, 2], "failed": [0, 0, 2, 2]})
        >>> failed_share(rows, 2)
        0.5
    """
    if "failed" not in rows.columns:
        return 0.0
    failed = pl.col("failed") == version
    meant = rows.filter(pl.col("role") == "champion", (pl.col("version") == version) | failed)
    return meant.filter(failed).height / max(meant.height, 1)


def cost_per_1000(latency_us: pl.Series, core_hour: float | None) -> float | None:
    """What the time under way of a thousand predictions costs.

    Args:
        latency_us: How long each took, microseconds.
        core_hour: What an hour of a core costs.

    Example:
        >>> cost_per_1000(pl.Series([36_000.0, 36_000.0]), 0.05)
        0.0005
    """
    mean = latency_us.cast(pl.Float64).mean()
    if core_hour is None or not isinstance(mean, float):
        return None
    return 1000 * mean / HOUR * core_hour
