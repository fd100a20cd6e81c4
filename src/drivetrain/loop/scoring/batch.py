"""Scoring a file: the answers its endpoint would give to every row, at the row's own moment."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path
from typing import get_args

import msgspec
import polars as pl

from drivetrain.core.clock import Micros, now
from drivetrain.core.errors import RefusedError, UsageError
from drivetrain.core.progress import Progress, watcher
from drivetrain.data.source import Source
from drivetrain.features.request import TYPES
from drivetrain.loop.audit import note_read
from drivetrain.loop.classes import classes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.scoring.features import FeatureSource
from drivetrain.loop.scoring.inputs import Batch, InputFile
from drivetrain.loop.scoring.instances import Misfit, moments
from drivetrain.loop.scoring.output import Aside
from drivetrain.loop.scoring.scorer import AT, PREDICTION, VERSION, Scorer
from drivetrain.loop.serving_plan import plan_of
from drivetrain.serve.plan import EndpointPlan, RequestField, unkept

ROWS: dict[FeatureSource, int] = {"online": 1 << 15, "offline": 1 << 19}
"""Rows of a batch; a join reads its tables anew for every one."""
SHOWN = 3
"""Rows that are named where some don't fit."""
REASON = "reason"
_ANSWER = re.compile(rf"{PREDICTION}(_\d+)?")


class Scored(msgspec.Struct, frozen=True, kw_only=True):
    """What became of a file."""

    endpoint: str
    model: str
    version: int
    features: FeatureSource
    rows: int
    """Rows that have a prediction."""
    refused: int
    """Rows that have none, because they don't fit the endpoint's fields."""
    seconds: float
    rows_per_second: float
    output: str
    refused_output: str | None = None
    """Where the refused rows are, each with its reason."""


@dataclass(frozen=True, kw_only=True)
class Ask:
    """What is to be scored, and how.

    Attributes:
        input: Rows: Parquet, CSV or JSON lines.
        output: Parquet file for the rows with their predictions.
        at: The moment of every row; if none that in its column ``at``, or the present one.
        features: ``online`` as the endpoint, ``offline`` joined from the tables.
        version: Number of the version to ask; the champion if none.
        skip_bad: Whether rows that don't fit are written to a file of their own, instead of refusing the whole.
    """

    input: Path
    output: Path
    at: Micros | None = None
    features: FeatureSource = "online"
    version: int | None = None
    skip_bad: bool = False


def predict_batch(project: Definitions, endpoint: str | None, ask: Ask, *, progress: Progress | None = None) -> Scored:
    """See :meth:`Project.predict_batch`."""
    began = time.perf_counter()
    if ask.features not in get_args(FeatureSource):
        raise UsageError("features can't come from there", found=repr(ask.features), expected="online or offline")
    refused_output = Path(f"{ask.output}.refused.parquet")
    if ask.input.resolve() in {ask.output.resolve(), refused_output.resolve()}:
        raise UsageError("scoring would write over its input", found=ask.input, do="Name another output")
    found = project.find_endpoint(endpoint)
    plan = plan_of(found)
    file = InputFile(ask.input, plan.fields, ROWS[ask.features])
    timed = _timed(file, ask)
    aside = Aside(ask.output)
    scorer = Scorer(project, found, plan, ask.version, ask.features)
    _check_free([name for name in file.schema if name in scorer.more], ask)
    watching = watcher(progress)
    with aside:
        work = _Work(file, ask, scorer, aside, timed=timed, unkept=_unkept(found, plan, file))
        made = work.done(watching)
        refused = aside.gathered()
        if refused is None:
            refused_output.unlink(missing_ok=True)  # of an earlier file: nothing was refused this time
        else:
            aside.publish(refused, refused_output)
        aside.publish(made, ask.output)
    told = classes_of(found.model).personal & {*file.schema, PREDICTION} - work.unkept
    note_read(project, "predict", found.name, told, work.rows)
    seconds = time.perf_counter() - began
    return Scored(
        endpoint=found.name,
        model=found.model.name,
        version=scorer.record.version,
        features=ask.features,
        rows=work.rows,
        refused=work.refused,
        seconds=seconds,
        rows_per_second=work.rows / seconds,
        output=str(ask.output),
        refused_output=None if refused is None else str(refused_output),
    )


