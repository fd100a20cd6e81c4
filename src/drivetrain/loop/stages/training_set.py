"""Table versions become a point-in-time training set, itself a table version."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.clock import Micros, now
from drivetrain.core.errors import TrainingError
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import ColumnType, Link, TableVersion
from drivetrain.features.label import labels_frame
from drivetrain.features.training_set import build
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version


def training_table(model: str) -> str:
    """Name of the table that holds a model's training sets."""
    return f"training/{model}"


def training_set_node(project: Definitions, model: Model) -> Node:
    """Joins labels and features as they were known at each label's moment."""
    sources = tuple(dict.fromkeys([model.label.source.name, *(view.source.name for view in model.views)]))

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        task = f"training set: {model.name}"
        progress.start(task)
        refs = {name: inputs[f"ingest:{name}"]["table"] for name in sources}
        version = build_training_set(project, model, refs)
        unlabelled = int(version.reasons.get("no label", 0))
        progress.finish(task, f"{version.rows:,} rows, {unlabelled:,} without a label")
        return {"table": version.ref}

    return Node(
        name=f"training_set:{model.name}",
        group="model",
        words=f"join {len(model.feature_names())} features of {len(model.views)} views to each label, as of its moment",
        code=model.data_digest(),
        parameters="",
        needs=tuple(f"ingest:{name}" for name in sources),
        action=action,
    )


def build_training_set(project: Definitions, model: Model, refs: Mapping[str, str]) -> TableVersion:
    """Builds and keeps a training set from the table versions named.

    Rows out equal labels in. Rows without a label (cancelled and diverted flights, say) stay in, with a null label,
    and are counted under ``no label``.

    Raises:
        TrainingError: The label's table is empty.
    """
    store = project.store
    versions = {name: table_version(project, ref) for name, ref in refs.items()}
    label_table = versions[model.label.source.name]
    labels = labels_frame(store, model.label, label_table.version, model.request_columns)
    if labels.is_empty():
        raise TrainingError(
            f"model {model.name!r} has nothing to learn from: table {label_table.table!r} is empty",
            do="Check the source and its quarantine",
        )
    frame = build(labels, model.views, model.requests, lambda name: store.tables.scan(name, versions[name].version))
    table = training_table(model.name)
    number = store.tables.replace(table, frame, note={"inputs": ",".join(sorted(refs.values()))})
    moments = frame["_at"].dt.epoch("us")
    known = frame["_label_at"].dt.epoch("us").max()
    made = TableVersion(
        table=table,
        version=number,
        digest=digest([model.data_digest(), [versions[name].digest for name in sorted(versions)]]),
        rows=frame.height,
        added=frame.height,
        reasons={"no label": frame["_label"].null_count()},
        columns=tuple(ColumnType(name, str(dtype)) for name, dtype in frame.schema.items()),
        first_event=_micros(moments.min()),
        last_event=_micros(moments.max()),
        last_available=_micros(known),
        at=now(),
    )
    store.catalog.commit(made, links=[Link(ref, made.ref, name) for name, ref in refs.items()])
    return made


def _micros(value: object) -> Micros | None:
    return value if isinstance(value, int) else None
