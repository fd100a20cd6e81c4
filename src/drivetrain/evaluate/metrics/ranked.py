"""Metrics of rows put in order within groups: search results of a query, offers to a customer."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.evaluate.metrics.answers import Answers, check_finite, check_shape
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.metrics.over import Codes, Over, totals
from drivetrain.evaluate.ranking import Floats

DEPTHS = (1, 5, 10)
MOST_GRADE = 31
"""Largest relevance: beyond it a gain of 2^l - 1 would drown every other."""

METRICS: Sequence[Metric] = (
    Metric("mrr", "mean reciprocal rank", "greater", "share", "one over the place of the first relevant row, averaged"),
)
AT_DEPTHS: Sequence[Metric] = (
    Metric("ndcg", "NDCG", "greater", "share", "gain of the rows in front, as a share of what the best order has"),
    Metric("map", "mean average precision", "greater", "share", "precision at each relevant row in front, averaged"),
)
"""Those told at each of :data:`DEPTHS`, ``ndcg@10``."""


def figures(answers: Answers, over: Over) -> dict[str, Floats]:
    """Every metric of an order, averaged over the groups that have a relevant row; others can't be judged.

    The gain of relevance l is 2^l - 1, discounted by log2(1 + place) (Burges et al., 2005), and rows with equal scores
    share the mean discount of their places (McSherry and Najork, 2008). For ``map`` and ``mrr`` a row is relevant if
    its label is above 0, precision at depth k is averaged over as many relevant rows as k lets in, and of equal scores
    the relevant row is put last, so that no luck is taken for skill.

    Args:
        answers: Relevance (0 or more) and scores, with groups.
        over: What to sum over: a group is drawn with its first row.

    Returns:
        Name → its value under each weighting.
    """
    first, values = by_group(answers)
    among = over.among(first)
    weight = totals(among, int(first.sum()))
    return {name: among.sums(each)[:, 0] / weight for name, each in values.items()}


def judged(answers: Answers) -> int:
    """How many groups have a relevant row."""
    groups = _groups(answers)
    return len(np.unique(groups[answers.labels > 0]))


def by_group(answers: Answers) -> tuple[np.ndarray, dict[str, Floats]]:
    """Each metric of each group that has a relevant row.

    Returns:
        Which rows are the first of such a group, shape (n,); and name → its value for each of these, in their order.
    """
    groups = _groups(answers)
    _, first, code = np.unique(groups, return_index=True, return_inverse=True)
    code = code.astype(np.intp)
    many, relevant = len(first), answers.labels > 0
    known = np.bincount(code, weights=relevant, minlength=many) > 0
    order = np.lexsort((relevant, -answers.predictions, code))
    place = _places(code[order])
    ideal = np.lexsort((-answers.labels, code))
    gains = np.exp2(answers.labels) - 1.0
    found: dict[str, Floats] = {}
    for depth in DEPTHS:
        got = np.bincount(
            code[order],
            weights=gains[order] * _shared(_discount(place, depth), code[order], answers.predictions[order]),
            minlength=many,
        )
        best = np.bincount(code[ideal], weights=gains[ideal] * _discount(_places(code[ideal]), depth), minlength=many)
        found[f"ndcg@{depth}"] = np.asarray(got[known] / best[known], np.float64)
    hits = relevant[order].astype(np.float64)
    start = np.concatenate([[0.0], np.cumsum(hits)])[np.searchsorted(code[order], np.arange(many))]
    through = np.cumsum(hits) - start[code[order]]
    total = np.bincount(code, weights=relevant, minlength=many)
    for depth in DEPTHS:
        each = np.where(place < depth, hits * through / (place + 1), 0.0)
        sums = np.bincount(code[order], weights=each, minlength=many)
        found[f"map@{depth}"] = np.asarray(sums[known] / np.minimum(total[known], depth), np.float64)
    leading = np.where((hits > 0) & (through == 1), 1.0 / (place + 1), 0.0)
    found["mrr"] = np.asarray(np.bincount(code[order], weights=leading, minlength=many)[known], np.float64)
    # The values stand in the order of the codes; rows come in their own.
    rows = np.zeros(answers.rows, np.bool_)
    rows[first[known]] = True
    rank = np.argsort(first[known], kind="stable")
    return rows, {name: np.ascontiguousarray(values[rank]) for name, values in found.items()}


def check(answers: Answers, whose: str) -> None:
    """Refuses what no metric can be made from.

    Raises:
        TrainingError: There are no rows or no groups, shapes differ, a label is no relevance, or no row is relevant.
    """
    check_shape(answers, whose)
    check_finite(answers.predictions, whose, "scores")
    if answers.groups is None or len(answers.groups) != answers.rows:
        raise TrainingError(f"{whose} can't be evaluated: it does not say which rows belong together")
    odd = answers.labels[~((answers.labels >= 0) & (answers.labels <= MOST_GRADE))]
    if len(odd):
        raise TrainingError(
            f"{whose} can't be evaluated", found=f"a relevance of {odd[0]:g}", expected=f"0 to {MOST_GRADE}"
        )
    if not (answers.labels > 0).any():
        raise TrainingError(f"{whose} can't be evaluated: no row is relevant", do="Widen the test window")


def _groups(answers: Answers) -> np.ndarray:
    assert answers.groups is not None, "checked at the door"
    return answers.groups


def _places(codes: Codes) -> np.ndarray:
    """Place of each row in its group, from 0; rows of a group stand together."""
    starts = np.flatnonzero(np.append(True, codes[1:] != codes[:-1]))
    return np.arange(len(codes)) - np.repeat(starts, np.diff(np.append(starts, len(codes))))


def _discount(place: np.ndarray, depth: int) -> Floats:
    return np.where(place < depth, 1.0 / np.log2(place + 2.0), 0.0)


def _shared(discount: Floats, codes: Codes, scores: Floats) -> Floats:
    """The mean discount of the rows of a group that have one score."""
    starts = np.append(True, (codes[1:] != codes[:-1]) | (scores[1:] != scores[:-1]))
    run = np.cumsum(starts) - 1
    return np.asarray((np.bincount(run, weights=discount) / np.bincount(run))[run], np.float64)
