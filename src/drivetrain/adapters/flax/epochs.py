"""Epochs of a Flax module: stopped in time, gone on with where it was killed."""

from __future__ import annotations

import importlib
import inspect
from collections.abc import Callable
from typing import Any

import msgspec
import numpy as np

from drivetrain.adapters.flax.library import library
from drivetrain.core import plugins
from drivetrain.core.patience import best_round
from drivetrain.core.protocols import FitTask

_Tree = Any


class Epochs:
    """The epochs of one fit.

    A checkpoint is the module's variables, the optimiser's state and the best variables so far, as safetensors.
    Random numbers follow from seed, epoch and batch: they have no state to keep.

    Args:
        task: When to leave checkpoints, and whom to tell.
        module: The module, as it was built.
        meaning: What its result follows from beside task and settings.
        lesson: What it is taught, and how.
    """

    def __init__(self, task: FitTask, module: Any, meaning: object, lesson: Any) -> None:  # noqa: ANN401 - flax is an extra
        jax = library()
        import optax  # noqa: PLC0415 - deferred: an extra

        settings = lesson.settings
        self._jax, self._task, self._lesson, self._settings, self._module = jax, task, lesson, settings, module
        self._takes = {"train"} & set(inspect.signature(type(module).__call__).parameters)
        self._key = jax.random.key(task.seed % (1 << 31))
        names = dict(zip(("params", "dropout"), jax.random.split(self._key), strict=True))
        first = np.zeros((2, lesson.network.preparation.width), dtype=np.float32)
        self._variables = dict(module.init(names, first, **self._mode(train=False)))
        optimiser = optax.adamw(settings.lr, weight_decay=settings.weight_decay)
        self._optimiser = optax.MultiSteps(optimiser, settings.accumulate) if settings.accumulate > 1 else optimiser
        self._state = self._optimiser.init(self._variables["params"])
        self._best = self._variables
        self._step, self._total = jax.jit(self._stepped), jax.jit(self._judged)
        self._checkpoint = plugins.load("checkpoint", "numpy")(task, [meaning, settings])
        self._losses: list[float] = []

    def run(self) -> tuple[_Tree, int]:
        """The variables after the best epoch, and which that was, counted from 1."""
        settings = self._settings
        done = self._resume()
        while done < settings.epochs and not self._over():
            self._epoch(done)
            done += 1
            if "valid_inputs" in self._lesson.data:
                self._judge()
            if done < settings.epochs and not self._over() and self._checkpoint.due:
                self._leave(done)
        if settings.patience and self._losses:
            return self._best, 1 + best_round(self._losses, 0)[0]
        return self._variables, done

    def margins(self, variables: _Tree, inputs: Any) -> Any:  # noqa: ANN401 - arrays of JAX
        """What the module says, nothing dropped."""
        return self._module.apply(variables, inputs, **self._mode(train=False))

    def first(self, shape: tuple[int, int]) -> tuple[int, ...]:
        """Shape of the margins of inputs of a shape, without computing any."""
        given = self._jax.ShapeDtypeStruct(shape, np.float32)
        found: tuple[int, ...] = self._jax.eval_shape(self.margins, self._variables, given).shape
        return found

    def _mode(self, *, train: bool) -> dict[str, bool]:
        return {"train": train} if self._takes else {}

    def _epoch(self, epoch: int) -> None:
        data, size = self._lesson.data, self._settings.batch
        order = self._lesson.order(self._task.seed, epoch)
        key = self._jax.random.fold_in(self._key, epoch)
        for number, at in enumerate(range(0, len(order), size)):
            some = order[at : at + size]
            batch = data["inputs"][some], data["labels"][some], data["weights"][some]
            key_of = self._jax.random.fold_in(key, number)
            self._variables, self._state = self._step(self._variables, self._state, batch, key_of)

    def _stepped(self, variables: _Tree, state: _Tree, batch: _Tree, key: _Tree) -> tuple[_Tree, _Tree]:
        import optax  # noqa: PLC0415 - deferred: an extra

        rest = {name: each for name, each in variables.items() if name != "params"}

        def loss(params: _Tree) -> tuple[_Tree, _Tree]:
            said = self._module.apply(
                {"params": params, **rest}, batch[0], rngs={"dropout": key}, mutable=list(rest) or False,
                **self._mode(train=True),
            )  # fmt: skip
            margins, moved = said if rest else (said, {})
            return (self._each(margins, batch[1]) * batch[2]).mean(), moved

        slope, moved = self._jax.grad(loss, has_aux=True)(variables["params"])
        updates, state = self._optimiser.update(slope, state, variables["params"])
        return {"params": optax.apply_updates(variables["params"], updates), **moved}, state

    def _each(self, margins: _Tree, labels: _Tree) -> _Tree:
        """Each row's loss: log loss, or half the squared error."""
        import optax  # noqa: PLC0415 - deferred: an extra

        link = self._lesson.network.link
        if link == "softmax":
            return optax.softmax_cross_entropy_with_integer_labels(margins, labels.astype("int32"))
        if link == "sigmoid":
            return optax.sigmoid_binary_cross_entropy(margins[:, 0], labels)
        return optax.l2_loss(margins[:, 0], labels)

    def _judged(self, variables: _Tree, inputs: _Tree, labels: _Tree) -> _Tree:
        return self._each(self.margins(variables, inputs), labels).mean()

    def _judge(self) -> None:
        data = self._lesson.data
        self._losses.append(float(self._total(self._variables, data["valid_inputs"], data["valid_labels"])))
        if best_round(self._losses, 0)[0] == len(self._losses) - 1:
            self._best = self._variables
        if self._task.report is not None:
            self._task.report(len(self._losses) - 1, -self._losses[-1] if self._task.rising else self._losses[-1])

    def _over(self) -> bool:
        return bool(self._settings.patience and self._losses) and best_round(self._losses, self._settings.patience)[1]

    def _leave(self, done: int) -> None:
        from safetensors.numpy import save  # noqa: PLC0415 - deferred: an extra

        leaves = self._jax.tree.leaves((self._variables, self._state, self._best))
        arrays = {str(at): np.asarray(each, order="C") for at, each in enumerate(leaves)}
        plain = {"done": done, "losses": self._losses}
        self._checkpoint.save({"arrays": save(arrays), "plain": msgspec.json.encode(plain)})

    def _resume(self) -> int:
        """Epochs that are done already."""
        kept = self._checkpoint.load()
        if kept is None:
            return 0
        from safetensors.numpy import load  # noqa: PLC0415 - deferred: an extra

        held = load(kept["arrays"])
        shape = self._jax.tree.structure((self._variables, self._state, self._best))
        whole = self._jax.tree.unflatten(shape, [held[str(at)] for at in range(len(held))])
        self._variables, self._state, self._best = whole
        plain = msgspec.json.decode(kept["plain"])
        self._losses = plain["losses"]
        done: int = plain["done"]
        return done


def exported(margins: Callable[[Any], Any], width: int) -> bytes:
    """A function of inputs (n, width), for any n, as a program."""
    jax = library()
    export = importlib.import_module("jax.export")
    rows, *_ = export.symbolic_shape("n")
    given = jax.ShapeDtypeStruct((rows, width), np.float32)
    return bytes(export.export(jax.jit(margins), platforms=["cpu"])(given).serialize())
