"""From rows with texts beside them to what a model reads: the numbers of each text in place of its length.

It is the one place where that is done, whoever asks. A row is encoded and logged with the length alone; what opens a
model opens it in here if its schema has texts, and a model without any is opened as it is, and pays nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import numpy as np
from msgspec.structs import replace

from drivetrain.core.errors import StoreError, TrainingError
from drivetrain.core.frames import Matrix
from drivetrain.core.protocols import Engine
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.texts import TextRow, texts_of
from drivetrain.train.text.encoder import Text, TextEncoder

CELLS = 2**28
"""How many numbers of texts a fit may be given at once: 2 GiB of them."""

WORDS = 5
"""How many pieces of a text an explanation names."""


class Reading:
    """What a model reads of rows that have texts.

    The numbers of texts come after all other columns, those of the first text first.

    Args:
        schema: The columns as rows have them.
        encoders: Full name of each text → what makes numbers of it.
    """

    def __init__(self, schema: InputSchema, encoders: dict[str, TextEncoder]) -> None:
        self.schema = schema
        self.encoders = [encoders[schema.fields[at].name] for at in schema.texts]
        self.width = len(schema.fields)
        self._texts = schema.texts
        self._others = [at for at in range(self.width) if at not in schema.texts]
        self._first = len(self._others)
        ends = self._first + np.cumsum([0, *(len(encoder.columns) for encoder in self.encoders)])
        self.spans = [slice(int(start), int(end)) for start, end in pairwise(ends)]
        """Where the numbers of each text stand."""
        self.reads = InputSchema(
            (
                *(schema.fields[at] for at in self._others),
                *(
                    Field(f"{schema.fields[at].name} {column}", "text")
                    for at, encoder in zip(self._texts, self.encoders, strict=True)
                    for column in encoder.columns
                ),
            )
        )
        """The columns that come of it, with the fills of those that have any."""

    def matrix(self, rows: Matrix) -> np.ndarray:
        """Rows of shape (n, fields) as the model reads them.

        Raises:
            StoreError: The rows have lost their texts.
        """
        found = np.asarray(rows, dtype=np.float64)
        if found.ndim != 2 or found.shape[1] != self.width:
            raise StoreError("rows of another shape", found=found.shape, expected=f"(n, {self.width})")
        texts = texts_of(rows)
        made = np.zeros((len(found), len(self.reads.fields)))
        made[:, : self._first] = found[:, self._others]
        for at, encoder, span in zip(self._texts, self.encoders, self.spans, strict=True):
            if texts is not None:
                made[:, span] = encoder.matrix(texts[at])
            else:
                self._empty(found[:, at])
                made[:, span] = encoder.matrix([None])
        return made

    def row(self, row: Sequence[float]) -> np.ndarray:
        """One row as the model reads it; raises as :meth:`matrix`."""
        if len(row) != self.width:
            raise StoreError("a row of another length", found=len(row), expected=self.width)
        made = np.zeros(len(self.reads.fields))
        made[: self._first] = [row[at] for at in self._others]
        texts = row.texts if isinstance(row, TextRow) else None
        for at, encoder, span in zip(self._texts, self.encoders, self.spans, strict=True):
            if texts is None:
                self._empty(np.asarray(row[at]))
            encoder.write(None if texts is None else texts[at], made[span])
        return made

    def by_feature(self, explained: np.ndarray) -> np.ndarray:
        """Contributions with those of a text's numbers counted to it; the expected value last, as before."""
        own = np.empty((*explained.shape[:-1], self.width + 1))
        own[..., self._others] = explained[..., : self._first]
        own[..., -1] = explained[..., -1]
        for at, span in zip(self._texts, self.spans, strict=True):
            own[..., at] = explained[..., span].sum(axis=-1)
        return own

    def own_importance(self, shares: dict[str, float]) -> dict[str, float]:
        """Importance by feature, where a model tells it by the columns it reads."""
        if not shares:
            return {}
        names = self.reads.names
        return {
            field.name: sum(shares[name] for name in names[self.spans[self._texts.index(at)]])
            if at in self._texts
            else shares[field.name]
            for at, field in enumerate(self.schema.fields)
        }

    def _empty(self, lengths: np.ndarray) -> None:
        """Rows without texts can be read where every text is empty or null, and nowhere else."""
        if np.nan_to_num(lengths).any():
            raise StoreError(
                "rows have lost the texts that the model reads",
                do="Give it the rows as they were encoded, or the frame they were made of",
            )


