"""The report on the groups in a model's training set, asked for before anything is trained."""

from __future__ import annotations

from drivetrain.core.errors import UsageError
from drivetrain.core.records import BiasReport
from drivetrain.loop.audit import note_read
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.refs import resolve
from drivetrain.loop.runner import run_nodes
from drivetrain.loop.stages.bias import bias_node, personal_attributes
from drivetrain.loop.stages.ingest import ingested
from drivetrain.loop.stages.training_set import training_set_node, training_table
from drivetrain.train.environment import environment_digest


def bias(project: Definitions, model: str | Model | None) -> BiasReport:
    """See :meth:`~drivetrain.loop.data.Data.bias`; two steps of the road, on the tables as they stand."""
    found = project.find_model(model.name if isinstance(model, Model) else model)
    if not found.protected:
        raise UsageError(
            f"model {found.name!r} declares no protected attribute",
            do=f'Say which groups to look at: project.model("{found.name}", …, protected=["carrier"])',
        )
    nodes = {node.name: node for node in (training_set_node(project, found), bias_node(project, found, None))}
    needs = [need for node in nodes.values() for need in node.needs if need not in nodes]
    ran = run_nodes(
        nodes,
        catalog=project.store.catalog,
        leases=project.store.leases,
        environment=environment_digest(),
        given={need: {"table": ingested(project, need.removeprefix("ingest:")).ref} for need in needs},
    )
    report = resolve(project, BiasReport, ran[-1].outputs["bias"])
    note_read(project, "bias", training_table(found.name), personal_attributes(project, found), report.rows)
    return report
