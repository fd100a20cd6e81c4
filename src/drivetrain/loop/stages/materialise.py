"""A table version becomes online rows."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.clock import DAY, Micros, now
from drivetrain.core.progress import Progress
from drivetrain.features.online.materialise import materialise
from drivetrain.features.view import FeatureView
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version

GRACE: Micros = 2 * DAY
"""How far behind an entity's newest event a request may be dated: replays ask about a day whose rows are all there."""


def materialise_node(project: Definitions, view: FeatureView) -> Node:
    """Brings a view's online rows up to its table's version."""
    ingest = f"ingest:{view.source.name}"

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        task = f"online features: {view.name}"
        progress.start(task)
        version = table_version(project, inputs[ingest]["table"])
        done = materialise(project.store, view, version.version, now=now(), grace=GRACE)
        progress.finish(task, f"{done.rows:,} rows into {done.entities:,} entities")
        return {"online": f"online:{view.space}#{version.version}"}

    return Node(
        name=f"online:{view.name}",
        group="features",
        words=f"keep {view.name} ready for requests, a row per {view.entity.name}",
        code=view.digest,
        parameters="",
        needs=(ingest,),
        action=action,
    )
