"""Rows that two versions can both be asked about, each with the features as that version knows them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import polars as pl

from drivetrain.core.clock import datetime_of
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import ModelVersion, Run, TableVersion
from drivetrain.features.encoding import encode
from drivetrain.features.exact import Floats
from drivetrain.features.label import AT, ENTITY
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.diff.said import Rows

_KEYS = [ENTITY, AT]


class Shared(NamedTuple):
    """The same rows twice, in the same order.

    Attributes:
        of: Whether one of the versions learned from them.
        before: With the first version's features.
        after: With the second's.
        note: Why there are none, or why they are not better.
    """

    of: Rows
    before: pl.DataFrame
    after: pl.DataFrame
    note: str = ""

    @property
    def rows(self) -> int:
        """How many."""
        return self.after.height

    def taken(self, places: np.ndarray) -> Shared:
        """Some of them."""
        return self._replace(before=self.before[places], after=self.after[places])

    def inputs(self, before: ModelVersion, after: ModelVersion) -> tuple[Floats, Floats]:
        """What the models read."""
        return encode(self.before, before.input_schema), encode(self.after, after.input_schema)


def shared_rows(project: Definitions, before: ModelVersion, after: ModelVersion) -> Shared:
    """The rows of both versions' test windows that neither learned from; where there are none, any they share.

    A training set serves a version that was not trained on it where its columns are the version's own: by name, and
    made by definitions with the same digest. Else each version reads its own training set, and the rows that both have
    are taken: each is then asked with the features that it knows.
    """
    runs = [project.store.catalog.get(Run, version.run_id) for version in (before, after)]
    fence = max((run.train_until for run in runs if run is not None), default=0)
    found, notes = _candidates(project, before, after)
    for shared in found:
        unseen = (shared.after[AT] >= datetime_of(fence)).to_numpy()
        if unseen.any():
            return shared.taken(np.flatnonzero(unseen))
    if not found:
        return Shared("none", pl.DataFrame(), pl.DataFrame(), " ".join(notes))
    most = max(found, key=lambda shared: shared.rows)
    return most._replace(of="seen", note="No row that both have is one that neither of them learned from.")


def _candidates(project: Definitions, before: ModelVersion, after: ModelVersion) -> tuple[list[Shared], list[str]]:
    """Pairs of frames that both can be asked with, the newest training set first; and what stood in the way."""
    frames: dict[str, pl.DataFrame] = {}
    notes: list[str] = []
    for version in (after, before):
        if version.training_set not in frames:
            try:
                frames[version.training_set] = _read(project, version)
            except DrivetrainError as error:
                notes.append(f"The rows that v{version.version} was trained on can't be read: {error}")
    found: list[Shared] = []
    for owner, other in ((after, before), (before, after)):
        frame = frames.get(owner.training_set)
        if frame is not None and (owner.training_set == other.training_set or _reads(other, owner, frame)):
            found.append(Shared("unseen", frame, frame))
    if not found and len(frames) == 2:
        theirs, ours = (frames[version.training_set].unique(_KEYS, keep="none") for version in (before, after))
        both = ours.select(_KEYS).join(theirs.select(_KEYS), on=_KEYS).sort(_KEYS[::-1])
        if both.height:
            found.append(
                Shared(
                    "unseen",
                    both.join(theirs, on=_KEYS, how="left", maintain_order="left"),
                    both.join(ours, on=_KEYS, how="left", maintain_order="left"),
                )
            )
        else:
            notes.append("Their features are made otherwise, and no row is in both training sets.")
    elif not found and not notes:
        notes.append("There are no rows that both could be asked about.")
    return found, notes


def _reads(version: ModelVersion, owner: ModelVersion, frame: pl.DataFrame) -> bool:
    """Whether a training set of another version has a version's features as it knows them."""
    same = all(owner.features.get(name) == digest for name, digest in version.features.items())
    return same and set(version.input_schema.names) <= set(frame.columns)


def _read(project: Definitions, version: ModelVersion) -> pl.DataFrame:
    ref = version.training_set.removeprefix(f"{TableVersion.kind}:")
    table, _, number = ref.rpartition("@")
    return project.store.tables.read(table, int(number)).sort(AT, ENTITY, maintain_order=True)
