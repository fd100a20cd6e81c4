"""How good two versions are: as each was judged, and both on the same rows."""

from __future__ import annotations

import numpy as np

from drivetrain.core.clock import iso
from drivetrain.core.records import Evaluation
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.measures import comparisons, measures, resample
from drivetrain.features.exact import Floats
from drivetrain.features.label import AT, LABEL
from drivetrain.loop.diff.rows import Shared
from drivetrain.loop.diff.said import MetricDifference, Metrics

_BOOTSTRAP = Bootstrap()


def metrics_of(
    evaluations: tuple[Evaluation | None, Evaluation | None], shared: Shared, said: tuple[Floats, Floats] | None
) -> Metrics:
    """Every metric, as judged and on the same rows.

    Args:
        evaluations: Of both, as far as there are any.
        shared: Rows that both were asked about.
        said: What they answered; none where they could not be asked.
    """
    judged = [evaluation.metrics if evaluation else {} for evaluation in evaluations]
    note = shared.note if said is None or shared.of != "unseen" else _unfit(shared, said)
    if said is None or note:
        return Metrics(metrics=_told(judged, {}, {}), note=note or "They could not be asked about the same rows.")
    known = shared.after[LABEL].is_not_null().to_numpy()
    truth = shared.after[LABEL].to_numpy()[known].astype(np.float64)
    moments = shared.after[AT].dt.epoch("us").to_numpy()[known]
    resamples = draw(moments, _BOOTSTRAP)
    theirs, ours = (resample(truth, np.ascontiguousarray(one[known]), resamples) for one in said)
    paired = {gap.metric: gap.difference for gap in comparisons(ours, theirs, "before", _BOOTSTRAP.level)}
    same = [measures(one, _BOOTSTRAP.level) for one in (theirs, ours)]
    both = {name: (same[0][name], same[1][name]) for name in same[0] if name in same[1]}
    return Metrics(
        metrics=_told(judged, paired, both),
        rows=len(truth),
        window=(iso(int(moments.min())), iso(int(moments.max()))),
    )


def _told(judged: list[dict], paired: dict, both: dict) -> tuple[MetricDifference, ...]:  # type: ignore[type-arg]
    names = dict.fromkeys((*judged[0], *judged[1], *both))
    return tuple(
        MetricDifference(
            metric=name,
            before=judged[0].get(name),
            after=judged[1].get(name),
            paired=paired.get(name),
            on_same=both.get(name),
        )
        for name in names
    )


def _unfit(shared: Shared, said: tuple[Floats, Floats]) -> str:
    """Why answers can't be measured on the same rows; empty where they can."""
    known = shared.after[LABEL].drop_nulls()
    if shared.before[LABEL].drop_nulls().len() and not shared.before[LABEL].equals(shared.after[LABEL]):
        return "The label of the same rows is another: what they were trained to tell differs."
    if any(one.ndim > 1 for one in said) or not known.is_in([0.0, 1.0]).all():
        return "Metrics are paired for yes-or-no labels only."
    if known.n_unique() < 2:
        return f"All {known.len():,} rows that both can be asked about have one label."
    return ""