class _Work:
    """One file under way.

    Attributes:
        rows: Rows that fitted so far.
        refused: Rows that did not.
        unkept: Columns that are not written.
    """

    def __init__(
        self, file: InputFile, ask: Ask, scorer: Scorer, aside: Aside, *, timed: bool, unkept: frozenset[str]
    ) -> None:
        self.unkept = unkept
        self.rows = self.refused = 0
        self._file = file
        self._ask = ask
        self._scorer = scorer
        self._aside = aside
        self._timed = timed
        self._at = now() if ask.at is None else ask.at
        self._first: list[str] = []

    def done(self, watching: Progress) -> Path:
        """Scores the file; where the scored rows are, aside.

        Raises:
            RefusedError: Rows don't fit, and may not be left out.
        """
        task = f"score {self._file.path.name}"
        watching.start(task, self._file.total)
        batches = self._scored(watching, task)
        first = next(batches, None)
        schema = self._scorer.columns_of_none(self._written) if first is None else first.schema
        made = self._aside.write(iter(()) if first is None else chain([first], batches), schema)
        if self.refused and not self._ask.skip_bad:
            more = self.refused - len(self._first)
            raise RefusedError(
                f"{self.refused:,} of {self.refused + self.rows:,} rows of {self._file.path.name} do not fit the "
                f"request: {'; '.join(self._first)}{f'; and {more:,} more' if more else ''}",
                do="Mend them, or leave them out with --skip-bad; nothing was written",
            )
        watching.finish(task, f"{self.rows:,} rows")
        return made

    @property
    def _written(self) -> pl.Schema:
        return pl.Schema({name: kind for name, kind in self._file.schema.items() if name not in self.unkept})

    def _scored(self, watching: Progress, task: str) -> Iterator[pl.DataFrame]:
        for read in self._file.batches():
            batch, at = self._fitting(read, *self._moments(read))
            self.rows += batch.carried.height
            if batch.carried.height and (self._ask.skip_bad or not self.refused):
                yield self._scorer.answered(batch.carried.drop(self.unkept), batch.values, at)
            watching.advance(task, read.carried.height, f"{self.rows:,} rows")

    def _moments(self, batch: Batch) -> tuple[pl.Series, list[Misfit]]:
        if not self._timed:
            at = pl.Series(AT, [self._at], dtype=pl.Int64).cast(TYPES["time"])
            return at.new_from_index(0, batch.carried.height), batch.misfits
        column = batch.carried[AT]
        at = moments(column)
        misfit = [Misfit(RequestField(AT, "time"), at.is_null(), column)] if at.null_count() else []
        return at, [*batch.misfits, *misfit]

    def _fitting(self, batch: Batch, at: pl.Series, misfits: list[Misfit]) -> tuple[Batch, pl.Series]:
        """The rows that fit. The first others are told of, and where they may be left out, all are kept aside."""
        if not misfits:
            return batch, at
        bad = misfits[0].rows
        for misfit in misfits[1:]:
            bad |= misfit.rows
        places = bad.arg_true().to_list()
        self.refused += len(places)
        space = SHOWN - len(self._first)
        named = places if self._ask.skip_bad else places[:space]
        reasons = ["; ".join(misfit.told(row) for misfit in misfits if misfit.rows[row]) for row in named]
        told = list(zip(named, reasons, strict=True))[:space]
        self._first += [f"row {batch.first + row + 1}: {reason}" for row, reason in told]
        if self._ask.skip_bad:
            self._aside.keep(batch.carried.filter(bad).drop(self.unkept).with_columns(pl.Series(REASON, reasons)))
        fits = ~bad
        return Batch(batch.first, batch.carried.filter(fits), batch.values.filter(fits), []), at.filter(fits)


def _unkept(endpoint: Endpoint, plan: EndpointPlan, file: InputFile) -> frozenset[str]:
    """Columns of the file that the endpoint's log would not keep, and no file of answers either."""
    source = endpoint.model.label.source
    columns = source.contract.columns if isinstance(source, Source) else {}
    others = {name: column.privacy for name, column in columns.items()}
    return frozenset(file.schema) & (plan.withheld | unkept(others, keep_sensitive=plan.keep_sensitive))


def _timed(file: InputFile, ask: Ask) -> bool:
    """Whether the file says the moment of each row; checks that its columns can stand beside those of the answers."""
    timed = AT in file.schema and ask.at is None
    made = {VERSION} | ({REASON} if ask.skip_bad else set()) | (set() if timed else {AT})
    _check_free([name for name in file.schema if name in made or _ANSWER.fullmatch(name)], ask)
    if timed and not isinstance(file.schema[AT], pl.String | pl.Datetime | pl.Date):
        raise UsageError(
            f"the column at of {ask.input.name} holds no moments",
            found=file.schema[AT],
            expected="times such as 2013-07-01T09:30:00Z",
        )
    return timed


def _check_free(taken: list[str], ask: Ask) -> None:
    if taken:
        raise UsageError(
            f"{ask.input.name} has columns that scoring makes",
            found=", ".join(taken),
            do="Rename them, or leave them out",
        )
