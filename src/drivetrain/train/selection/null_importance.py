"""Importance beside what chance gives: A. Altmann et al., "Permutation importance", Bioinformatics 26 (2010).

Labels are dealt out anew among the rows (of a ranking, within its groups), a model is fitted to each deal, and a
feature is held against what it was worth then. Importance is the share of a model's gain times the share of the loss
that the model spares on the rows it learned from: so a weak feature beside a strong one is not weaker than chance.

A feature's worth is told in standard deviations above its mean among the other deals, and held against the largest such
excess of *any* feature in each deal: the maximum of Westfall and Young (1993), which bounds the chance that a feature
without a say is kept, however many there are and however they hang together. Real labels are treated as one more deal,
so that where no feature has a say all deals are alike, and the bound is exact.
"""

from __future__ import annotations

import numpy as np
from msgspec.structs import replace

from drivetrain.core.protocols import FitTask


def dealt(task: FitTask, seed: int, deal: int) -> FitTask:
    """The task with its labels dealt out anew; deal 0 is the task itself."""
    if deal == 0:
        return task
    random = np.random.default_rng([seed, deal])
    labels = np.asarray(task.labels)
    if task.groups is None:
        return replace(task, labels=np.ascontiguousarray(labels[random.permutation(len(labels))]))
    order = np.lexsort((random.random(len(labels)), task.groups))
    places = np.argsort(task.groups, kind="stable")
    mixed = np.empty_like(labels)
    mixed[places] = labels[order]
    return replace(task, labels=mixed)


def excess(deals: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """How far each feature stands out among real labels, and how often chance puts some feature as far out.

    Args:
        deals: Importance by deal and feature, shape (deals, features); the first deal is the real labels'.

    Returns:
        Standard deviations above its mean in the other deals, and the share of deals (the real one among them) whose
        farthest feature is as far out; both of shape (features,).
    """
    many = len(deals)
    others = (deals.sum(axis=0) - deals) / (many - 1)
    spread = ((deals**2).sum(axis=0) - deals**2) / (many - 1) - others**2
    # Features that few deals used at all have next to no spread of their own: that of the usual one is added.
    usual = float(np.median(deals.var(axis=0)))
    tiny = 1e-12 * max(float(deals.max()), 1e-300)
    out = (deals - others) / np.sqrt(np.maximum(spread, 0.0) + usual + tiny**2)
    farthest = out[1:].max(axis=1)
    chance = (1 + (farthest[:, None] >= out[0]).sum(axis=0)) / many
    return out[0], chance
