"""A project as a notebook shows it: what it is for, and what it declares."""

from __future__ import annotations

from html import escape

from drivetrain.core.notebook import framed, table
from drivetrain.loop.definitions import Definitions


def project_shown(project: Definitions) -> str:
    """The project as HTML: its objective and metric, then its nouns, a table a kind."""
    kinds: dict[str, tuple[tuple[str, ...], list[tuple[object, ...]]]] = {
        "sources": (
            ("source", "reads", "key", "time"),
            [(one.name, one.reader.words, ", ".join(one.key), one.time or "") for one in project.sources.values()],
        ),
        "features": (
            ("features", "of", "from", "columns"),
            [
                *(
                    (view.name, view.entity.name, view.source.name, len(view.columns))
                    for view in project.views.values()
                ),
                *((asked.name, "the request", "", len(asked.feature_names)) for asked in project.requests.values()),
                *((made.name, "other features", "", len(made.feature_names)) for made in project.derived.values()),
            ],
        ),
        "models": (
            ("model", "tells", "trainer", "features", "gates"),
            [
                (model.name, model.label.words, model.trainer.name, len(model.feature_names()), len(model.gates))
                for model in project.models.values()
            ],
        ),
        "endpoints": (
            ("endpoint", "model", "watched"),
            [(one.name, one.model.name, one.name in project.monitors) for one in project.endpoints.values()],
        ),
    }
    told = f"<div>{escape(project.objective)}</div>" if project.objective else ""
    told += f"<small>judged by {escape(project.metric.replace('_', ' '))}</small>"
    return framed("Project", project.name, told + "".join(table(*found) for found in kinds.values() if found[1]))
