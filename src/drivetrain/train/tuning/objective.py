"""What a trial comes to: how good its model is, how fast what would serve it answers, and how large that is."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass

import msgspec
import numpy as np

from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask, Trainer
from drivetrain.core.records.run import Scalar
from drivetrain.train.artifacts import try_forms
from drivetrain.train.objectives import COSTS, LATENCY, SIZE, sense
from drivetrain.train.score import judged_score
from drivetrain.train.tuning.deadline import Deadline

_ROWS = 256


@dataclass(frozen=True, eq=False)
class Judging:
    """Fits what a trial asks for, and judges it.

    Args:
        trainer: What fits.
        task: Rows that teach a trial, and those it is judged on.
        objectives: What it is judged by, the metric first.
        seconds: How long it may take; as long as it likes if none.
    """

    trainer: Trainer
    task: FitTask
    objectives: tuple[str, ...]
    seconds: float | None

    def __call__(self, parameters: Mapping[str, Scalar], report: Callable[[int, float], None]) -> tuple[float, ...]:
        """What it comes to, each value so that greater is better.

        Raises:
            TrainingError: The model can't be fitted in time, can't be served, or a value of it is no number.
        """
        deadline = Deadline(self.seconds)
        better = sense(self.objectives[0])

        def told(iteration: int, value: float) -> None:
            deadline.check()
            report(iteration, better * value)

        asked = msgspec.structs.replace(
            self.task, parameters={**self.task.parameters, **parameters}, report=told, rising=better > 0
        )
        return deadline.hold(lambda: self._judged(asked))

    def _judged(self, asked: FitTask) -> tuple[float, ...]:
        fitted = self.trainer.fit(asked)
        said = np.asarray(fitted.predict(asked.valid_rows))
        if not np.isfinite(said).all():
            raise TrainingError(
                "some of its answers are no numbers", found=f"{(~np.isfinite(said)).sum()} of {said.size}"
            )
        known: dict[str, float] = {}
        if set(COSTS) & set(self.objectives):
            rows = np.ascontiguousarray(asked.valid_rows[:_ROWS])
            chosen = try_forms(fitted, asked.schema, rows).chosen
            if chosen is None or chosen.row_us is None:
                raise TrainingError("no form in which it could be served answers as it does")
            known = {LATENCY: chosen.row_us, SIZE: float(chosen.size)}
        values = tuple(known[name] if name in known else judged_score(name, asked, said) for name in self.objectives)
        for name, value in zip(self.objectives, values, strict=True):
            if not np.isfinite(value):
                raise TrainingError(f"its {name} is no number", found=value)
        return tuple(sense(name) * value for name, value in zip(self.objectives, values, strict=True))
