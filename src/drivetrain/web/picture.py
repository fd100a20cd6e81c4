"""Everything the catalog knows about one endpoint, gathered once for a page."""

from __future__ import annotations

from collections.abc import Sequence

import msgspec

from drivetrain.core.errors import NotFound
from drivetrain.core.records import Alert, Alias, Decision, Evaluation, Measure, ModelVersion, MonitorReport
from drivetrain.evaluate.metrics import metric_for
from drivetrain.web.definitions import model_of
from drivetrain.web.desk import Desk

WINDOWS = 120
"""How many windows a page looks back."""


class Picture(msgspec.Struct, frozen=True):
    """One endpoint, its model's versions, and what its monitor saw, oldest window first."""

    endpoint: str
    model: str
    metric: str
    aliases: dict[str, Alias]
    versions: dict[int, ModelVersion]
    evaluations: dict[int, Evaluation]
    reports: tuple[MonitorReport, ...]
    alerts: tuple[Alert, ...]
    """Newest first."""
    decisions: tuple[Decision, ...]
    """About the endpoint or its model, newest first."""

    @property
    def champion(self) -> int | None:
        """The version that answers, if one does."""
        alias = self.aliases.get("champion")
        return alias.version if alias else None

    @property
    def open_alerts(self) -> tuple[Alert, ...]:
        """Alerts that no later window has resolved, gravest first."""
        order = {"critical": 0, "warning": 1, "info": 2}
        return tuple(sorted((one for one in self.alerts if one.state == "open"), key=lambda one: order[one.severity]))

    @property
    def latest(self) -> MonitorReport | None:
        """The newest window."""
        return self.reports[-1] if self.reports else None

    @property
    def judged(self) -> MonitorReport | None:
        """The newest window in which the project's metric could be computed."""
        return next((one for one in reversed(self.reports) if self.metric in one.performance), None)

    def reference(self, report: MonitorReport, metric: str) -> Measure | None:
        """A metric of a report's version as it was tested."""
        evaluation = self.evaluations.get(report.version)
        return report.reference.get(metric) or (evaluation.metrics.get(metric) if evaluation else None)


def shown_metric(metric: str, evaluations: Sequence[Evaluation]) -> str:
    """The metric that stands for a model: the project's, or where that does not suit its answers, their own.

    Args:
        metric: The project's.
        evaluations: The model's, the newest first.
    """
    return metric_for(evaluations[0].task.kind, metric, evaluations[0].metric) if evaluations else metric


def take(desk: Desk, endpoint: str) -> Picture:
    """The picture of an endpoint.

    Raises:
        NotFound: The project declares no endpoint by that name.
    """
    if endpoint not in desk.endpoints:
        raise NotFound(f"no endpoint is called {endpoint!r}", expected=" or ".join(desk.endpoints) or None)
    catalog = desk.store.catalog
    model = model_of(desk.endpoints[endpoint])
    versions = {one.version: one for one in catalog.find(ModelVersion, model)}
    by_run = {one.run_id: one for one in catalog.find(Evaluation, model)}
    evaluations = {number: by_run[one.run_id] for number, one in versions.items() if one.run_id in by_run}
    decisions = {one.id: one for subject in {endpoint, model} for one in catalog.find(Decision, subject)}
    reports = catalog.find(MonitorReport, endpoint, limit=WINDOWS)
    return Picture(
        endpoint=endpoint,
        model=model,
        metric=shown_metric(desk.metric, list(evaluations.values())),
        aliases={one.alias: one for one in catalog.find(Alias, model)},
        versions=dict(sorted(versions.items(), reverse=True)),
        evaluations=evaluations,
        reports=tuple(sorted(reports, key=lambda one: (one.until, one.version))),
        alerts=tuple(catalog.find(Alert, endpoint)),
        decisions=tuple(sorted(decisions.values(), key=lambda one: (one.at, one.id), reverse=True)),
    )


def pictures(desk: Desk) -> list[Picture]:
    """One picture an endpoint, in the order they were declared."""
    return [take(desk, name) for name in desk.endpoints]
