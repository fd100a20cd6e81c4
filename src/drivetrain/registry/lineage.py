"""Where something came from, and what came of it: walks over the catalog's links."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from drivetrain.core.protocols import Catalog
from drivetrain.core.records import Link


class Step(msgspec.Struct, frozen=True):
    """One link on the way, and how many links away from the start it lies (1 for the nearest)."""

    link: Link
    depth: int


def upward(catalog: Catalog, ref: str) -> list[Step]:
    """Everything that ``ref`` was made of, nearest first; each link once.

    Args:
        catalog: Where links are.
        ref: ``kind:key``, such as ``version:late@3``.
    """
    return _walk(ref, lambda at: catalog.links(target=at), lambda link: link.source)


def downward(catalog: Catalog, ref: str) -> list[Step]:
    """Everything that ``ref`` was used to make, nearest first; each link once."""
    return _walk(ref, lambda at: catalog.links(source=at), lambda link: link.target)


def _walk(ref: str, links: Callable[[str], Iterable[Link]], follow: Callable[[Link], str]) -> list[Step]:
    steps: list[Step] = []
    seen, edge, depth = {ref}, [ref], 0
    while edge:
        depth += 1
        found = [link for at in edge for link in links(at)]
        steps.extend(Step(link, depth) for link in found)
        edge = list(dict.fromkeys(follow(link) for link in found if follow(link) not in seen))
        seen.update(edge)
    return steps
