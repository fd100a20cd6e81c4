"""Why two versions answer a row otherwise: the difference of what each feature adds to their margins."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from drivetrain.core.link import Link
from drivetrain.core.protocols import Engine
from drivetrain.core.records import ModelVersion
from drivetrain.features.exact import Floats
from drivetrain.loop.diff.said import Cause
from drivetrain.serve.explain.unit import UNITS, Unit
from drivetrain.store.bundle import Store
from drivetrain.train.background import FORMAT
from drivetrain.train.deciding.reading import own
from drivetrain.train.margin import by_output, explaining, margin_link, probes

BASE = "(base)"
TOP = 5


class Contributions(NamedTuple):
    """What each feature adds to the margins of both versions, row by row.

    Attributes:
        names: Features of either, then the base.
        before: Shape (rows, names); 0 of a feature that the version does not read.
        after: The same of the other.
        unit: What they are measured in.
    """

    names: tuple[str, ...]
    before: Floats
    after: Floats
    unit: Unit

    def mean(self, mask: np.ndarray | None = None) -> tuple[Cause, ...]:
        """Mean contributions, those whose difference is greatest first; the greatest few."""
        before, after = (part if mask is None else part[mask] for part in (self.before, self.after))
        return self._causes(before.mean(axis=0), after.mean(axis=0), np.abs(after - before).mean(axis=0))

    def row(self, place: int, values: Sequence[dict[str, Any]]) -> tuple[Cause, ...]:
        """The contributions of one row, with its values in both."""
        before, after = self.before[place], self.after[place]
        return self._causes(before, after, np.abs(after - before), values)

    def _causes(
        self, before: Floats, after: Floats, weight: Floats, values: Sequence[dict[str, Any]] | None = None
    ) -> tuple[Cause, ...]:
        order = [int(at) for at in np.argsort(-weight, kind="stable")[:TOP] if weight[at] > 0]
        return tuple(
            Cause(
                feature=self.names[at],
                before=float(before[at]),
                after=float(after[at]),
                size=float(weight[at]),
                values=_values(self.names[at], values),
            )
            for at in order
        )


def contributions(
    store: Store, versions: Sequence[ModelVersion], engines: Sequence[Engine], inputs: Sequence[Floats]
) -> Contributions | str:
    """What features add to the margins of the same rows.

    Args:
        store: Where other forms of the models may be.
        versions: Both.
        engines: Theirs.
        inputs: The rows as each reads them.

    Returns:
        The contributions; or in a sentence, why there are none.
    """
    told: list[Floats] = []
    links: list[Link] = []
    for version, engine, rows in zip(versions, engines, inputs, strict=True):
        found = _explaining(store, version, engine)
        if found is None:
            return f"v{version.version} does not tell what its features add; it can only be asked."
        values = by_output(np.asarray(found[0].explain(rows), dtype=np.float64))
        if values.shape[1] != 1:
            return f"v{version.version} answers with several numbers; contributions are compared of one."
        told.append(values[:, 0, :])
        links.append(found[1])
    if links[0] != links[1]:
        return f"One's margin is in {UNITS[links[0]]}, the other's in {UNITS[links[1]]}: they don't compare."
    names = (*dict.fromkeys((*versions[0].input_schema.names, *versions[1].input_schema.names)), BASE)
    before, after = (
        _placed(names, (*version.input_schema.names, BASE), values)
        for version, values in zip(versions, told, strict=True)
    )
    return Contributions(names, before, after, UNITS[links[0]])


def _explaining(store: Store, version: ModelVersion, engine: Engine) -> tuple[Engine, Link] | None:
    rows = probes(version.input_schema)
    model = own(engine)  # contributions add up to what it says before that is calibrated
    link = margin_link(model, rows)
    if link is not None:
        return model, link
    forms = [artifact for artifact in version.artifacts[1:] if artifact.format != FORMAT]
    return explaining(store.blobs, forms, version.input_schema, rows)


def _placed(names: Sequence[str], own: Sequence[str], values: Floats) -> Floats:
    placed = np.zeros((len(values), len(names)))
    placed[:, [names.index(name) for name in own]] = values
    return placed


def _values(name: str, values: Sequence[dict[str, Any]] | None) -> tuple[Any, Any] | None:
    if values is None or name == BASE:
        return None
    return values[0].get(name), values[1].get(name)
