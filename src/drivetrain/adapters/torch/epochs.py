"""The loop: epochs of batches, stopped in time, gone on with where it was killed."""

from __future__ import annotations

from typing import Any

import msgspec

from drivetrain.core import plugins
from drivetrain.core.patience import best_round
from drivetrain.core.protocols import FitTask

_Tensors = dict[str, Any]


class Epochs:
    """The epochs of one fit.

    A checkpoint is the module's and the optimiser's tensors, the best ones so far, and the states of the random
    numbers, as safetensors: nothing in it can run. The order of rows follows from seed and epoch.

    Args:
        task: Rows, and when to leave checkpoints.
        core: The module, initialised.
        meaning: What its result follows from beside the task and the lesson's settings.
        lesson: What it is taught, and how.
    """

    def __init__(self, task: FitTask, core: Any, meaning: object, lesson: Any) -> None:  # noqa: ANN401 - torch is an extra
        import torch  # noqa: PLC0415 - deferred: an extra

        self._torch: Any = torch
        settings = lesson.settings
        self._task, self._lesson, self._settings = task, lesson, settings
        self._device = torch.device("cuda" if torch.cuda.is_available() else "cpu")
        self._core = core.to(self._device)
        self._optimiser = torch.optim.AdamW(core.parameters(), lr=settings.lr, weight_decay=settings.weight_decay)
        self._half = self._device.type == "cuda"
        self._kind = torch.bfloat16 if self._half and torch.cuda.is_bf16_supported() else torch.float16
        self._scaler = torch.amp.GradScaler("cuda", enabled=self._half and self._kind == torch.float16)
        self._checkpoint = plugins.load("checkpoint", "numpy")(task, [meaning, settings])
        self._losses: list[float] = []
        self._best: _Tensors = {}

    def run(self) -> int:
        """Fits the module in place; the epoch that was best, counted from 1, whose tensors it then has."""
        held = {name: self._torch.from_numpy(each).to(self._device) for name, each in self._lesson.data.items()}
        done = self._resume()
        while done < self._settings.epochs and not self._over(done):
            self._epoch(held, done)
            done += 1
            if "valid_inputs" in held:
                self._judge(held)
            if done < self._settings.epochs and not self._over(done) and self._checkpoint.due:
                self._leave(done)
        if self._settings.patience and self._losses:
            self._core.load_state_dict(self._best)
            done = 1 + best_round(self._losses, 0)[0]
        self._core.to("cpu").eval()
        return done

    def _epoch(self, held: _Tensors, epoch: int) -> None:
        torch, settings = self._torch, self._settings
        order = torch.from_numpy(self._lesson.order(self._task.seed, epoch))
        pieces = order.to(self._device).split(settings.batch)
        self._core.train()
        for at in range(0, len(pieces), settings.accumulate):
            together = pieces[at : at + settings.accumulate]
            rows = sum(len(piece) for piece in together)
            self._optimiser.zero_grad()
            for piece in together:
                loss = self._loss(held["inputs"][piece], held["labels"][piece], held["weights"][piece])
                self._scaler.scale(loss / rows).backward()
            self._scaler.step(self._optimiser)
            self._scaler.update()

    def _loss(self, inputs: Any, labels: Any, weights: Any = None) -> Any:  # noqa: ANN401 - tensors
        """The sum of the rows' losses: log loss, or half the squared error."""
        functional = self._torch.nn.functional
        with self._torch.autocast(self._device.type, dtype=self._kind, enabled=self._half):
            margins = self._core(inputs)
        margins = margins.float()
        if self._task.kind == "multiclass":
            losses = functional.cross_entropy(margins, labels.long(), reduction="none")
        elif self._task.kind == "binary":
            losses = functional.binary_cross_entropy_with_logits(margins[:, 0], labels, reduction="none")
        else:
            losses = 0.5 * (margins[:, 0] - labels) ** 2
        return losses.sum() if weights is None else (losses * weights).sum()

    def _judge(self, held: _Tensors) -> None:
        self._core.eval()
        total = 0.0
        with self._torch.inference_mode():
            for at in range(0, len(held["valid_labels"]), 4_096):
                some = slice(at, at + 4_096)
                total += float(self._loss(held["valid_inputs"][some], held["valid_labels"][some]))
        self._losses.append(total / len(held["valid_labels"]))
        if best_round(self._losses, 0)[0] == len(self._losses) - 1:
            self._best = {name: each.detach().clone() for name, each in self._core.state_dict().items()}
        if self._task.report is not None:
            self._task.report(len(self._losses) - 1, -self._losses[-1] if self._task.rising else self._losses[-1])

    def _over(self, done: int) -> bool:
        patience = self._settings.patience
        return bool(patience and done and self._losses) and best_round(self._losses, patience)[1]

    def _leave(self, done: int) -> None:
        from safetensors.torch import save  # noqa: PLC0415 - deferred: an extra

        tensors = {f"module.{name}": each for name, each in self._core.state_dict().items()}
        tensors |= {f"best.{name}": each for name, each in self._best.items()}
        for at, state in self._optimiser.state_dict()["state"].items():
            tensors |= {f"optimiser.{at}.{name}": each for name, each in state.items()}
        tensors["random.cpu"] = self._torch.get_rng_state()
        if self._half:
            tensors["random.cuda"] = self._torch.cuda.get_rng_state()
        plain = {"done": done, "losses": self._losses, "scale": self._scaler.state_dict()}
        apart = {name: each.detach().clone().contiguous() for name, each in tensors.items()}
        self._checkpoint.save({"tensors": save(apart), "plain": msgspec.json.encode(plain)})

    def _resume(self) -> int:
        """Epochs that are done already."""
        kept = self._checkpoint.load()
        if kept is None:
            return 0
        from safetensors.torch import load  # noqa: PLC0415 - deferred: an extra

        tensors, plain = load(kept["tensors"]), msgspec.json.decode(kept["plain"])
        self._core.load_state_dict(_under("module.", tensors))
        self._best = {name: each.to(self._device) for name, each in _under("best.", tensors).items()}
        state: dict[int, _Tensors] = {}
        for name, each in _under("optimiser.", tensors).items():
            at, _, part = name.partition(".")
            state.setdefault(int(at), {})[part] = each
        self._optimiser.load_state_dict({**self._optimiser.state_dict(), "state": state})
        self._scaler.load_state_dict(plain["scale"])
        self._losses = plain["losses"]
        self._torch.set_rng_state(tensors["random.cpu"])
        if self._half and "random.cuda" in tensors:
            self._torch.cuda.set_rng_state(tensors["random.cuda"])
        done: int = plain["done"]
        return done


def _under(prefix: str, tensors: _Tensors) -> _Tensors:
    return {name.removeprefix(prefix): each for name, each in tensors.items() if name.startswith(prefix)}
