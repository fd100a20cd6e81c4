"""Chooses a model's features: which of them carry more than chance, as its own trainer reads the rows that teach."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
from msgspec.structs import replace

from drivetrain.core.errors import TrainingError
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.protocols import FitTask, Fitted, Trainer
from drivetrain.core.records.selection import JudgedFeature, Selection
from drivetrain.train.filling import Filling, own_importance
from drivetrain.train.rows import Lesson, TrainingRows
from drivetrain.train.score import ndcg
from drivetrain.train.select import Select
from drivetrain.train.selection.journal import Rounds
from drivetrain.train.selection.losses import row_losses, spared
from drivetrain.train.selection.null_importance import dealt, excess
from drivetrain.train.selection.permutation import blocks_of, redrawn, shuffled, summed
from drivetrain.train.selection.stability import half, most_named, named


class _Found(NamedTuple):
    """What a method says of each feature: its strength, whether it passes, and how that is said."""

    values: np.ndarray
    passes: np.ndarray
    yes: str
    no: str
    measure: str
    fits: int
    rows: int
    chance: np.ndarray | None = None
    low: np.ndarray | None = None


def choose(
    data: TrainingRows,
    trainer: Trainer,
    task: FitTask,
    select: Select,
    *,
    storage: Path,
    progress: Progress,
    words: str,
) -> Selection:
    """Judges every feature, and says which are kept.

    Args:
        data: The training set; its rows that judge are not looked at.
        trainer: Whose fits judge.
        task: Of which rows, labels and parameters are replaced.
        select: How it is judged.
        storage: File that keeps finished rounds: a selection that was killed carries on from it, to the same result.
        progress: Told of every round.
        words: What is under way, for people.

    Raises:
        TrainingError: The trainer tells no importance and the method needs one, there are no rows that could judge, or
            no feature carries more than chance.
    """
    chooser = _Chooser(data, trainer, task, select, storage, progress, words)
    progress.start(words, chooser.steps)
    found = {
        "null_importance": chooser.null_importance,
        "permutation": chooser.permutation,
        "stability": chooser.stability,
    }[select.by]()
    selection = _selection(select, data.schema.names, found)
    progress.finish(words, note=selection.summary)
    return selection


def _selection(select: Select, names: tuple[str, ...], found: _Found) -> Selection:
    always = {name for name in names if name in select.always or name.partition(".")[0] in select.always}
    ranked = [int(at) for at in np.argsort(-found.values, kind="stable") if found.passes[at]]
    if not ranked and not always:
        strongest = int(np.argmax(found.values))
        chance = "" if found.chance is None else f"; chance gives as much in {found.chance[strongest]:.0%} of cases"
        raise TrainingError(
            "no feature carries more than chance",
            found=f"{len(names)} features, the strongest {names[strongest]} with {found.values[strongest]:.3g} "
            f"{found.measure}{chance}",
            expected=f"one that passes {select.by} at level {select.risk:g}",
            do="Bring other features or more rows; or leave select= out, and see what a model makes of them",
        )
    kept = set(ranked if select.keep is None else ranked[: select.keep])
    judged = []
    for at, name in enumerate(names):
        reading = at in kept or name in always
        why = found.yes if found.passes[at] else found.no
        if found.passes[at] and at not in kept:
            why = f"beyond the {select.keep} strongest"
        judged.append(
            JudgedFeature(
                feature=name,
                kept=reading,
                value=float(found.values[at]),
                chance=None if found.chance is None else float(found.chance[at]),
                low=None if found.low is None else float(found.low[at]),
                why=f"always read, {why}" if reading and at not in kept else why,
            )
        )
    return Selection(
        by=select.by, level=select.risk, measure=found.measure, fits=found.fits, rows=found.rows, features=tuple(judged)
    )


@dataclass(frozen=True)
class _Chooser:
    """A selection under way."""

    data: TrainingRows
    trainer: Trainer
    task: FitTask
    select: Select
    storage: Path
    progress: Progress
    words: str

    @property
    def steps(self) -> int:
        """Rounds that there are."""
        if self.select.by == "permutation":
            return len(self.data.schema.names)
        return self.select.times + (self.select.by == "null_importance")

    def null_importance(self) -> _Found:
        """Importance among real labels beside importance among labels dealt out anew."""
        task = self._with_rounds()

        def importance(deal: int) -> list[float]:
            one = dealt(task, self.task.seed, deal)
            fitted = self.trainer.fit(one)
            worth = self._shares(fitted) * spared(one, np.asarray(fitted.predict(one.rows)))
            return list(map(float, worth))

        deals = self._each(range(1 + self.select.times), "deal", importance)
        values, chance = excess(deals)
        return _Found(
            values=values,
            passes=chance <= self.select.risk,
            yes="stands out from chance",
            no="no more than chance",
            measure="standard deviations above chance",
            fits=len(deals) + self._stops,
            rows=len(task.labels),
            chance=chance,
        )

    def permutation(self) -> _Found:
        """How much worse a model's answers to validation rows get when a feature is shuffled."""
        lesson, valid = self._lesson, self._valid
        if valid is None:
            raise TrainingError(
                "features are chosen by permutation on validation rows, and there are none",
                do='Give the split some, for example valid="14d"; or choose by="null_importance"',
            )
        # Rows that judge must not have said when to stop: the last of those that teach do.
        last = np.arange(len(self._taught.labels)) >= 0.8 * len(self._taught.labels)
        if self._taught.groups is not None:
            last = np.isin(self._taught.groups, self._taught.groups[last])
        fitted = self.trainer.fit(_cut(self._taught, last))
        moments = self.data.columns["_at"].dt.epoch("us").to_numpy()[valid]
        groups = None if self.data.groups is None else self.data.groups[valid]
        blocks = blocks_of(moments, groups)
        rows = np.ascontiguousarray(self.data.rows[valid])

        def losses(asked: np.ndarray) -> np.ndarray:
            return self._losses(np.asarray(fitted.predict(lesson.as_read(asked))), valid, blocks)

        base = losses(rows)

        def mixed(column: int) -> list[float]:
            ways = [losses(shuffled(rows, column, self.task.seed, time)) for time in range(self.select.times)]
            return list(map(float, np.concatenate([base, *ways])))

        ways = self._each(range(rows.shape[1]), "feature", mixed).reshape(rows.shape[1], -1, len(base))
        added, chance, low = redrawn(ways, self.task.seed, self.select.risk)
        share = len(base) / max(float(base.sum()), 1e-300)
        return _Found(
            values=added * share,
            passes=(chance <= self.select.risk) & (low > 0),
            yes="missed where it is shuffled",
            no="not surely missed where it is shuffled",
            measure="of the loss added where it is shuffled",
            fits=1,
            rows=len(rows),
            chance=chance,
            low=low * share,
        )

    def stability(self) -> _Found:
        """How many halves of the rows name a feature among their strongest."""
        task = self._with_rounds()
        many = len(self.data.schema.names)
        most = most_named(many, self.select.share, self.select.times // 2, self.select.risk)
        if most < 1:
            raise TrainingError(
                f"halves may name no feature at all: {many} are too few for {self.select.risk:g} wrong ones on average",
                do="Allow a higher level=, or choose by=\"null_importance\"",
            )  # fmt: skip
        whose = np.arange(len(task.labels)) if task.groups is None else np.asarray(task.groups)

        def names(time: int) -> list[float]:
            teach = half(whose, self.task.seed, time)
            groups = None if task.groups is None else np.asarray(task.groups)[teach]
            one = replace(task, rows=np.ascontiguousarray(task.rows[teach]), labels=task.labels[teach], groups=groups)
            return list(map(float, named(self._shares(self.trainer.fit(one)), most)))

        shares = self._each(range(self.select.times), "half", names).mean(axis=0)
        return _Found(
            values=shares,
            passes=shares >= self.select.share - 1e-9,
            yes=f"among the {most} strongest of most halves",
            no=f"not among the {most} strongest of enough halves",
            measure="of the halves name it",
            fits=self.select.times + self._stops,
            rows=len(task.labels) // 2,
        )

    def _each(self, steps: range, name: str, make: Callable[[int], list[float]]) -> np.ndarray:
        """What every round found, shape (rounds, values)."""
        asked = [repr(self.trainer), self.select.by, self.select.rows, self.task.seed, list(self.data.schema.names)]
        most = [self.select.times, self.select.share, self.select.risk] if self.select.by != "null_importance" else []
        rounds = Rounds(self.storage, digest([*asked, *most]))
        found = []
        for step in steps:
            found.append(rounds(f"{name} {step}", lambda step=step: make(step)))  # type: ignore[misc]
            self.progress.advance(self.words)
        return np.array(found, dtype=np.float64)

    def _shares(self, fitted: Fitted) -> np.ndarray:
        """Importance by feature, in order."""
        told, schema = fitted.importance(), self._lesson.schema
        if not told:
            raise TrainingError(
                f"{self.trainer.name} does not tell how much it leans on a feature",
                do='Choose by="permutation", which asks the model alone',
            )
        shares = own_importance(told, schema) if schema.fills else told
        return np.array([shares[name] for name in schema.names])

    @property
    def _stops(self) -> int:
        return 0 if self._valid is None else 1

    @cached_property
    def _teach(self) -> np.ndarray:
        return thinned(self.data.train, self.data.groups, self.select.rows)

    @cached_property
    def _valid(self) -> np.ndarray | None:
        """Which validation rows are asked; none where there are none."""
        return thinned(self.data.valid, self.data.groups, self.select.rows) if self.data.valid.any() else None

    @cached_property
    def _lesson(self) -> Lesson:
        return self.data.lesson(self._teach)

    @cached_property
    def _taught(self) -> FitTask:
        """Rows that teach, and none that judge; all count alike."""
        lesson = self._lesson
        return replace(
            self.task, rows=lesson.rows, labels=lesson.labels, groups=lesson.groups, weights=None, checkpoints=None
        )

    @cached_property
    def _stopping(self) -> FitTask:
        """The same, with the rows at which a fit stops early."""
        lesson, valid = self._lesson, self._valid
        if valid is None:
            return self._taught
        rows = np.ascontiguousarray(self.data.rows[valid])
        return replace(
            self._taught,
            valid_rows=Filling(lesson.schema).matrix(rows) if lesson.schema.fills else rows,
            valid_labels=self.data.labels[valid],
            valid_groups=None if self.data.groups is None else self.data.groups[valid],
        )

    def _with_rounds(self) -> FitTask:
        """Rows that teach, to be fitted with as many rounds as the validation rows bear, if there are any."""
        if self._valid is None:
            return self._taught
        stopped = self.trainer.fit(self._stopping)
        return replace(self._taught, parameters={**self.task.parameters, **stopped.parameters()})

    def _losses(self, said: np.ndarray, valid: np.ndarray, blocks: np.ndarray) -> np.ndarray:
        """What answers to validation rows cost, by block; of a ranking, what its groups' NDCG lacks."""
        labels = self.data.labels[valid]
        if self.data.groups is None:
            return summed(row_losses(self.task, labels, said), blocks)
        groups = self.data.groups[valid]
        lost = np.zeros(int(blocks.max()) + 1)
        for block in np.unique(blocks[labels > 0]):
            here = blocks == block
            many = len(np.unique(groups[here & (labels > 0)]))
            lost[block] = many * (1.0 - ndcg(labels[here], said[here], groups[here]))
        return lost


def _cut(task: FitTask, last: np.ndarray) -> FitTask:
    """A task whose last rows are those at which it stops early."""
    parts = []
    for which in (~last, last):
        groups = None if task.groups is None else np.asarray(task.groups)[which]
        parts.append((np.ascontiguousarray(task.rows[which]), task.labels[which], groups))
    (rows, labels, groups), (valid_rows, valid_labels, valid_groups) = parts
    return replace(
        task,
        rows=rows,
        labels=labels,
        groups=groups,
        valid_rows=valid_rows,
        valid_labels=valid_labels,
        valid_groups=valid_groups,
    )


def thinned(mask: np.ndarray, groups: np.ndarray | None, most: int) -> np.ndarray:
    """At most so many rows of a mask, evenly over their order; groups of a ranking are taken whole.

    Example:
        >>> thinned(np.array([True, True, False, True, True]), None, 2).tolist()
        [True, False, False, False, True]
    """
    places = np.flatnonzero(mask)
    if len(places) <= most:
        return mask
    picked = np.zeros(len(mask), dtype=bool)
    if groups is None:
        picked[places[np.linspace(0, len(places) - 1, most).astype(np.int64)]] = True
        return picked
    names, first = np.unique(groups[places], return_index=True)
    ordered = names[np.argsort(first)]
    some = np.linspace(0, len(ordered) - 1, max(1, len(ordered) * most // len(places))).astype(np.int64)
    return np.asarray(mask & np.isin(groups, ordered[some]))
