"""What something was made from: the catalog's links, walked upward."""

from __future__ import annotations

import msgspec

from drivetrain.core.protocols import Catalog

_DEPTH = 8


class Node(msgspec.Struct, frozen=True):
    """A record by its ref, the role it played, and what it was itself made from."""

    ref: str
    role: str
    sources: tuple[Node, ...] = ()
    again: bool = False
    """Whether it was already shown above, with its sources."""

    @property
    def kind(self) -> str:
        """The record's kind."""
        return self.ref.partition(":")[0]

    @property
    def key(self) -> str:
        """The record's key."""
        return self.ref.partition(":")[2]


def upward(catalog: Catalog, ref: str) -> Node:
    """The tree of everything that a record rests on; one met twice is not opened twice."""
    return _walk(catalog, ref, "", set(), _DEPTH)


def flat(node: Node) -> list[Node]:
    """A tree's nodes, each above what it was made from, without repeats."""
    nodes = [node]
    for source in node.sources:
        nodes.extend(one for one in flat(source) if not one.again)
    return nodes


def _walk(catalog: Catalog, ref: str, role: str, seen: set[str], depth: int) -> Node:
    if ref in seen:
        return Node(ref, role, again=True)
    seen.add(ref)
    links = catalog.links(target=ref) if depth else []
    return Node(ref, role, tuple(_walk(catalog, link.source, link.role, seen, depth - 1) for link in links))
