"""Boosting in stretches of a hundred rounds, each from the file of those before, so that a killed fit goes on.

A file of XGBoost's holds the trees, and not how far its random numbers have come: gone on with in the middle, a fit
that samples columns or rows takes other ones. So every fit, killed or not, begins each stretch anew from such a file,
with a seed of the stretch's own; one that was killed goes on where a stretch ended, and comes to the same bits.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import numpy as np

from drivetrain.core import plugins
from drivetrain.core.patience import best_round
from drivetrain.core.protocols import FitTask

STRETCH = 100
"""Rounds from one file to the next."""

_VALID = "valid"
_RISING = ("ndcg", "map@")
"""Metrics, among those that may stop a fit, that rise as it gets better."""


class Rounds:
    """The rounds of one fit.

    Args:
        task: Its rows.
        parameters: XGBoost's, all of them; of the metrics the first stops it, the last is reported.
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
        self._checkpoint = plugins.load("checkpoint", "numpy")(task, ["xgboost", self._parameters, most, patience])
        self._losses: list[float] = []

    def boost(self) -> tuple[Any, int]:
        """The booster, and the round that was best, counted from 1."""
        import xgboost  # noqa: PLC0415 - deferred with the fit

        task = self._task
        train = self._matrix(task.rows, task.labels, task.groups, task.weights)
        valid = []
        if task.valid_rows is not None:
            valid = [(self._matrix(task.valid_rows, task.valid_labels, task.valid_groups), _VALID)]
        kept = self._checkpoint.load()
        booster, done = None, 0
        if kept is not None:
            booster = xgboost.Booster(model_file=bytearray(kept["model"]))
            self._losses = msgspec.json.decode(kept["losses"], type=list[float])
            done = booster.num_boosted_rounds()
        watch = _watch(self._after)
        while done < self._most and not self._over():
            booster = xgboost.train(
                {**self._parameters, "seed": self._parameters["seed"] + done // STRETCH}, train,
                min(STRETCH, self._most - done), evals=valid, callbacks=[watch], verbose_eval=False, xgb_model=booster,
            )  # fmt: skip
            done = booster.num_boosted_rounds()
            if done < self._most and not self._over():
                booster = self._from_file(booster)
        return booster, 1 + best_round(self._losses, 0)[0]

    def _from_file(self, booster: Any) -> Any:  # noqa: ANN401 - xgboost has few types
        import xgboost  # noqa: PLC0415 - deferred with the fit

        model = bytes(booster.save_raw("ubj"))
        if self._checkpoint.due:
            self._checkpoint.save({"model": model, "losses": msgspec.json.encode(self._losses)})
        return xgboost.Booster(model_file=bytearray(model))

    def _after(self, values: Mapping[str, float]) -> bool:
        """After every round: what the validation rows say by each metric → whether to stop."""
        if values:
            (name, first), *_ = values.items()
            *_, last = values.values()
            self._losses.append(-first if name.startswith(_RISING) else first)
            if self._task.report is not None:
                self._task.report(len(self._losses) - 1, self._meant(last))
        return self._over()

    def _over(self) -> bool:
        return self._patience is not None and best_round(self._losses, self._patience)[1]

    def _matrix(self, rows: Any, labels: Any, groups: Any, weights: Any = None) -> Any:  # noqa: ANN401 - xgboost has few types
        import xgboost  # noqa: PLC0415 - deferred with the fit

        schema = self._task.schema
        width = len(schema.fields)
        kinds = ["c" if at in schema.category_positions else "q" for at in range(width)]
        return xgboost.DMatrix(
            np.asarray(rows), np.asarray(labels), weight=weights, feature_types=kinds,
            feature_names=[f"f{at}" for at in range(width)],
            qid=groups, enable_categorical=True, nthread=self._task.threads,
        )  # fmt: skip


def _watch(after: Callable[[Mapping[str, float]], bool]) -> Any:  # noqa: ANN401 - xgboost has few types
    from xgboost.callback import TrainingCallback  # noqa: PLC0415 - deferred with the fit

    class Watch(TrainingCallback):  # type: ignore[misc] # an extra has no types here
        def after_iteration(self, model: Any, epoch: int, evals_log: Any) -> bool:  # noqa: ANN401, ARG002 - xgboost's own signature
            said = evals_log.get(_VALID, {})
            return after({metric: float(values[-1]) for metric, values in said.items()})

    return Watch()