class TextEngine:
    """A model that reads numbers of texts, for who has the texts.

    Args:
        engine: The model itself, with its fills.
        reading: From rows to what it reads.
    """

    def __init__(self, engine: Engine, reading: Reading) -> None:
        self._engine = engine
        self._reading = reading

    def predict(self, rows: Matrix) -> Matrix:
        """As :meth:`Engine.predict`."""
        return self._engine.predict(self._reading.matrix(rows))

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """As :meth:`Engine.predict_row`."""
        made: Sequence[float] = self._reading.row(row)  # type: ignore[assignment]  # a vector is read as a list is
        return self._engine.predict_row(made)

    def explain(self, rows: Matrix) -> Matrix | None:
        """As :meth:`Engine.explain`; what a text's numbers contribute counts to the text."""
        explained = self._engine.explain(self._reading.matrix(rows))
        return None if explained is None else self._reading.by_feature(np.asarray(explained))

    def words(self, rows: Matrix) -> list[dict[str, list[list[tuple[str, float]]]]]:
        """Which pieces of its texts moved each row most.

        Returns:
            For each row: text feature → for each output the pieces that the text has and what each adds to the margin,
            the greatest first; nothing where the model does not tell.
        """
        read = self._reading.matrix(rows)
        explained = self._engine.explain(read)
        if explained is None:
            return [{} for _ in read]
        added = np.asarray(explained)
        added = added[:, None, :] if added.ndim == 2 else added
        return [self._moved(numbers, outputs) for numbers, outputs in zip(read, added, strict=True)]

    def _moved(self, numbers: np.ndarray, outputs: np.ndarray) -> dict[str, list[list[tuple[str, float]]]]:
        found = {}
        reading = self._reading
        for at, encoder, span in zip(reading.schema.texts, reading.encoders, reading.spans, strict=True):
            if not encoder.names_words:
                continue
            there = np.flatnonzero(numbers[span])
            found[reading.schema.fields[at].name] = [
                [
                    (encoder.columns[place], float(added[span][place]))
                    for place in there[np.argsort(-np.abs(added[span][there]), kind="stable")][:WORDS]
                ]
                for added in outputs
            ]
        return found


def with_texts(schema: InputSchema, declared: Sequence[Text], strings: Sequence[str]) -> InputSchema:
    """The schema with the features that are declared as texts.

    Args:
        schema: As it was learned from rows.
        declared: How texts become numbers.
        strings: Names of the columns that hold text.

    Raises:
        TrainingError: A declared feature holds no text.
    """
    texts = {each.feature for each in declared}
    for field in schema.fields:
        if field.name in texts and field.name not in strings:
            raise TrainingError(
                f"feature {field.name} is declared as text, and holds none", found=f"a {field.type}", expected="text",
                do="Leave it out of text=",
            )  # fmt: skip
    return InputSchema(
        tuple(replace(field, type="text", categories=()) if field.name in texts else field for field in schema.fields)
    )


def learn_reading(schema: InputSchema, declared: Sequence[Text], rows: Matrix) -> Reading | None:
    """Learns what makes numbers of the texts of rows that teach; nothing where the schema has none.

    Raises:
        TrainingError: There is nothing to learn from a feature's texts, or too much would come of them.
    """
    if not schema.texts:
        return None
    texts = texts_of(rows)
    assert texts is not None, "encoded with the schema"
    by_name = {each.feature: each for each in declared}
    encoders = {schema.fields[at].name: by_name[schema.fields[at].name].learn(texts[at]) for at in schema.texts}
    reading = Reading(schema, encoders)
    cells = rows.shape[0] * len(reading.reads.fields)
    if cells > CELLS:
        raise TrainingError(
            f"the texts of {rows.shape[0]:,} rows become {len(reading.reads.fields):,} columns: too many to hold",
            found=f"{cells * 8 / 2**30:.1f} GiB",
            expected=f"at most {CELLS * 8 / 2**30:.0f} GiB",
            do="Keep fewer pieces with most=, or learn from fewer rows",
        )
    return reading
