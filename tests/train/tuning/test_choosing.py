from __future__ import annotations

import numpy as np
import optuna
import pytest

from drivetrain.core.records.run import Trial
from drivetrain.train.tuning.choosing import best, choose, front

OBJECTIVES = ("roc_auc", "latency", "size")


def trial(number: int, auc: float | None, latency: float = 0.0, size: float = 0.0) -> Trial:
    values = {} if auc is None else {"roc_auc": auc, "latency": latency, "size": size}
    return Trial(number, {}, auc, "failed" if auc is None else "complete", 1.0, values)


TRIED = [
    trial(0, 0.700, 9.0, 4e5),
    trial(1, 0.698, 5.0, 3e5),
    trial(2, 0.697, 5.0, 2e5),
    trial(3, 0.650, 2.0, 1e5),
    trial(4, 0.640, 3.0, 2e5),
    trial(5, None),
]


def test_the_front_is_optunas() -> None:
    """Over random trials, some of equal values."""
    draw = np.random.default_rng(0)
    tried = [trial(n, *draw.integers(0, 12, 3).astype(float)) for n in range(120)]
    study = optuna.create_study(directions=["maximize", "minimize", "minimize"])
    study.add_trials([optuna.trial.create_trial(values=list(each.values.values())) for each in tried])
    assert [each.number for each in front(tried, OBJECTIVES)] == sorted(each.number for each in study.best_trials)


def test_near_the_best_the_fastest_is_taken_and_of_those_the_smallest() -> None:
    taken, on_front, because = choose(TRIED, OBJECTIVES, within=0.01, then="latency")
    assert taken.number == 2
    assert [each.number for each in on_front] == [0, 1, 2, 3]
    assert because == (
        "Of 5 trials that finished, 4 lie on the front and 3 of these within 1 % of the best roc_auc, 0.7000 of "
        "trial 1; of those, trial 3 answers fastest: roc_auc 0.6970, latency 5.0 µs, size 200 kB, against 9.0 µs of "
        "trial 1."
    )


@pytest.mark.parametrize(
    ("within", "then", "number"), [(0.0, "latency", 0), (0.01, "size", 2), (0.2, "latency", 3), (0.2, "roc_auc", 0)]
)
def test_the_rule_is_as_declared(within: float, then: str, number: int) -> None:
    assert choose(TRIED, OBJECTIVES, within=within, then=then)[0].number == number


def test_of_one_objective_the_best_is_taken_and_of_equals_the_first() -> None:
    tried = [Trial(0, {}, 0.5, "complete", 1), Trial(1, {}, 0.4, "complete", 1), Trial(2, {}, 0.4, "complete", 1)]
    assert best(tried, "log_loss").number == 1
    taken, on_front, because = choose(tried, ("log_loss",), within=0.01, then="")
    assert (taken.number, on_front) == (1, ())
    assert because == "Trial 2 had the best log_loss of 3 that finished: 0.4000."
