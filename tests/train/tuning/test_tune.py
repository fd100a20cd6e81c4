from __future__ import annotations

import pytest

from drivetrain.core.errors import UsageError
from drivetrain.core.hashing import digest
from drivetrain.train.tune import Tune


def test_a_search_that_asks_for_nothing_new_means_what_it_did() -> None:
    """Digests of 28 November 2026, from before there were several objectives."""
    assert digest(Tune(trials=3, rows=30_000).meaning) == "259918998170b2fb57bbcd2ea1413118"
    assert digest(Tune(metric="log_loss", seconds=2.0).meaning) == "8895221b58be652a979343ab18d2dd67"


def test_whatever_is_asked_for_is_part_of_what_it_means() -> None:
    asked = [
        Tune(),
        Tune(objectives=["roc_auc", "size"]),
        Tune(objectives=["roc_auc", "size"], within=0.02),
        Tune(objectives=["roc_auc", "size"], then="roc_auc"),
        Tune(trial_seconds=5.0),
        Tune(warm=True),
        Tune(enqueue=[{"num_leaves": 8}]),
        Tune(enqueue=[{"num_leaves": 9}]),
    ]
    assert len({digest(each.meaning) for each in asked}) == len(asked)


@pytest.mark.parametrize(
    ("given", "said"),
    [
        ({"trials": 0}, "needs a trial"),
        ({"rows": 0}, "needs rows"),
        ({"metric": "luck"}, "no such metric to tune for; found 'luck'"),
        ({"objectives": ["roc_auc", "luck"]}, "no such metric"),
        ({"objectives": ["latency", "roc_auc"]}, "the first objective is how good the model is; found latency"),
        ({"objectives": ["roc_auc", "roc_auc"]}, "named twice"),
        ({"objectives": ["roc_auc", "size"], "metric": "log_loss"}, "two metrics; found log_loss and roc_auc"),
        ({"objectives": ["roc_auc", "size"], "then": "latency"}, "names no objective; found latency"),
        ({"then": "latency"}, "names no objective"),
        ({"within": 1.0}, "share of the best"),
        ({"trial_seconds": 0}, "a trial needs time"),
    ],
)
def test_what_is_impossible_is_named_at_the_door(given: dict, said: str) -> None:
    with pytest.raises(UsageError, match=said):
        Tune(**given)


def test_what_it_is_judged_by() -> None:
    assert Tune().judged_by("mae") == ("mae",)
    several = Tune(objectives=["log_loss", "size", "roc_auc"])
    assert (several.compared, several.metrics, several.counts_next) == ("log_loss", ("log_loss", "roc_auc"), "size")
    assert Tune(objectives=["log_loss", "size"], then="log_loss").counts_next == "log_loss"
