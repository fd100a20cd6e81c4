"""The graph behind a version: what it was made of, and what came of it."""

from __future__ import annotations

import json

import msgspec

from drivetrain.core.clock import iso
from drivetrain.core.records import Alias, Evaluation, ModelVersion, Record, Run, Step, TableVersion
from drivetrain.core.records.imported import Imported
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.versions import version_named
from drivetrain.registry.lineage import downward, upward

_KINDS: dict[str, type[Record]] = {
    kind.kind: kind for kind in (Alias, Evaluation, Imported, ModelVersion, Run, Step, TableVersion)
}
_SHAPES = {
    "table": "cylinder",
    "version": "doubleoctagon",
    "run": "box",
    "step": "cds",
    "alias": "tag",
    "foreign": "folder",
}


class Vertex(msgspec.Struct, frozen=True, kw_only=True):
    """A record of the graph.

    Attributes:
        ref: ``kind:key``.
        kind: ``table``, ``run``, ``version``, ``step``, ``evaluation``, ``alias``; ``foreign`` for another project's.
        at: When it came about, ISO 8601; empty where it is not in the catalog.
        digest: Of its content, where it has one.
        words: What it is.
    """

    ref: str
    kind: str
    at: str = ""
    digest: str = ""
    words: str = ""


class Edge(msgspec.Struct, frozen=True):
    """``source`` was used to make ``target``."""

    source: str
    target: str
    role: str


class Lineage(msgspec.Struct, frozen=True, kw_only=True):
    """A version's graph.

    Attributes:
        of: Ref of the version.
        vertices: Every record, the version first.
        edges: Who was used to make whom.
    """

    of: str
    vertices: tuple[Vertex, ...]
    edges: tuple[Edge, ...]

    @property
    def dot(self) -> str:
        """The graph in Graphviz's language."""
        lines = ["digraph lineage {", "  rankdir=LR;", '  node [fontname="sans-serif"];']
        for one in self.vertices:
            label = _quoted(f"{one.ref}\n{one.words}" if one.words else one.ref)
            lines.append(f"  {_quoted(one.ref)} [label={label}, shape={_SHAPES.get(one.kind, 'ellipse')}];")
        lines += [
            f"  {_quoted(one.source)} -> {_quoted(one.target)} [label={_quoted(one.role)}];" for one in self.edges
        ]
        return "\n".join([*lines, "}"]) + "\n"


def lineage(project: Definitions, version: str | int, model: str | None) -> Lineage:
    """See :meth:`Versions.lineage`."""
    found = version_named(project, version, model)
    catalog = project.store.catalog
    steps = [*upward(catalog, found.ref), *downward(catalog, found.ref)]
    edges = dict.fromkeys(Edge(step.link.source, step.link.target, step.link.role) for step in steps)
    refs = dict.fromkeys([found.ref, *(ref for edge in edges for ref in (edge.source, edge.target))])
    return Lineage(of=found.ref, vertices=tuple(_vertex(project, ref) for ref in refs), edges=tuple(edges))


def _vertex(project: Definitions, ref: str) -> Vertex:
    kind, _, key = ref.partition(":")
    record = project.store.catalog.get(_KINDS[kind], key) if kind in _KINDS else None
    if record is None:
        return Vertex(ref=ref, kind=kind, words="in another project" if kind == "foreign" else "")
    return Vertex(
        ref=ref, kind=kind, at=iso(record.at), digest=str(getattr(record, "digest", "")), words=_words(record)
    )


def _words(record: Record) -> str:
    if isinstance(record, TableVersion):
        return f"{record.rows:,} rows"
    if isinstance(record, Run):
        return f"{record.trainer} on {record.train_rows:,} rows"
    if isinstance(record, ModelVersion):
        return f"{record.engine}, {'gates passed' if record.gates.passed else 'refused'}"
    if isinstance(record, Imported):
        return f"from project {record.project}"
    return record.name if isinstance(record, Step) else ""


def _quoted(text: str) -> str:
    return json.dumps(text, ensure_ascii=False)
