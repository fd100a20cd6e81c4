"""Why a served feature value differs from the one computed now: told only where computing it again shows it."""

from __future__ import annotations

from bisect import bisect_left
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Literal, TypeAlias

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, SECOND, Micros, iso
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.hashing import Digest
from drivetrain.core.records import InputSchema
from drivetrain.data import ledger
from drivetrain.features.asked import entity_of
from drivetrain.features.encoding import encode
from drivetrain.features.events import keys_of, times_of
from drivetrain.features.exact import Floats, Places
from drivetrain.features.label import AT
from drivetrain.features.online.reader import OnlineReader
from drivetrain.features.point_in_time import features_at
from drivetrain.features.skew import agreeing
from drivetrain.features.view import SEQUENCE, FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.missed import Missed, MissedPushes
from drivetrain.loop.stages.materialise import GRACE
from drivetrain.loop.standing import Past, Standing

Cause: TypeAlias = Literal[
    "late row",
    "not yet materialised",
    "pushed only",
    "missed push",
    "changed definition",
    "asked too far back",
    "not looked into",
    "unexplained",
]
MOST_STANDINGS = 100
"""States of table and online rows that values are computed from again, for each view; the rest is not looked into."""


@dataclass(frozen=True, eq=False)
class Served:
    """Predictions, and what was served of one view.

    Attributes:
        requests: The requests, with their moments and the entity's keys.
        logged: The same predictions as the log has them.
        fields: The view's features as the model reads them.
        values: What was served of each, shape (predictions, fields).
    """

    requests: pl.DataFrame
    logged: pl.DataFrame
    fields: InputSchema
    values: Floats


