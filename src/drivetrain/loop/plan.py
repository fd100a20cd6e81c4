"""What would run, and why; nothing is done."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

import msgspec

from drivetrain.core.hashing import Digest
from drivetrain.core.notebook import shown
from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Step
from drivetrain.loop.node import Node, Outputs, in_order
from drivetrain.loop.runner import identity


class PlannedStep(msgspec.Struct, frozen=True):
    """One step of the plan.

    ``state`` is ``done`` (nothing to do), ``run`` (its own inputs changed), or ``depends``: something it needs runs
    first, and it runs unless that leaves its inputs as they were.
    """

    name: str
    group: str
    words: str
    state: Literal["done", "run", "depends"]
    why: str

    _repr_html_ = shown

    @property
    def due(self) -> bool:
        """Whether a run would look at it: surely, or depending on what comes before."""
        return self.state != "done"


def plan_nodes(nodes: Mapping[str, Node], *, catalog: Catalog, environment: Digest) -> list[PlannedStep]:
    """Compares every node with the catalog."""
    outputs: dict[str, Outputs] = {}
    planned: list[PlannedStep] = []
    for node in in_order(nodes):
        moved = [need for need in node.needs if need not in outputs]
        if moved:
            planned.append(_step(node, "depends", f"after {', '.join(moved)}"))
            continue
        step = identity(node, environment, outputs)
        known = catalog.get(Step, step.key)
        if known is not None and known.status == "done":
            outputs[node.name] = known.outputs
            planned.append(_step(node, "done", "nothing changed since it ran"))
        else:
            planned.append(_step(node, "run", _why(step, known, catalog)))
    return planned


def _step(node: Node, state: Literal["done", "run", "depends"], why: str) -> PlannedStep:
    return PlannedStep(node.name, node.group, node.words, state, why)


def _why(step: Step, known: Step | None, catalog: Catalog) -> str:
    if known is not None:
        return f"it failed: {known.error}" if known.status == "failed" else "it was interrupted"
    last = next(iter(catalog.find(Step, step.name, limit=1)), None)
    if last is None:
        return "it has never run"
    reasons = [
        words
        for words, old, new in (
            ("its code changed", last.code, step.code),
            ("its definition changed", last.parameters, step.parameters),
            ("the environment changed", last.environment, step.environment),
        )
        if old != new
    ]
    changed = [name for name, value in step.inputs.items() if last.inputs.get(name) != value]
    gone = [name for name in last.inputs if name not in step.inputs]
    if changed:
        reasons.append(f"new from {', '.join(changed)}")
    if gone:
        reasons.append(f"{', '.join(gone)} no longer feeds it")
    return "; ".join(reasons) or "its last run is not on record"
