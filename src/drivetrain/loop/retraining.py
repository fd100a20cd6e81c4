"""When a new version is trained."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from drivetrain.core.clock import DAY, Micros, iso, show_duration
from drivetrain.core.errors import DrivetrainError
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Alert, Alias, Decision
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.monitor.spec import Monitor, Retrain
from drivetrain.registry.aliases import pointed

BUDGET_SPAN: Micros = 30 * DAY


def consider_retraining(
    project: Definitions, monitor: Monitor, now: Micros, retrain: Callable[[Model], None]
) -> list[Decision]:
    """Retrains if an open alert or the schedule calls for it and cool-down and budget allow.

    A version that is still in the champion's shadow is judged first. The decision is committed when the training is
    over, dated just before it: one that was killed is decided again by the next look, and its finished steps are kept.
    """
    rules = monitor.retrain
    if rules is None:
        return []
    endpoint = project.find_endpoint(monitor.endpoint)
    store, model = project.store, endpoint.model
    if pointed(store, model.name, "shadow") is not None:
        return []
    past = [decision for decision in store.catalog.find(Decision, endpoint.name) if decision.what == "retrain"]
    reason = _reason(project, monitor, rules, past, now)
    if reason is None:
        return []
    because, evidence = reason
    asked = Decision(
        id=derived_id("retrain", endpoint.name, str(now)),
        at=now - 1,
        about=endpoint.name,
        what="retrain",
        because=because,
        evidence=msgspec.json.encode(evidence).decode(),
    )
    before = {decision.id for decision in store.catalog.find(Decision, model.name)}
    try:
        retrain(model)
    except DrivetrainError as error:
        failed = Decision(
            id=derived_id("failed", asked.id),
            at=now,
            about=endpoint.name,
            what="refuse",
            because=f"Retraining failed; the champion stays. {error}",
        )
        store.catalog.commit(asked, failed)
        return [asked, failed]
    store.catalog.commit(asked)
    after = [decision for decision in store.catalog.find(Decision, model.name) if decision.id not in before]
    return [asked, *(decision for decision in reversed(after) if decision.id != asked.id)]


def _reason(
    project: Definitions, monitor: Monitor, rules: Retrain, past: list[Decision], now: Micros
) -> tuple[str, dict[str, object]] | None:
    last = past[0].at if past else _champion_since(project, monitor)
    if past and now - last < rules.cooldown_us:
        return None
    if rules.budget is not None and sum(decision.at > now - BUDGET_SPAN for decision in past) >= rules.budget:
        return None
    alerts = [
        alert
        for alert in project.store.catalog.find(Alert, monitor.endpoint)
        if alert.state == "open" and alert.severity != "info" and alert.rule.partition(".")[0] in rules.when
    ]
    if alerts:
        worst = min(alerts, key=lambda alert: (alert.severity != "critical", alert.at))
        more = f" {len(alerts) - 1} more alerts are open." if len(alerts) > 1 else ""
        return f"{worst.message}{more}", {"alerts": [alert.id for alert in alerts]}
    if rules.every_us is not None and now - last >= rules.every_us:
        return (
            f"the schedule asks for a new version every {show_duration(rules.every_us)}; the last was {iso(last)}",
            {"every": rules.every},
        )
    return None


def _champion_since(project: Definitions, monitor: Monitor) -> Micros:
    model = project.find_endpoint(monitor.endpoint).model.name
    alias = project.store.catalog.get(Alias, f"{model}:champion")
    return alias.at if alias is not None else 0
