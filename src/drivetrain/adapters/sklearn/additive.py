"""Linear pipelines as sums of one term a feature, so that they can be explained wherever they are served."""

from __future__ import annotations

from typing import Any, TypeAlias

import numpy as np

from drivetrain.adapters.sklearn.pipeline import answers
from drivetrain.core.additive import Additive, Term
from drivetrain.core.link import link_of
from drivetrain.core.records import InputSchema

KEPT_AS = "additive_"
"""Attribute of a pipeline that holds its terms, JSON: skops keeps it, and the graph is given it."""

_SAMPLE = 200
_EXACT = 1e-6

_Floats: TypeAlias = Any  # numpy's arrays, whose shape changes from line to line


def additive(fitted: Any, schema: InputSchema, rows: np.ndarray) -> Additive | None:  # noqa: ANN401 - sklearn has no types
    """The terms of a fitted pipeline; none where its answers are not those of a sum.

    Args:
        fitted: A pipeline as :func:`~drivetrain.adapters.sklearn.pipeline.pipeline` makes it.
        schema: Its columns.
        rows: The training rows, over which each term's mean is taken.
    """
    steps = fitted.named_steps
    if list(steps) != ["prepare", "estimate"] or not hasattr(steps["prepare"], "transformers_"):
        return None  # a pipeline of somebody's own
    estimator = steps["estimate"]
    if not hasattr(estimator, "coef_") or not hasattr(estimator, "intercept_"):
        return None
    weights = np.atleast_2d(np.asarray(estimator.coef_, dtype=np.float64))
    terms = _terms(steps["prepare"], schema, weights)
    if terms is None:
        return None
    means = [_mean(term, rows[:, at]) for at, term in enumerate(terms)]
    intercept = np.broadcast_to(np.asarray(estimator.intercept_, dtype=np.float64), len(weights))
    found = Additive(
        base=tuple((intercept + sum(means)).tolist()),
        terms=tuple(_less(term, mean) for term, mean in zip(terms, means, strict=True)),
    )
    return found if _adds_up(found, fitted, rows) else None


def _terms(prepare: Any, schema: InputSchema, weights: _Floats) -> list[Term] | None:  # noqa: ANN401 - sklearn has no types
    """Each field's term as the pipeline computes it; none where its columns are not the ones that were made here."""
    outputs = len(weights)
    none = np.zeros(outputs)
    slope, zero, null = ([none] * len(schema.fields) for _ in range(3))
    codes: list[tuple[tuple[float, ...], ...]] = [()] * len(schema.fields)
    start = 0
    for name, part, columns in prepare.transformers_:
        widths = [len(known) for known in part["one_hot"].categories_] if name == "categories" else [1] * len(columns)
        if start + sum(widths) > weights.shape[1]:
            return None
        for place, (at, width) in enumerate(zip(columns, widths, strict=True)):
            weight = weights[:, start : start + width]
            start += width
            if name == "categories":
                null[at] = weight[:, 0]
                codes[at] = tuple(tuple(column) for column in weight[:, 1:].T.tolist())
            elif name == "numbers":
                scale, impute = part["scale"], part["impute"]
                slope[at] = weight[:, 0] / scale.scale_[place]
                zero[at] = -slope[at] * scale.mean_[place]
                null[at] = zero[at] + slope[at] * impute.statistics_[place]
            else:
                null[at] = null[at] + weight[:, 0]
    if start != weights.shape[1]:
        return None
    return [Term(_plain(slope[at]), _plain(zero[at]), _plain(null[at]), codes[at]) for at in range(len(schema.fields))]


def _mean(term: Term, column: np.ndarray) -> _Floats:
    known = column[~np.isnan(column)]
    gaps = len(column) - len(known)
    total = gaps * np.array(term.null)
    if term.codes:
        total = total + np.bincount(known.astype(np.int64), minlength=len(term.codes)) @ np.array(term.codes)
    else:
        total = total + len(known) * np.array(term.zero) + known.sum() * np.array(term.slope)
    return total / len(column)


def _less(term: Term, mean: _Floats) -> Term:
    return Term(
        slope=term.slope,
        zero=_plain(np.array(term.zero) - mean),
        null=_plain(np.array(term.null) - mean),
        codes=tuple(_plain(np.array(code) - mean) for code in term.codes),
    )


def _adds_up(found: Additive, fitted: Any, rows: np.ndarray) -> bool:  # noqa: ANN401 - sklearn has no types
    picks = np.linspace(0, len(rows) - 1, min(_SAMPLE, len(rows))).astype(np.int64)
    sample = np.ascontiguousarray(rows[picks])
    margins = np.asarray(found.explain(sample.tolist())).reshape(len(sample), len(found.base), -1).sum(axis=2)
    said = answers(fitted, sample).reshape(len(sample), -1)
    return link_of(margins.tolist(), said.tolist(), _EXACT) is not None


def _plain(numbers: _Floats) -> tuple[float, ...]:
    return tuple(np.asarray(numbers, dtype=np.float64).tolist())
