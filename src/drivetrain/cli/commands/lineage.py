"""Show what a version was made of, and what came of it; as a tree, as JSON, or for Graphviz with --dot."""

from __future__ import annotations

import sys
from typing import Annotated

import typer
from rich.tree import Tree

from drivetrain.cli.door import out, plain_errors, show_json
from drivetrain.cli.options import HERE, Json, ProjectFolder
from drivetrain.loop.lineage import Lineage
from drivetrain.loop.project import Project


def command(
    version: Annotated[str, typer.Argument(help="Which version: late@3, or 3.")],
    *,
    model: Annotated[str | None, typer.Option(help="Which model, where the name does not say.")] = None,
    dot: Annotated[bool, typer.Option("--dot", help="In Graphviz's language: pipe it to dot -Tsvg.")] = False,
    project: ProjectFolder = HERE,
    json: Json = False,
) -> None:
    """Reads the catalog; changes nothing."""
    with plain_errors(as_json=json):
        found = Project.load(project).versions.lineage(version, model=model)
        if json:
            show_json(found)
        elif dot:
            sys.stdout.write(found.dot)
        else:
            _show(found)


def _show(found: Lineage) -> None:
    words = {one.ref: one.words for one in found.vertices}
    tree = Tree(_named(found.of, words[found.of]))
    _grow(tree, found, found.of, {found.of}, words)
    out.print(tree)
    for edge in found.edges:
        if edge.source == found.of:
            out.print(f"→ {edge.role}: {edge.target}", markup=False)


def _grow(tree: Tree, found: Lineage, ref: str, seen: set[str], words: dict[str, str]) -> None:
    for edge in found.edges:
        if edge.target == ref:
            again = edge.source in seen
            branch = tree.add(
                f"[dim]{edge.role}[/] {_named(edge.source, words[edge.source])}{' (see above)' if again else ''}"
            )
            if not again:
                seen.add(edge.source)
                _grow(branch, found, edge.source, seen, words)


def _named(ref: str, words: str) -> str:
    plain = ref.replace("[", r"\[")
    return f"{plain} [dim]{words}[/]" if words else plain
