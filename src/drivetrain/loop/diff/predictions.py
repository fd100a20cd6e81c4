"""Whom two versions answer otherwise: by how much, in which slices, and because of which features."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import polars as pl

from drivetrain.core.clock import iso
from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion
from drivetrain.data.treatment import WITHHELD
from drivetrain.evaluate.slices import MISSING, MOST_VALUES, OTHERS
from drivetrain.features.exact import Floats
from drivetrain.features.label import AT, ENTITY, LABEL
from drivetrain.loop.audit import personal_columns
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.diff.rows import Shared
from drivetrain.loop.diff.said import Changed, Predictions, SliceChange
from drivetrain.loop.diff.why import Contributions, contributions

SAMPLE = 2_000
"""Rows that are compared, evenly spaced."""
EXPLAINED = 200
"""Of those, how many have their contributions compared, evenly spaced too: telling them costs more than answering."""
MOST_CHANGED = 10
LEAST_ROWS = 20
"""Rows of the sample that a slice must have to be told."""
UNREAD = "not read"
"""Stands for the value of a feature that a version does not read."""
_AT = (0.5, 0.9, 0.99, 1.0)


def predictions_of(
    project: Definitions,
    versions: Sequence[ModelVersion],
    engines: Sequence[Engine],
    shared: Shared,
    said: tuple[Floats, Floats],
) -> Predictions:
    """Compares answers on a sample of the rows that both can be asked about.

    Args:
        project: Whose.
        versions: Both.
        engines: Theirs.
        shared: The rows.
        said: What they answered, shape (n,) each.
    """
    if any(one.ndim > 1 for one in said):
        return Predictions(of=shared.of, note="Answers of several numbers are not compared row by row.")
    places = np.unique(np.linspace(0, shared.rows - 1, min(SAMPLE, shared.rows)).astype(np.int64))
    sample = shared.taken(places)
    before, after = (one[places] for one in said)
    gap = after - before
    greatest = np.argsort(-np.abs(gap), kind="stable")[:MOST_CHANGED]
    spaced = np.unique(np.linspace(0, len(places) - 1, min(EXPLAINED, len(places))).astype(np.int64))
    asked = np.concatenate([greatest, spaced])
    why = contributions(project.store, versions, engines, sample.taken(asked).inputs(versions[0], versions[1]))
    known = why if isinstance(why, Contributions) else None
    whole = np.arange(len(greatest), len(asked))
    slices = _slices(project, versions[1].model, sample, gap, known, np.concatenate([greatest * 0 - 1, spaced]))
    return Predictions(
        of=shared.of,
        rows=len(places),
        mean=(float(before.mean()), float(after.mean())),
        difference=float(gap.mean()),
        size=float(np.abs(gap).mean()),
        quantiles={f"{share:g}": float(np.quantile(np.abs(gap), share)) for share in _AT},
        crossed=(int(((before < 0.5) & (after >= 0.5)).sum()), int(((before >= 0.5) & (after < 0.5)).sum())),
        changed=tuple(_changed(project, versions, sample, (before, after), greatest, known)),
        slices=tuple(slices),
        causes=known.mean(whole) if known else (),
        unit=known.unit if known else "",
        explained=len(spaced) if known else 0,
        note=" ".join(filter(None, [shared.note, why if isinstance(why, str) else ""])),
    )


def _changed(
    project: Definitions,
    versions: Sequence[ModelVersion],
    sample: Shared,
    said: tuple[Floats, Floats],
    places: np.ndarray,
    why: Contributions | None,
) -> Iterator[Changed]:
    """The rows that changed most; of them, what is or may be personal is withheld."""
    model = project.find_model(versions[1].model)
    names = {*versions[0].input_schema.names, *versions[1].input_schema.names}
    # Of a feature that is not declared any more, nothing says whether it is personal.
    withheld = {*personal_columns(project, model, [ENTITY, *names]), *names - set(model.feature_names())}
    moments = sample.after[AT].dt.epoch("us")
    for order, place in enumerate(int(each) for each in places):
        if said[0][place] == said[1][place]:
            return
        values = [
            {
                name: UNREAD
                if name not in version.input_schema.names
                else WITHHELD
                if name in withheld
                else frame[name][place]
                for name in names
            }
            for version, frame in zip(versions, (sample.before, sample.after), strict=True)
        ]
        yield Changed(
            entity=WITHHELD if ENTITY in withheld else str(sample.after[ENTITY][place]),
            at=iso(int(moments[place])),
            label=sample.after[LABEL][place],
            before=float(said[0][place]),
            after=float(said[1][place]),
            causes=why.row(order, values) if why else (),
        )


def _slices(
    project: Definitions,
    model: str,
    sample: Shared,
    gap: Floats,
    why: Contributions | None,
    explained: np.ndarray,
) -> list[SliceChange]:
    """Slices that the model declares, those that changed most first; values of personal columns are not told.

    ``explained`` is the place in the sample of each row that has contributions; -1 of one that does not count.
    """
    declared = project.find_model(model)
    columns = [name for name in declared.slices if name in sample.after.columns]
    withheld = set(personal_columns(project, declared, columns))
    found: list[SliceChange] = []
    for column in (name for name in columns if name not in withheld):
        text = sample.after[column].cast(pl.String).fill_null(MISSING)
        common = set(text.value_counts(sort=True)[column].head(MOST_VALUES))
        values = np.array([value if value in common else OTHERS for value in text], dtype=np.object_)
        for value in dict.fromkeys(values.tolist()):
            mask = values == value
            if mask.sum() < LEAST_ROWS:
                continue
            told = (explained >= 0) & mask[explained]
            found.append(
                SliceChange(
                    column=column,
                    value=str(value),
                    rows=int(mask.sum()),
                    mean=float(gap[mask].mean()),
                    size=float(np.abs(gap[mask]).mean()),
                    causes=why.mean(told) if why and told.any() else (),
                )
            )
    return sorted(found, key=lambda one: (-one.size, one.column, one.value))
