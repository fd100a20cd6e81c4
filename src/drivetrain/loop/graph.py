"""The road of a project: every step, and what each needs."""

from __future__ import annotations

from drivetrain.core.clock import Micros
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, with_needs
from drivetrain.loop.stages.bias import bias_node
from drivetrain.loop.stages.ingest import ingest_node
from drivetrain.loop.stages.judge import judge_node
from drivetrain.loop.stages.materialise import materialise_node
from drivetrain.loop.stages.release import release_node
from drivetrain.loop.stages.train import train_node
from drivetrain.loop.stages.training_set import training_set_node


def graph(project: Definitions, at: Micros | None = None) -> dict[str, Node]:
    """Name → node, in order.

    Args:
        project: What is declared.
        at: The moment that decisions are made as of; the present by default.
    """
    nodes = _data_nodes(project)
    for model in project.models.values():
        nodes += [
            training_set_node(project, model),
            *([bias_node(project, model, at)] if model.protected else []),
            train_node(project, model, at),
            judge_node(project, model, at),
            release_node(project, model, at),
        ]
    named = {node.name: node for node in nodes}
    return with_needs(named, lambda _: True)


def data_road(project: Definitions) -> dict[str, Node]:
    """Tables and online features, without models."""
    return with_needs({node.name: node for node in _data_nodes(project)}, lambda _: True)


def _data_nodes(project: Definitions) -> list[Node]:
    nodes = [ingest_node(project, source) for source in project.sources.values()]
    return nodes + [materialise_node(project, view) for view in project.views.values()]


def model_road(project: Definitions, model: Model, at: Micros | None = None) -> dict[str, Node]:
    """One model from its tables to its release."""
    return with_needs(graph(project, at), lambda node: node.name == f"release:{model.name}")
