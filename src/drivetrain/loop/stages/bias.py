"""What a training set says of protected groups, on record before anything is fitted to it."""

from __future__ import annotations

from collections.abc import Mapping

from drivetrain.core.clock import Micros, iso
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.ids import derived_id
from drivetrain.core.progress import Progress
from drivetrain.core.records import BiasReport, Link, TableVersion
from drivetrain.core.records.bias import sure
from drivetrain.evaluate.bias.report import Question, bias_report
from drivetrain.features.label import LABEL
from drivetrain.loop.audit import personal_columns
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import table_version
from drivetrain.loop.stages.train import binding, rows_known


def bias_node(project: Definitions, model: Model, at: Micros | None) -> Node:
    """Looks at the rows that the model would be fitted on, on labels known by ``at``."""
    training_set = f"training_set:{model.name}"
    bound = binding(project, model, at)

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        task = f"bias in the data: {model.name}"
        progress.start(task)
        table = table_version(project, inputs[training_set]["table"])
        report = look_for_bias(project, model, table, bound)
        differ = sum(sure(group.gap) for group in report.groups)
        progress.finish(task, f"{len(report.groups)} groups, {differ} with a label rate that differs for sure")
        return {"bias": report.ref}

    named = " and ".join(each.name for each in model.protected)
    return Node(
        name=f"bias:{model.name}",
        group="model",
        words=f"look at shares, label rates and nulls by {named}, before training",
        code=_meaning(project, model),
        parameters="" if bound is None else iso(bound),
        needs=(training_set,),
        action=action,
    )


def personal_attributes(project: Definitions, model: Model) -> list[str]:
    """Of a model's protected attributes, those classed personal, sensitive or secret."""
    return personal_columns(project, model, [each.name for each in model.protected])


def _meaning(project: Definitions, model: Model) -> Digest:
    """Of what is looked at, and of what may be told of it."""
    personal = personal_attributes(project, model)
    return digest([model.bias_digest(), personal]) if personal else model.bias_digest()


def look_for_bias(project: Definitions, model: Model, table: TableVersion, bound: Micros | None) -> BiasReport:
    """Reports on a version of a model's training set, and keeps the report.

    The rows are those that would teach: with a label that was known when the test window opened. Beside them, rows of
    the same time without a label are looked at for that.
    """
    known, until = rows_known(project.store.tables.read(table.table, table.version), bound)
    cut = model.split.cut(known, until)
    labelled = known[LABEL].is_not_null()
    frame = known.filter((labelled & cut.refit) | (~labelled & cut.before))
    report = bias_report(
        frame,
        Question(
            report_id=derived_id("bias", table.ref, _meaning(project, model), str(until)),
            model=model.name,
            data=table.ref,
            protected=model.protected,
            features=model.feature_names(),
            until=cut.taught_until,
            personal=frozenset(personal_attributes(project, model)),
        ),
    )
    project.store.catalog.commit(report, links=[Link(table.ref, report.ref, "training_set")])
    return report
