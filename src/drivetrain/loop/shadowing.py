"""What becomes of a version after its time in the champion's shadow."""

from __future__ import annotations

from typing import NamedTuple

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.clock import Micros, datetime_of
from drivetrain.core.errors import TrainingError
from drivetrain.core.ids import derived_id
from drivetrain.core.records import Alias, Decision, Evaluation, GateReport, ModelVersion
from drivetrain.evaluate.gate import Gate
from drivetrain.evaluate.metrics.answers import realigned
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.evaluate.verdict import check
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.monitor.answered import Answered, answered
from drivetrain.monitor.labels import join_labels
from drivetrain.monitor.output import outputs_logged
from drivetrain.monitor.spec import Monitor
from drivetrain.registry.aliases import champion, point
from drivetrain.serve.log.columns import FEEDBACK, feedback_table, predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.store.bundle import Store

_REQUEST = ["request_id", "row"]


def consider_shadow(project: Definitions, monitor: Monitor, now: Micros) -> list[Decision]:
    """Promotes or refuses the version in the shadow once its time is over.

    Both versions answered the same requests; the labels that have come since decide by the model's gates against the
    champion, or, where it has none, by whether the shadow keeps up. Too few labels, or labels of too few days for an
    interval, and it waits.
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
    ours = store.catalog.get(ModelVersion, f"{model.name}@{alias.version}")
    if ours is None:
        return []
    pairs = _pairs(_answers(store, endpoint.name, (standing.version, alias.version), alias.at, now), ours, standing)
    if pairs.ours.answers.rows < (asked.min_labels if asked else 1):
        return []
    judged = _judge(model, pairs, now)
    if judged is None:
        return []
    evaluation, gates = judged
    rows = f"{pairs.ours.answers.rows:,} labelled requests"
    words = f"After {_days(alias.at, now)} in the shadow of v{standing.version}, on {rows}: "
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


class _Pairs(NamedTuple):
    """Requests that both versions answered and whose label has come."""

    ours: Answered
    theirs: Floats
    """The champion's answers to the same rows, in the order of our outputs."""
    versions: tuple[int, int]
    """The champion, and the one in its shadow."""


def _answers(store: Store, endpoint: str, versions: tuple[int, int], since: Micros, until: Micros) -> pl.DataFrame:
    """The log of two versions, with the labels that have come."""
    window = store.tables.scan(predictions_table(endpoint)).filter(
        pl.col("at") >= datetime_of(since), pl.col("at") < datetime_of(until), pl.col("version").is_in(list(versions))
    )
    table = feedback_table(endpoint)
    feedback = (
        store.tables.scan(table).filter(pl.col("at") >= datetime_of(since)).collect()
        if store.tables.version(table) is not None
        else pl.DataFrame(schema=FEEDBACK)
    )
    return join_labels(window.collect(), feedback, endpoint=endpoint)


def _pairs(log: pl.DataFrame, ours: ModelVersion, theirs: ModelVersion) -> _Pairs:
    def of(role: str, version: ModelVersion) -> pl.DataFrame:
        return log.filter(pl.col("role") == role, pl.col("version") == version.version)

    both = of("shadow", ours).join(
        of("champion", theirs).select(*_REQUEST, pl.col("prediction", "scores").name.prefix("their_")),
        on=_REQUEST,
        how="inner",
        maintain_order="left",
    )
    answers = both.select(prediction="their_prediction", scores="their_scores")
    said = realigned(outputs_logged(answers, theirs.task), theirs.task, ours.task)
    known = np.zeros(both.height, bool) if said is None else np.isfinite(said.reshape(len(said), -1)).all(axis=1)
    judged = answered(both.filter(pl.Series(known)), ours.task)
    versions = (theirs.version, ours.version)
    if said is None:
        return _Pairs(judged, judged.answers.predictions, versions)
    return _Pairs(judged, np.ascontiguousarray(said[known][judged.places]), versions)


def _judge(model: Model, pairs: _Pairs, now: Micros) -> tuple[Evaluation, GateReport] | None:
    """What the labels say; nothing where they are of one kind only, or of too few days to say anything surely."""
    try:
        evaluation = _evaluated(model, pairs, now)
    except TrainingError:
        return None
    if evaluation.metrics[evaluation.metric].low is None:
        return None
    gates = [gate for gate in model.gates if gate.against == "champion"]
    return evaluation, check(gates or [Gate.keeps_up_with_champion()], evaluation, now=now)


def _evaluated(model: Model, pairs: _Pairs, now: Micros) -> Evaluation:
    standing, version = pairs.versions
    answers = pairs.ours.answers
    return evaluate(
        answers.predictions,
        answers.labels,
        pairs.ours.ats,
        subject=Subject(
            run_id=f"shadow:{model.name}@{version}",
            model=model.name,
            data="prediction log",
            task=answers.task,
            metric=model.metric,
        ),
        champion=(standing, pairs.theirs),
        groups=answers.groups,
        now=now,
    )


def _days(since: Micros, until: Micros) -> str:
    days = (until - since) / 86_400_000_000
    return "a day" if round(days) == 1 else f"{days:.0f} days"
