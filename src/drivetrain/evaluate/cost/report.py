"""A run's record and the clock, put together."""

from __future__ import annotations

from msgspec.structs import replace

from drivetrain.core.records import Cost, Run
from drivetrain.evaluate.cost.timing import Timing

_BESIDE = ("reference", "background")
"""Formats of artifacts that go with a model, and are not what serves it."""


def cost_of(run: Run, timing: Timing | None = None, *, of: str = "") -> Cost:
    """What a run's model costs.

    Args:
        run: How it was made; one that was logged from elsewhere does not say how long training took.
        timing: How fast it answers; none where it was not asked.
        of: Whose it is, where it stands beside another: ``champion v3``.
    """
    ours = run.tracked is None and run.seconds > 0
    chosen = run.packaging.chosen if run.packaging else None
    models = [artifact for artifact in run.artifacts if artifact.format not in _BESIDE]
    cost = Cost(
        of=of,
        train_seconds=run.seconds if ours else None,
        train_cpu_seconds=run.cpu_seconds if ours else None,
        peak_memory=run.peak_memory,
        trials=len(run.trials),
        engine=chosen.engine if chosen else models[0].format if models else "",
        size=models[0].size if models else 0,
        kept=sum(artifact.size for artifact in run.artifacts),
    )
    if timing is None:
        return cost
    return replace(
        cost,
        row_p50_us=timing.p50_us,
        row_p99_us=timing.p99_us,
        rows_timed=timing.rows,
        batch=timing.batch,
        rows_per_second=timing.rows_per_second,
    )
