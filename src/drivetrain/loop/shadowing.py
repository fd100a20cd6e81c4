"""What becomes of a version after its time in the champion's shadow."""

from __future__ import annotations

import msgspec
import polars as pl

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.core.errors import TrainingError
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Alias, Decision, Evaluation, GateReport, Task
from drivetrain.evaluate.gate import Gate
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.evaluate.verdict import check
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.monitor.labels import LABEL, join_labels
from drivetrain.monitor.spec import Monitor
from drivetrain.registry.aliases import champion, point
from drivetrain.serve.log.columns import FEEDBACK, feedback_table, predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.store.bundle import Store


def consider_shadow(project: Definitions, monitor: Monitor, now: Micros) -> list[Decision]:
    """Promotes or refuses the version in the shadow once its time is over.

    Both versions answered the same requests; the labels that have come since decide by the model's gates against the
    champion, or, where it has none, by whether the shadow keeps up. Too few labels, and it waits.
    """
    endpoint = project.find_endpoint(monitor.endpoint)
    store, model = project.store, endpoint.model
    alias = store.catalog.get(Alias, f"{model.name}:shadow")
    standing = champion(store, model.name)
    rules, asked = monitor.retrain, monitor.performance
    if alias is None or alias.version is None or standing is None or rules is None:
        return []
    if now - alias.at < rules.shadow_us:
        return []
    compact(store, project.log_folder, endpoint.name)
    pairs = _pairs(store, endpoint.name, (standing.version, alias.version), alias.at, now)
    if pairs.height < (asked.min_labels if asked else 1):
        return []
    try:
        evaluation, gates = _judge(model, alias.version, standing.version, pairs, standing.task, now)
    except TrainingError:  # labels of one kind only decide nothing
        return []
    words = (
        f"After {_days(alias.at, now)} in the shadow of v{standing.version}, on {pairs.height:,} labelled requests: "
    )
    evidence = msgspec.json.encode({"evaluation": evaluation, "gates": gates}).decode()
    reasons = " ".join(outcome.reason for outcome in gates.outcomes)
    known = {decision.id for decision in store.catalog.find(Decision, model.name)}
    if gates.passed:
        point(store, model.name, "champion", alias.version, because=words + reasons, actor="loop", at=now)
    else:
        refused = Decision(
            id=derived_id("shadow", model.name, str(alias.version), str(now)),
            at=now,
            about=model.name,
            what="refuse",
            because=words + reasons,
            version=alias.version,
            evidence=evidence,
        )
        store.catalog.commit(refused)
        point(store, model.name, "shadow", None, because=f"v{alias.version} was refused", actor="loop", at=now)
    made = [decision for decision in store.catalog.find(Decision, model.name) if decision.id not in known]
    return list(reversed(made))


def _pairs(store: Store, endpoint: str, versions: tuple[int, int], since: Micros, until: Micros) -> pl.DataFrame:
    """Requests that both versions answered and whose label has come: ``at``, ``label``, ``theirs``, ``ours``."""
    window = store.tables.scan(predictions_table(endpoint)).filter(
        pl.col("at") >= datetime_of(since), pl.col("at") < datetime_of(until), pl.col("version").is_in(list(versions))
    )
    table = feedback_table(endpoint)
    feedback = (
        store.tables.scan(table).filter(pl.col("at") >= datetime_of(since)).collect()
        if store.tables.version(table) is not None
        else pl.DataFrame(schema=FEEDBACK)
    )
    labelled = join_labels(window.collect(), feedback, endpoint=endpoint).filter(pl.col(LABEL).is_not_null())
    theirs = labelled.filter(pl.col("role") == "champion", pl.col("version") == versions[0])
    ours = labelled.filter(pl.col("role") == "shadow", pl.col("version") == versions[1])
    return theirs.select("request_id", "row", "at", LABEL, theirs="prediction").join(
        ours.select("request_id", "row", ours="prediction"), on=["request_id", "row"], maintain_order="left"
    )


def _judge(
    model: Model, version: int, standing: int, pairs: pl.DataFrame, task: Task, now: Micros
) -> tuple[Evaluation, GateReport]:
    ats = pairs["at"].dt.epoch("us").to_numpy()
    evaluation = evaluate(
        pairs["ours"].to_numpy(),
        pairs[LABEL].to_numpy(),
        ats,
        subject=Subject(
            run_id=f"shadow:{model.name}@{version}",
            model=model.name,
            data="prediction log",
            task=task,
            metric=model.metric,
        ),
        champion=(standing, pairs["theirs"].to_numpy()),
        now=now,
    )
    gates = [gate for gate in model.gates if gate.against == "champion"]
    return evaluation, check(gates or [Gate.keeps_up_with_champion()], evaluation, now=now)


def _days(since: Micros, until: Micros) -> str:
    days = (until - since) / 86_400_000_000
    return "a day" if round(days) == 1 else f"{days:.0f} days"
