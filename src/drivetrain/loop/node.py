"""A step of the road before it runs: what it needs, what it is made of, what it does."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from drivetrain.core.hashing import Digest
from drivetrain.core.progress import Progress

Outputs: TypeAlias = dict[str, str]
"""Output name → ref of the record that holds it."""
Action: TypeAlias = Callable[[Mapping[str, Outputs], Progress], Outputs]
"""Does the work, given the outputs of every step it needs; must be safe to do again after a kill."""
Group: TypeAlias = Literal["data", "features", "model"]


@dataclass(frozen=True, kw_only=True)
class Node:
    """One step.

    Its key is the digest of ``code``, ``parameters``, the environment, the outputs of what it ``needs``, and what
    ``outside`` says of the world beyond the project (new files, new rows). Equal key, nothing to do.
    """

    name: str
    group: Group
    words: str
    """What it does, for a person reading the plan."""
    code: Digest
    parameters: Digest
    action: Action
    needs: tuple[str, ...] = ()
    outside: Callable[[], dict[str, str]] = field(default=dict)
    """Name → digest of inputs from outside."""


def in_order(nodes: Mapping[str, Node]) -> list[Node]:
    """Nodes so that each comes after all it needs of them; otherwise as declared."""
    done: dict[str, Node] = {}

    def visit(node: Node) -> None:
        if node.name not in done:
            for need in node.needs:
                if need in nodes:
                    visit(nodes[need])
            done[node.name] = node

    for node in nodes.values():
        visit(node)
    return list(done.values())


def with_needs(nodes: Mapping[str, Node], wanted: Callable[[Node], bool]) -> dict[str, Node]:
    """The wanted nodes and everything they need, in order."""
    kept: set[str] = set()

    def keep(node: Node) -> None:
        kept.add(node.name)
        for need in node.needs:
            keep(nodes[need])

    for node in nodes.values():
        if wanted(node):
            keep(node)
    return {node.name: node for node in in_order(nodes) if node.name in kept}
