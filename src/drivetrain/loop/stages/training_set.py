"""Table versions become a point-in-time training set, itself a table version."""

from __future__ import annotations

from collections.abc import Mapping

import polars as pl

from drivetrain.core.clock import Micros, datetime_of, iso, now
from drivetrain.core.errors import TrainingError
from drivetrain.core.hashing import digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import ColumnType, Link, TableVersion
from drivetrain.features.label import AT, LABEL, LABEL_AT, labels_frame
from drivetrain.features.training_set import build
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version


def training_table(model: str) -> str:
    """Name of the table that holds a model's training sets."""
    return f"training/{model}"


_BEFORE = "before all of "


def training_set_node(project: Definitions, model: Model, at: Micros | None = None) -> Node:
    """Joins labels and features as they were known at each label's moment.

    Args:
        project: Where the tables are.
        model: Whose training set it is.
        at: Only labels known by then, where some became known later; all by default.
    """
    sources = tuple(dict.fromkeys([model.label.source.name, *(view.source.name for view in model.views)]))

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        task = f"training set: {model.name}"
        progress.start(task)
        refs = {name: inputs[f"ingest:{name}"]["table"] for name in sources}
        version = build_training_set(project, model, refs, at)
        unlabelled = int(version.reasons.get("no label", 0))
        early = "".join(f", {count:,} {why}" for why, count in version.reasons.items() if why.startswith(_BEFORE))
        progress.finish(task, f"{version.rows:,} rows, {unlabelled:,} without a label{early}")
        return {"table": version.ref}

    return Node(
        name=f"training_set:{model.name}" + ("" if at is None else f" as of {iso(at)}"),
        group="model",
        words=f"join {len(model.feature_names())} features of {len(model.views)} views to each label, as of its moment",
        code=model.data_digest(),
        parameters="" if at is None else iso(at),
        needs=tuple(f"ingest:{name}" for name in sources),
        action=action,
    )


def holds_back(model: Model, labels: TableVersion, at: Micros | None) -> Micros | None:
    """``at``, if some label may have become known after it; none if all were known, and asking changes nothing."""
    everything = model.label.at is None and (labels.last_available or 0) <= (at or 0)
    return None if everything else at


def build_training_set(
    project: Definitions, model: Model, refs: Mapping[str, str], at: Micros | None = None
) -> TableVersion:
    """Builds and keeps a training set from the table versions named.

    Rows out equal labels in. Rows without a label (cancelled and diverted flights, say) stay in, with a null label,
    and are counted under ``no label``. Labels held back because they became known after ``at``, or are predicted after
    it, are counted under ``known later``; those of moments before the first row of a view's table, whose features know
    of nothing, under ``before all of`` it.

    Raises:
        TrainingError: The label's table is empty, or no label was known by ``at``.
    """
    store = project.store
    versions = {name: table_version(project, ref) for name, ref in refs.items()}
    frame, every = training_frame(project, model, versions, at)
    table = training_table(model.name)
    number = store.tables.replace(table, frame, note=_note(refs, at))
    moments = frame[AT].dt.epoch("us")
    known = frame[LABEL_AT].dt.epoch("us").max()
    later = {"known later": every - frame.height} if at is not None else {}
    content = [model.data_digest(), [versions[name].digest for name in sorted(versions)], *([] if at is None else [at])]
    made = TableVersion(
        table=table,
        version=number,
        digest=digest(content),
        rows=frame.height,
        added=frame.height,
        reasons={"no label": frame[LABEL].null_count(), **later, **_early(model, versions, moments)},
        columns=tuple(ColumnType(name, str(dtype)) for name, dtype in frame.schema.items()),
        first_event=_micros(moments.min()),
        last_event=_micros(moments.max()),
        last_available=_micros(known),
        at=now(),
    )
    store.catalog.commit(made, links=[Link(ref, made.ref, name) for name, ref in refs.items()])
    return made


def training_frame(
    project: Definitions, model: Model, versions: Mapping[str, TableVersion], at: Micros | None
) -> tuple[pl.DataFrame, int]:
    """The rows of a training set as tables at these versions make it, and how many labels there are.

    Raises:
        TrainingError: The label's table is empty, or no label was known by ``at``.
        UnknownName: A version was erased.
    """
    store = project.store
    label_table = versions[model.label.source.name]
    every = labels_frame(store, model.label, label_table.version, (*model.request_columns, *model.beside))
    if every.is_empty():
        raise TrainingError(
            f"model {model.name!r} has nothing to learn from: table {label_table.table!r} is empty",
            do="Check the source and its quarantine",
        )
    labels = every if at is None else _known_by(model, every, at)
    everything = build(
        labels,
        model.views,
        model.requests,
        lambda name: store.tables.scan(name, versions[name].version),
        model.derived,
    )
    # What only derived views read is no column of the model: its definition may change without the training set's.
    return everything.select(*labels.columns, *model.feature_names()), every.height


def _known_by(model: Model, labels: pl.DataFrame, at: Micros) -> pl.DataFrame:
    """Labels that were known by a moment, of predictions that could have been made by then."""
    moment = pl.max_horizontal(AT, LABEL_AT)
    known = labels.filter(moment <= datetime_of(at))
    if known.is_empty():
        first = _micros(labels.select(moment.dt.epoch("us").min()).item())
        raise TrainingError(
            f"no label of model {model.name!r} was known by then",
            found=iso(at),
            expected=f"{iso(first or 0)} or later, when the first of {labels.height:,} labels became known",
            do="Ask for a later moment, or take in older rows",
        )
    return known


def _early(model: Model, versions: Mapping[str, TableVersion], moments: pl.Series) -> dict[str, int]:
    """Labels before the first row of a view's table, by table; a view with a time of its own is not looked at."""
    counts: dict[str, int] = {}
    for view in model.views:
        first = versions[view.source.name].first_event
        if view.time is None and first is not None and (many := int((moments < first).sum())):
            counts[f"{_BEFORE}{view.source.name}"] = many
    return counts


def _note(refs: Mapping[str, str], at: Micros | None) -> dict[str, str]:
    return {"inputs": ",".join(sorted(refs.values())), **({} if at is None else {"as of": iso(at)})}


def _micros(value: object) -> Micros | None:
    return value if isinstance(value, int) else None
