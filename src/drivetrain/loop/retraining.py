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
from drivetrain.store.bundle import Store

BUDGET_SPAN: Micros = 30 * DAY
ENDS = ("promote", "refuse", "shadow", "wait")
"""Decisions that a training ends in."""


def consider_retraining(
    project: Definitions, monitor: Monitor, now: Micros, retrain: Callable[[Model], None]
) -> list[Decision]:
    """Retrains if an open alert or the schedule calls for it and cool-down and budget allow.

    A version that is still in the champion's shadow is judged first. The decision is committed before the training, and
    every training ends in a decision: one that was killed has none, and the next look carries it on.
    """
    rules = monitor.retrain
    if rules is None:
        return []
    store, model = project.store, project.find_endpoint(monitor.endpoint).model
    if pointed(store, model.name, "shadow") is not None:
        return []
    past = [decision for decision in store.catalog.find(Decision, monitor.endpoint) if decision.what == "retrain"]
    ended = [decision for decision in store.catalog.find(Decision, model.name) if decision.what in ENDS]
    made: list[Decision] = []
    if not past or any(decision.at >= past[0].at for decision in ended):
        reason = _reason(project, monitor, rules, past, now)
        if reason is None:
            return []
        made = [_asked(monitor.endpoint, reason, now)]
        store.catalog.commit(*made)
    known = {decision.id for decision in store.catalog.find(Decision, model.name)}
    try:
        retrain(model)
    except DrivetrainError as error:
        store.catalog.commit(_nothing_came(model, now, f"Retraining failed; the champion stays. {error}"))
    if not any(decision.id not in known and decision.what in ENDS for decision in _since(store, model, now)):
        store.catalog.commit(_nothing_came(model, now, "Nothing changed since the last training; the champion stays."))
    return [*made, *(decision for decision in _since(store, model, now) if decision.id not in known)]


def _asked(endpoint: str, reason: tuple[str, dict[str, object]], now: Micros) -> Decision:
    because, evidence = reason
    return Decision(
        id=derived_id("retrain", endpoint, str(now)),
        at=now,
        about=endpoint,
        what="retrain",
        because=because,
        evidence=msgspec.json.encode(evidence).decode(),
    )


def _nothing_came(model: Model, now: Micros, because: str) -> Decision:
    return Decision(
        id=derived_id("nothing", model.name, str(now)), at=now, about=model.name, what="refuse", because=because
    )


def _since(store: Store, model: Model, now: Micros) -> list[Decision]:
    """The model's decisions dated ``now`` or later, oldest first."""
    return store.catalog.find(Decision, model.name, since=now)[::-1]


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
