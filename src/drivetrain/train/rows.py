"""A training set as fits see it: the rows that may be learned from, encoded, in order of time, filled and weighed."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.core.errors import TrainingError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import InputSchema, Task
from drivetrain.core.records.run import Encoding, Imputation, Weighing
from drivetrain.features.encoding import TEXTS, encode, schema_of
from drivetrain.features.target import Target, encode_labels, kind_of, task_of
from drivetrain.features.texts import taken
from drivetrain.train.checks import RESERVED, check_classes, check_rows, check_split
from drivetrain.train.deciding.unseen import Unseen
from drivetrain.train.encode import TargetEncode, Taught, check_encodes, learn_means, with_all_categories
from drivetrain.train.filling import Filling
from drivetrain.train.impute import Impute, learn, with_constants
from drivetrain.train.select import Select
from drivetrain.train.split import Fold, Split, Splitter
from drivetrain.train.text.encoder import Text
from drivetrain.train.text.reading import Reading, learn_reading, with_texts
from drivetrain.train.weigh import ClassWeights, Reweigh


@dataclass(frozen=True)
class Preparing:
    """What is done to rows before a fit reads them; learned from the rows that teach, anew in every split."""

    impute: tuple[Impute, ...] = ()
    weigh: Reweigh | ClassWeights | None = None
    text: tuple[Text, ...] = ()
    encode: tuple[TargetEncode, ...] = ()
    select: Select | None = None
    """Which columns are read is found out once, before anything is tuned."""

    @property
    def columns(self) -> tuple[str, ...]:
        """Columns that it needs beside the features."""
        return self.weigh.columns if self.weigh else ()

    @property
    def meaning(self) -> list[str]:
        """What it is, as text; nothing where nothing is done."""
        parts = (*self.impute, self.weigh, *self.text, *self.encode, self.select)
        return [repr(part) for part in parts if part is not None]


@dataclass(frozen=True)
class Lesson:
    """Rows that teach, as the trainer is given them."""

    rows: np.ndarray
    """As the model reads them: with fills and indicators."""
    labels: np.ndarray
    groups: np.ndarray | None
    schema: InputSchema
    """The columns before they are filled, and what they are filled with."""
    weights: np.ndarray | None
    imputations: tuple[Imputation, ...]
    weighing: Weighing | None
    reading: Reading | None = None
    """What makes numbers of texts; none where there are none."""
    encodings: tuple[Encoding, ...] = ()

    @property
    def filled(self) -> InputSchema:
        """The columns with texts as numbers, and what they are filled with."""
        return self.schema if self.reading is None else self.reading.reads

    @property
    def read(self) -> InputSchema:
        """The columns that the model itself reads."""
        return self.filled.read if self.filled.fills else self.filled

    def as_read(self, rows: np.ndarray) -> np.ndarray:
        """Encoded rows as the model reads them."""
        made = rows if self.reading is None else self.reading.matrix(rows)
        return Filling(self.filled).matrix(made) if self.filled.fills else made


@dataclass(frozen=True)
class TrainingRows:
    """Every row whose label was known when the test window opened."""

    rows: np.ndarray
    """float64, shape (n, fields); NaN where a value is missing."""
    labels: np.ndarray
    """float64, shape (n,): 0 or 1, positions of classes, or numbers; of several labels 0 or 1, shape (n, labels)."""
    groups: np.ndarray | None
    """int64, shape (n,), of a ranking: rows of a group stand together, groups in order of their first moment."""
    task: Task
    """What the labels stand for; its classes are those of these rows."""
    train: np.ndarray
    """Which of them were known when the validation window opened."""
    valid: np.ndarray
    """Which of them lie in the validation window."""
    schema: InputSchema
    """Its categories are those of these rows: one schema, so that what is tuned is what is served."""
    split: Split
    preparing: Preparing
    columns: pl.DataFrame
    """``_entity``, ``_at``, ``_label``, ``_label_at``, what rows are weighed by, and what the split keeps together."""
    test: pl.DataFrame
    """The rows that judge, as they are: no fit is given them."""
    test_labels: np.ndarray
    """Their labels, as ``labels``."""

    @classmethod
    def cut(
        cls,
        frame: pl.DataFrame,
        features: Sequence[str],
        split: Splitter,
        as_of: Micros,
        *,
        needs_valid: bool,
        preparing: Preparing = Preparing(),
        target: Target = Target(),
    ) -> TrainingRows:
        """Cuts, checks and encodes a training set; rows without a label are left out.

        Args:
            frame: ``_entity``, ``_at``, ``_label``, ``_label_at``, and features by full name.
            features: Which of its columns are read, in order.
            split: How it is cut.
            as_of: Where the test window ends.
            needs_valid: Whether it can't do without validation rows.
            preparing: What is done to the rows.
            target: What is asked of their labels.

        Raises:
            TrainingError: A part is empty, its labels are all the same or lack a class, or a feature is infinite or
                null throughout.
            FeatureError: A feature is of a type that no model reads.
        """
        labelled = frame.filter(pl.col("_label").is_not_null()).sort("_at", maintain_order=True)
        groups = group_numbers(labelled)
        if groups is not None:
            order = np.argsort(groups, kind="stable")
            labelled, groups = labelled[order], groups[order]
        cut = split.cut(labelled, as_of)
        check_split(cut, labelled["_label"], needs_valid=needs_valid)
        used = labelled.filter(cut.refit)
        task = task_of(used["_label"], kind_of(labelled["_label"], target), target.levels)
        if (task.kind == "ranking") != (groups is not None):
            raise TrainingError(
                "rows can only be ranked in groups", do='Declare kind="ranking" and group= on the label'
            )
        codes, _ = encode_labels(labelled["_label"], task)
        check_classes(cut, codes, task, needs_valid=needs_valid)
        schema = schema_of(used, features)
        check_encodes(preparing.encode, schema, task)
        schema = with_constants(with_all_categories(schema, used, preparing.encode), preparing.impute)
        if preparing.text:
            strings = [name for name, dtype in used.schema.items() if dtype in TEXTS]
            schema = with_texts(schema, preparing.text, strings)
        rows = encode(used, schema)
        check_rows(used, rows, schema)
        return cls(
            rows=rows,
            labels=codes[cut.refit.to_numpy()],
            groups=None if groups is None else groups[cut.refit.to_numpy()],
            task=task,
            train=cut.train.filter(cut.refit).to_numpy(),
            valid=cut.valid.filter(cut.refit).to_numpy(),
            schema=schema,
            split=cut,
            preparing=preparing,
            columns=used.select(list(dict.fromkeys((*RESERVED, *preparing.columns, *split.groups)))),
            test=labelled.filter(cut.test),
            test_labels=codes[cut.test.to_numpy()],
        )

    def only(self, names: Sequence[str]) -> TrainingRows:
        """The same rows with these of the columns, in their order."""
        places = [at for at, field in enumerate(self.schema.fields) if field.name in names]
        schema = InputSchema(tuple(self.schema.fields[at] for at in places))
        return dataclasses.replace(self, rows=np.ascontiguousarray(self.rows[:, places]), schema=schema)

    def lesson(self, teach: np.ndarray | None = None) -> Lesson:
        """The rows that teach, filled and weighed by what is learned from them alone.

        Args:
            teach: Which, shape (n,); all by default.

        Raises:
            TrainingError: A statistic can't be learned from them.
        """
        rows, labels, groups, columns = self.rows, self.labels, self.groups, self.columns
        if teach is not None:
            rows, labels, columns = taken(rows, teach), labels[teach], columns.filter(teach)
            groups = None if groups is None else groups[teach]
        schema, imputations = learn(self.schema, self.preparing.impute, rows)
        if self.preparing.weigh and labels.ndim > 1:
            raise TrainingError("rows can't be weighed by several labels at once", do="Leave weigh= out")
        weights, weighing = self._weighed(columns, labels)
        crossed: dict[int, np.ndarray] = {}
        encodings: tuple[Encoding, ...] = ()
        if self.preparing.encode:
            moments, known = (columns[name].dt.epoch("us").to_numpy() for name in ("_at", "_label_at"))
            schema, crossed, encodings = learn_means(
                schema, self.preparing.encode, rows, Taught(labels, moments, known), timed=self.split.timed
            )
        reading = learn_reading(schema, self.preparing.text, rows)
        lesson = Lesson(rows, labels, groups, schema, weights, imputations, weighing, reading, encodings)
        read = lesson.as_read(rows)
        places = {field.name: at for at, field in enumerate(lesson.filled.fields)}
        for at, values in crossed.items():
            read[:, places[schema.fields[at].name]] = values
        return dataclasses.replace(lesson, rows=read)

    def _weighed(self, columns: pl.DataFrame, labels: np.ndarray) -> tuple[np.ndarray | None, Weighing | None]:
        """How much each row counts."""
        weigh = self.preparing.weigh
        if weigh is None:
            return None, None
        if isinstance(weigh, ClassWeights):
            return weigh.learn(labels, self.task)
        return weigh.learn(columns, labels)

    def judged(self, task: FitTask, fold: Fold | None = None) -> FitTask:
        """The task cut in two: earlier rows teach, those of the validation window judge, if there are any.

        Args:
            task: Of which rows, labels and weights are replaced.
            fold: Whose rows; those of ``train`` and ``valid`` by default.
        """
        teach, judge = self.train, self.valid
        if fold is not None:
            teach, judge = (part.filter(self.split.refit).to_numpy() for part in (fold.train, fold.valid))
        lesson = self.lesson(teach)
        valid = None
        if judge.any():
            valid = lesson.as_read(taken(self.rows, judge))
        return replace(
            task,
            rows=lesson.rows,
            labels=lesson.labels,
            groups=lesson.groups,
            weights=lesson.weights,
            schema=lesson.read,
            valid_rows=valid,
            valid_labels=None if valid is None else self.labels[judge],
            valid_groups=None if valid is None or self.groups is None else self.groups[judge],
        )

    def unseen(self, said: Sequence[np.ndarray]) -> Unseen:
        """Rows that judge, with the answers of models that had not seen them.

        Args:
            said: Answers to the rows of each fold; to the validation rows, where the split has no folds.
        """
        folds = self.split.folds
        masks = [fold.valid.filter(self.split.refit).to_numpy() for fold in folds] if folds else [self.valid]
        ats = self.columns["_at"].dt.epoch("us").to_numpy()
        return Unseen(
            labels=np.concatenate([self.labels[mask] for mask in masks]),
            answers=np.asarray(np.concatenate(list(said)), np.float64),
            ats=np.concatenate([ats[mask] for mask in masks]),
            task=self.task,
            of=f"the rows of {len(folds)} folds" if len(folds) > 1 else "the validation rows",
        )


def group_numbers(frame: pl.DataFrame) -> np.ndarray | None:
    """A number for each group of a ranking, by the order in which groups come first; none where there are none.

    Raises:
        TrainingError: A row belongs to none.
    """
    if "_group" not in frame.columns:
        return None
    text = frame["_group"].cast(pl.String)
    if text.null_count():
        raise TrainingError(
            f"{text.null_count()} rows belong to no group", do="Refuse rows without one in the contract, or drop them"
        )
    _, first, code = np.unique(text.to_numpy(), return_index=True, return_inverse=True)
    return np.asarray(np.argsort(np.argsort(first))[code], np.int64)