class Inquest:
    """Why values of one view differ, for some predictions.

    Args:
        project: Where tables and records are.
        view: The view, as it is declared now.
        digest: Its digest as it was declared when the version was trained.
        served: What was served.
    """

    def __init__(self, project: Definitions, view: FeatureView, digest: Digest, served: Served) -> None:
        self._store = project.store
        self._view = view
        self._otherwise: Cause = "unexplained" if digest == view.digest else "changed definition"
        self._table = view.source.name
        self._fields = served.fields
        self._served = served.values
        requests, logged = served.requests, served.logged
        self._keys = keys_of(requests, view.entity.keys, view.entity.keys, "the logged requests")
        self._moment: Places = requests[AT].dt.epoch("us").to_numpy()
        self._logged: Places = logged["logged_at"].dt.epoch("us").to_numpy()
        self._past = Past(project, view, f"{view.name}@{digest}")
        began = self._logged - logged["latency_us"].to_numpy()
        self._standing = [
            self._past.at(int(since), int(until)) for since, until in zip(began, self._logged, strict=True)
        ]

        self._missed: dict[int, Missed] = {}

    @cached_property
    def causes(self) -> list[list[Cause]]:
        """The cause of every value, were it to differ; by prediction, then field."""
        groups: dict[Standing, list[int]] = defaultdict(list)
        for place, standing in enumerate(self._standing):
            groups[standing].append(place)
        found: list[list[Cause]] = [["not looked into"] * len(self._fields.fields) for _ in self._standing]
        for standing in sorted(groups, key=lambda one: len(groups[one]), reverse=True)[:MOST_STANDINGS]:
            places = np.array(groups[standing])
            for place, row in zip(groups[standing], self._judged(standing, places).tolist(), strict=True):
                found[place] = row
        return found

    def words(self, place: int, cause: Cause) -> str:
        """The cause of a prediction's difference, in a sentence."""
        standing, served = self._standing[place], _second(int(self._logged[place]))
        if cause == "late row":
            return self._late_words(place, standing, served)
        if cause == "missed push":
            return self._missed_words(self._missed[place], served)
        view, table, held = self._view.name, self._table, standing.online[0]
        filled = "had never been filled" if held is None else f"held {table}@{held}"
        sentences: dict[Cause, str] = {
            "not yet materialised": f"the online rows of {view} were behind: when it was served, {served}, they "
            f"{filled}, while the table stood at {table}@{standing.table}",
            "pushed only": f"the online rows of {view} give it still: they hold an event that was pushed, and that no "
            f"row of {table} has brought so far",
            "changed definition": f"source {table} is declared otherwise than {served}, and its table was made anew"
            if self._otherwise == "unexplained"
            else f"{view} is declared otherwise than when the version was trained: it was served as declared then",
            "asked too far back": f"asked about {iso(int(self._moment[place]))}, more than {GRACE // DAY} days before "
            "its newest event: online rows do not tell events that long ago apart",
            "not looked into": f"only the {MOST_STANDINGS} most frequent states of {view} were computed again",
        }
        unknown = f"neither rows that came late nor online rows that were behind give what was served, {served}"
        return sentences.get(cause, unknown)

    def _judged(self, standing: Standing, places: Places) -> np.ndarray:
        """Causes of the values of predictions that were answered from one state, shape (predictions, fields)."""
        served = self._served[places]
        causes = np.full(served.shape, self._otherwise, dtype=object)
        late: Cause = "changed definition" if self._made_anew(standing.table) else "late row"
        behind: list[tuple[int | None, Cause]] = [
            (version, "not yet materialised") for version in standing.online if version != standing.table
        ]
        unsettled = np.ones(served.shape, dtype=bool)
        for version, cause in [(standing.table, late), *behind]:
            held = self._as_of(version, places)
            if held is not None:
                shown = unsettled & agreeing(served, held)
                causes[shown] = cause
                unsettled &= ~shown
        left = np.flatnonzero(unsettled.any(axis=1))
        if len(left):
            online, ahead = self._still(places[left], served[left])
            pushed = unsettled[left] & agreeing(served[left], online) & ahead[:, np.newaxis]
            far = unsettled[left] & np.isnan(served[left]) & self._far_back(standing, places[left])[:, np.newaxis]
            causes[left] = np.where(far, "asked too far back", np.where(pushed, "pushed only", causes[left]))
            unknown = unsettled[left] & ~far & ~pushed
            for at in left[unknown.any(axis=1)].tolist():
                missed = self._missing(standing, int(places[at]))
                if missed is not None:
                    self._missed[int(places[at])] = missed
                    causes[at] = "missed push"
        return causes

    @cached_property
    def _pushes(self) -> MissedPushes:
        return MissedPushes(self._view, self._store.tables.scan(self._table), self._fields)

    def _missing(self, standing: Standing, place: int) -> Missed | None:
        if self._otherwise != "unexplained" or self._made_anew(standing.table):
            return None
        return self._pushes.of(
            self._keys[[place]], int(self._moment[place]), self._served[place], self._last_of(standing.table)
        )

    def _last_of(self, version: int | None) -> int:
        """Sequence of the last row that a version of the table had."""
        return 0 if version is None else ledger.entry_at(self._store.tables, self._table, version).sequence

    def _as_of(self, version: int | None, places: Places) -> Floats | None:
        """The values from a version of the table, or from an empty one; none where they can't be had any more."""
        try:
            rows = self._rows(version)
            frame = features_at(self._view, rows, self._keys[places], self._moment[places])
            return encode(frame, self._fields)
        except DrivetrainError:  # a version that was erased, or that lacked a column
            return None

    def _rows(self, version: int | None) -> pl.LazyFrame:
        rows = self._store.tables.scan(self._table, version)
        return rows.limit(0) if version is None else rows

    def _made_anew(self, version: int | None) -> bool:
        """Whether the table was filled under another definition of its source since a version."""
        if version is None:
            return False
        present = ledger.last_entry(self._store.tables, self._table)
        before = ledger.entry_at(self._store.tables, self._table, version)
        return present is not None and present[0].definition != before.definition

    def _far_back(self, standing: Standing, places: Places) -> np.ndarray:
        """Which predictions are of moments that online rows could not tell: they had let go of events."""
        held = standing.online[0]
        if held is not None and not self._store.tables.has(self._table, held):  # it was erased since
            return np.zeros(len(places), dtype=bool)
        asked = self._keys[places]
        entities = asked.unique(maintain_order=True)
        keys, event, _, _ = times_of(self._view, self._rows(held))
        entity = entity_of(keys, entities)
        known = (entity >= 0) & (event < np.iinfo(np.int64).max)
        event, entity = event[known], entity[known]
        newest = np.full(len(entities), np.iinfo(np.int64).min)
        oldest = np.full(len(entities), np.iinfo(np.int64).max)
        np.maximum.at(newest, entity, event)
        np.minimum.at(oldest, entity, event)
        mine = entity_of(asked, entities)
        trimmed = oldest + self._view.horizon + GRACE <= newest
        far: np.ndarray = (trimmed & (newest > np.iinfo(np.int64).min))[mine]
        return far & (self._moment[places] + GRACE < newest[mine])

    def _still(self, places: Places, served: Floats) -> tuple[Floats, np.ndarray]:
        """The values from the online rows as they are now, and which of those that agree know more than the table does.

        That is: their newest event known at the moment is newer than the newest that the table has a row of.
        """
        moment = self._moment[places]
        answers = OnlineReader(self._store.online, [self._view]).read(self._keys[places].to_dicts(), moment.tolist())
        at = [self._view.feature_names.index(name) for name in self._fields.names]
        encode_row = self._fields.encoder().encode
        values = np.array([encode_row([found[place] for place in at]) for found, _ in answers], dtype=np.float64)
        ahead = np.zeros(len(places), dtype=bool)
        agree = np.flatnonzero(agreeing(served, values).any(axis=1))
        if len(agree):
            keys, event, available, _ = times_of(self._view, self._store.tables.scan(self._table))
            asked = self._keys[places[agree]].unique(maintain_order=True)
            mine, entity = entity_of(self._keys[places[agree]], asked), entity_of(keys, asked)
            order = np.argsort(entity, kind="stable")
            starts = np.searchsorted(entity[order], np.arange(len(asked) + 1))
            for place, one in zip(agree.tolist(), mine.tolist(), strict=True):
                rows = order[starts[one] : starts[one + 1]] if one >= 0 else order[:0]
                known = np.maximum(event, available)[rows] <= moment[place]
                newest = event[rows][known].max(initial=0)
                ahead[place] = moment[place] - answers[place][1][0] * SECOND > newest + SECOND / 1_000
        return values, ahead

    def _late_words(self, place: int, standing: Standing, served: str) -> str:
        tables = self._store.tables
        rows = tables.scan(self._table).filter(pl.col(SEQUENCE) > self._last_of(standing.table))
        keys, event, available, sequence = times_of(self._view, rows)
        moment = self._moment[place]
        mine = (entity_of(keys, self._keys[[place]]) == 0) & (event <= moment) & (available <= moment)
        if not mine.any():
            return (
                f"rows of {self._table} that it was made from were taken out or changed after it was served, {served}"
            )
        came = _second(self._came(int(sequence[mine].min())))
        known: Micros = int(np.maximum(event, available)[mine].max())
        many = int(mine.sum())
        counted = "a row" if many == 1 else f"{many:,} rows"
        return (
            f"{counted} of {self._table} came in {came}, after it was served ({served}), though known {iso(known)} "
            "by its own account"
        )

    def _missed_words(self, missed: Missed, served: str) -> str:
        def many(count: int) -> str:
            return "a row" if count == 1 else f"{count:,} rows"

        return (
            f"it was made without {many(missed.rows)} of {self._table}, known {iso(missed.first)} but neither pushed "
            f"nor in the table when it was served, {served}; {many(missed.others)} more had been pushed by then"
        )

    def _came(self, sequence: int) -> Micros:
        """When the version was committed that brought a row."""
        versions: Sequence[int] = range((self._store.tables.version(self._table) or 0) + 1)
        place = bisect_left(
            versions, sequence, key=lambda version: ledger.entry_at(self._store.tables, self._table, version).sequence
        )
        return self._past.written(versions[min(place, len(versions) - 1)])


def _second(moment: Micros) -> str:
    return iso(moment // SECOND * SECOND)
