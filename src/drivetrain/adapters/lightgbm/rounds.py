"""Boosting round by round: reported, stopped in time, and gone on with where it was killed.

Trees go on from LightGBM's own text bit for bit: it holds every leaf to the last bit, and the scores that it gives are
the sums that boosting had come to. What it does not hold is how far the random numbers have come. Of those that choose
each tree's columns that is known: a linear congruential generator, of which a tree takes a fixed count of numbers. So a
fit that goes on is given the state that the generator had, as its seed. Bagging, and whatever else has a state of its
own, can't be taken up so: a fit with parameters other than those of ``_STATELESS`` leaves nothing, and begins again,
to the same result.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.lightgbm.parameters import DRAWING
from drivetrain.core import plugins
from drivetrain.core.patience import best_round
from drivetrain.core.protocols import FitTask

_STATELESS = frozenset(
    {
        "objective", "num_class", "learning_rate", "num_leaves", "max_depth", "min_data_in_leaf", "feature_fraction",
        "min_sum_hessian_in_leaf", "lambda_l1", "lambda_l2", "min_gain_to_split", "max_bin", "max_delta_step",
        "cat_smooth", "cat_l2", "max_cat_threshold", "max_cat_to_onehot", "min_data_per_group", "path_smooth",
        "boost_from_average", "is_unbalance", "scale_pos_weight", "sigmoid", "alpha", "fair_c",
        "tweedie_variance_power", "eval_at", "lambdarank_truncation_level", "lambdarank_norm",
        "metric", "num_threads", "seed", "deterministic", "force_row_wise", "verbosity",
    }
)  # fmt: skip

_FACTOR, _STEP, _MODULUS = 214_013, 2_531_011, 1 << 32


class Rounds:
    """The rounds of one fit.

    Args:
        task: Its rows.
        parameters: LightGBM's, all of them; of the metrics the first stops it, the last is reported.
        most: Rounds at most.
        patience: Rounds without a better loss after which it stops; none for all rounds.
        meant: What is reported of the last metric's value.
    """

    def __init__(
        self,
        task: FitTask,
        parameters: Mapping[str, Any],
        most: int,
        patience: int | None,
        meant: Callable[[float], float] = float,
    ) -> None:
        self._task, self._parameters, self._most, self._patience = task, dict(parameters), most, patience
        self._meant = meant
        known = set(parameters) <= _STATELESS and parameters["objective"] not in DRAWING
        left = task if known else msgspec.structs.replace(task, checkpoints=None)
        self._checkpoint = plugins.load("checkpoint", "numpy")(left, ["lightgbm", dict(parameters), most, patience])
        self._losses: list[float] = []
        self._best = 0

    def boost(self) -> tuple[Any, int]:
        """The booster, and the round that was best, counted from 1."""
        import lightgbm  # noqa: PLC0415 - deferred with the fit

        train, valid = self._data()
        kept = self._checkpoint.load()
        before = None
        if kept is not None:
            before = lightgbm.Booster(model_str=kept["model"].decode())
            self._losses = msgspec.json.decode(kept["losses"], type=list[float])
            self._best = best_round(self._losses, 0)[0]
            self._parameters["feature_fraction_seed"] = self._drawn(train, before)
        done = before.current_iteration() if before else 0
        if not self._over() and done < self._most:
            before = lightgbm.train(
                self._parameters, train, self._most - done, valid_sets=valid, callbacks=[self._after], init_model=before
            )
        assert before is not None
        return before, 1 + self._best

    def _data(self) -> tuple[Any, list[Any]]:
        import lightgbm  # noqa: PLC0415 - deferred with the fit

        task = self._task
        data = lightgbm.Dataset(
            task.rows,
            task.labels,
            weight=task.weights,
            group=_sizes(task.groups),
            feature_name=[f"f{at}" for at in range(len(task.schema.fields))],
            categorical_feature=list(task.schema.category_positions),
            params=self._parameters,
            free_raw_data=False,
        )
        if task.valid_rows is None:
            return data, []
        return data, [data.create_valid(task.valid_rows, task.valid_labels, group=_sizes(task.valid_groups))]

    def _after(self, state: Any) -> None:  # noqa: ANN401 - lightgbm has no types
        """After every round."""
        from lightgbm.callback import EarlyStopException  # noqa: PLC0415 - deferred with the fit

        said = {  # of an order's metric, LightGBM's name has the depth behind it
            metric.partition("@")[0]: (float(value), rises) for _, metric, value, rises in state.evaluation_result_list
        }
        if said:
            value, rises = said[self._parameters["metric"][0]]
            self._losses.append(-value if rises else value)
            if self._losses[-1] < self._losses[self._best]:
                self._best = len(self._losses) - 1
            if self._task.report is not None:
                self._task.report(len(self._losses) - 1, self._meant(said[self._parameters["metric"][-1]][0]))
        if self._over():
            raise EarlyStopException(self._best, state.evaluation_result_list)
        if self._checkpoint.due:
            losses = msgspec.json.encode(self._losses)
            self._checkpoint.save({"model": state.model.model_to_string().encode(), "losses": losses})

    def _over(self) -> bool:
        return self._patience is not None and len(self._losses) - 1 - self._best >= self._patience

    def _drawn(self, train: Any, before: Any) -> int:  # noqa: ANN401 - lightgbm has no types
        """State of the generator that chooses columns, after as many trees."""
        train.construct()
        used = sum(train.feature_num_bin(at) > 1 for at in range(train.num_feature()))
        share = float(self._parameters.get("feature_fraction", 1.0))
        wanted = max(min(1, used), math.floor(used * share + 0.5))
        many = wanted > 1 and wanted > used / math.log2(wanted)
        count = before.num_trees() * (used if many else wanted)
        return advanced(_first_seed(self._parameters), count)


def _sizes(groups: Any) -> np.ndarray | None:  # noqa: ANN401 - a vector, or none
    """How many rows each group has, in order."""
    if groups is None:
        return None
    starts = np.flatnonzero(np.append(True, np.diff(groups) != 0))
    return np.diff(np.append(starts, len(groups)))


def advanced(state: int, numbers: int) -> int:
    """Where LightGBM's generator of random numbers stands when so many were taken, as a seed: 32 bits with a sign.

    Example:
        >>> advanced(7, 2) == advanced(advanced(7, 1), 1)
        True
    """
    state %= _MODULUS
    for _ in range(numbers):
        state = (_FACTOR * state + _STEP) % _MODULUS
    return state - _MODULUS if state >= _MODULUS // 2 else state


def _first_seed(parameters: Mapping[str, Any]) -> int:
    """The seed that LightGBM makes of its main one for the choice of columns: it is in the text of any model."""
    import lightgbm  # noqa: PLC0415 - deferred with the fit

    tiny = lightgbm.Dataset(np.arange(4.0).reshape(-1, 1), [0.0, 1.0, 0.0, 1.0], params={"verbosity": -1})
    asked = {"seed": parameters["seed"], "verbosity": -1, "num_threads": 1, "objective": "regression"}
    text = lightgbm.train(asked, tiny, 1).model_to_string()
    return int(text.partition("[feature_fraction_seed: ")[2].partition("]")[0])
