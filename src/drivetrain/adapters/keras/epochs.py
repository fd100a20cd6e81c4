"""Epochs of a Keras model: stopped in time, gone on with where it was killed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.keras.library import library, random_state, set_random_state
from drivetrain.core import plugins
from drivetrain.core.patience import best_round
from drivetrain.core.protocols import FitTask

_LOSSES = {"sigmoid": "BinaryCrossentropy", "softmax": "SparseCategoricalCrossentropy", "identity": "MeanSquaredError"}


class Epochs:
    """The epochs of one fit.

    A checkpoint is every variable of model and optimiser, those of layers that draw random numbers among them, the best
    weights so far, as safetensors, and how far PyTorch's own random numbers are: nothing in it can run.

    Args:
        task: When to leave checkpoints, and whom to tell.
        model: The model, as it was built.
        meaning: What its result follows from beside task and settings.
        lesson: What it is taught, and how.
    """

    def __init__(self, task: FitTask, model: Any, meaning: object, lesson: Any) -> None:  # noqa: ANN401 - keras is an extra
        keras, settings = library(), lesson.settings
        self._task, self._lesson, self._settings, self._model = task, lesson, settings, model
        gathered = settings.accumulate if settings.accumulate > 1 else None
        optimiser = keras.optimizers.AdamW(
            settings.lr, weight_decay=settings.weight_decay, gradient_accumulation_steps=gathered
        )
        loss = getattr(keras.losses, _LOSSES[lesson.network.link])
        model.compile(optimizer=optimiser, loss=loss() if lesson.network.link == "identity" else loss(from_logits=True))
        optimiser.build(model.trainable_variables)
        self._checkpoint = plugins.load("checkpoint", "numpy")(task, [meaning, settings])
        self._losses: list[float] = []
        self._best: list[np.ndarray] = []
        self._warm()

    def run(self) -> int:
        """Fits the model in place; the epoch that was best, counted from 1, whose weights it then has."""
        data, settings = self._lesson.data, self._settings
        done = self._resume()
        while done < settings.epochs and not self._over():
            order = self._lesson.order(self._task.seed, done)
            self._model.fit(
                data["inputs"][order], data["labels"][order], sample_weight=data["weights"][order],
                batch_size=settings.batch, epochs=1, shuffle=False, verbose=0,
            )  # fmt: skip
            done += 1
            if "valid_inputs" in data:
                self._judge()
            if done < settings.epochs and not self._over() and self._checkpoint.due:
                self._leave(done)
        if settings.patience and self._losses:
            self._model.set_weights(self._best)
            done = 1 + best_round(self._losses, 0)[0]
        return done

    def _warm(self) -> None:
        """Keras builds what is left to build in its first fit, and draws random numbers for it: before the first epoch.

        Else a fit that goes on would draw them in the midst of its own.
        """
        first, state = self._values(), random_state()
        some = slice(0, 2)
        data = self._lesson.data
        self._model.fit(data["inputs"][some], data["labels"][some], sample_weight=data["weights"][some], verbose=0)
        self._assign(first)
        set_random_state(state)

    def _values(self) -> list[np.ndarray]:
        ops = library().ops
        return [np.array(ops.convert_to_numpy(each.value)) for each in self._variables()]

    def _assign(self, values: Sequence[np.ndarray]) -> None:
        for variable, value in zip(self._variables(), values, strict=True):
            variable.assign(value)

    def _judge(self) -> None:
        data = self._lesson.data
        loss = self._model.evaluate(data["valid_inputs"], data["valid_labels"], batch_size=4_096, verbose=0)
        self._losses.append(float(loss))
        if best_round(self._losses, 0)[0] == len(self._losses) - 1:
            self._best = self._model.get_weights()
        if self._task.report is not None:
            self._task.report(len(self._losses) - 1, -self._losses[-1] if self._task.rising else self._losses[-1])

    def _over(self) -> bool:
        return bool(self._settings.patience and self._losses) and best_round(self._losses, self._settings.patience)[1]

    def _variables(self) -> list[Any]:
        return [*self._model.variables, *self._model.optimizer.variables]

    def _leave(self, done: int) -> None:
        now = self._values()
        plain = {"done": done, "losses": self._losses}
        parts = {"now": packed(now), "best": packed(self._best), "plain": msgspec.json.encode(plain)}
        self._checkpoint.save({**parts, "random": random_state()})

    def _resume(self) -> int:
        """Epochs that are done already."""
        kept = self._checkpoint.load()
        if kept is None:
            return 0
        self._assign(_unpacked(kept["now"]))
        self._best = _unpacked(kept["best"])
        set_random_state(kept["random"])
        plain = msgspec.json.decode(kept["plain"])
        self._losses = plain["losses"]
        done: int = plain["done"]
        return done


def packed(arrays: Sequence[np.ndarray]) -> bytes:
    """Arrays in their order, as safetensors."""
    from safetensors.numpy import save  # noqa: PLC0415 - deferred: an extra

    data: bytes = save({str(at): np.asarray(each, order="C") for at, each in enumerate(arrays)})
    return data


def _unpacked(data: bytes) -> list[np.ndarray]:
    from safetensors.numpy import load  # noqa: PLC0415 - deferred: an extra

    held = load(data)
    return [held[str(at)] for at in range(len(held))]
