"""A run becomes a version with its evaluation, its gate report and its card."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from typing import NamedTuple

import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest
from drivetrain.core.meanwhile import meanwhile
from drivetrain.core.progress import Progress
from drivetrain.core.records import BiasReport, Evaluation, Link, ModelVersion, Run, TableVersion, Task
from drivetrain.data.column import PRIVATE
from drivetrain.evaluate.card import Card, card_html
from drivetrain.evaluate.metrics.answers import realigned
from drivetrain.evaluate.operating import operate
from drivetrain.evaluate.report import Subject, evaluate
from drivetrain.evaluate.verdict import check
from drivetrain.features.encoding import encode
from drivetrain.features.label import AT, LABEL
from drivetrain.loop.classes import classes_of
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.keys import signing_key, verify_path
from drivetrain.loop.model import Model
from drivetrain.loop.node import Node, Outputs
from drivetrain.loop.refs import resolve, table_version
from drivetrain.loop.stages.cost import costed
from drivetrain.loop.stages.deciding import acts_from, read_answers
from drivetrain.loop.stages.probe import Probed, probe
from drivetrain.loop.stages.train import binding, rows_known
from drivetrain.loop.told import numbered, told_rows
from drivetrain.monitor.estimate.keeping import Kept, keep, keep_beside
from drivetrain.monitor.reference import profile
from drivetrain.monitor.texts.profile import Kept as KeptText
from drivetrain.registry.aliases import champion
from drivetrain.registry.load import predict_version
from drivetrain.registry.register import register
from drivetrain.train.fit import importance
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import group_numbers
from drivetrain.train.text.kept import open_reading


def judge_node(project: Definitions, model: Model, at: Micros | None) -> Node:
    """Measures a run against its baselines and the champion, asks the gates, and registers the version."""
    train, training_set, looked = f"train:{model.name}", f"training_set:{model.name}", f"bias:{model.name}"
    bound = binding(project, model, at)

    def action(inputs: Mapping[str, Outputs], progress: Progress) -> Outputs:
        task = f"evaluate {model.name}"
        progress.start(task)
        run = resolve(project, Run, inputs[train]["run"])
        table = table_version(project, inputs[training_set]["table"])
        bias = resolve(project, BiasReport, inputs[looked]["bias"]) if model.protected else None
        evaluation, version = judge(project, model, run, table, at=at, bound=bound, bias=bias)
        verdict = "every gate passed" if version.gates.passed else f"{len(version.gates.refusals)} gates said no"
        verdict = "it waits for approval" if version.gates.waits else verdict
        progress.finish(task, f"v{version.version}: {verdict}")
        return {"evaluation": evaluation.ref, "version": version.ref}

    return Node(
        name=f"judge:{model.name}",
        group="model",
        words=f"evaluate beside {len(model.baselines)} baselines and the champion, ask {len(model.gates)} gates",
        code=model.judge_digest(),
        parameters="",
        needs=(train, training_set, *((looked,) if model.protected else ())),
        action=action,
    )


def judge(
    project: Definitions,
    model: Model,
    run: Run,
    table: TableVersion,
    *,
    at: Micros | None = None,
    bound: Micros | None = None,
    bias: BiasReport | None = None,
    number: int | None = None,
) -> tuple[Evaluation, ModelVersion]:
    """Evaluates a run on the test window of its training set, and registers what came of it, dated ``at``.

    Labels that became known after ``bound`` are left out. The card tells what ``bias`` found. ``number`` is the one
    that a client registered the model under; the next by default.
    """
    store = project.store
    known, until = rows_known(store.tables.read(table.table, table.version), bound)
    frame = known.filter(pl.col(LABEL).is_not_null())
    cut = model.split.cut(frame, until)
    seen = told_rows(frame.filter(cut.test), run.task, model.name)
    test = seen.rows
    predictions = predict_run(store, run, test)
    texts = _texts(project, model, run)
    profiled = meanwhile(partial(_reference, project, run, frame, cut.refit, _Judged(test, predictions), texts))
    metric = model.metric_of(run.task.kind)
    subject = Subject(
        run_id=run.run_id,
        model=model.name,
        data=table.ref,
        since=cut.test_since,
        until=cut.until,
        importance=importance(run),
        task=run.task,
        metric=metric,
        unseen=seen.unseen,
    )
    evaluation = evaluate(
        predictions,
        seen.labels,
        _moments(test),
        subject=subject,
        slices=test.select(model.slices) if model.slices else None,
        baselines={name: predict_run(store, run, test, baseline=name) for name in run.baselines},
        champion=_champion(project, model, test, run.task),
        groups=group_numbers(test),
        clusters=numbered(test, model.bootstrap.cluster),
        bootstrap=model.bootstrap,
    )
    evaluation = read_answers(project, model, run, evaluation, seen, predictions)
    reference = profiled()  # before answers are timed: nothing else runs then
    evaluation = costed(project, model, evaluation, run, test)
    probed = Probed(run=run, known=frame, learned=cut.refit, test=test, predictions=predictions, subject=subject)
    probes = probe(project, model, probed)
    gates = check(model.gates, evaluation, probes)
    card = card_html(
        Card(
            project=project.name,
            objective=project.objective,
            evaluation=evaluation,
            gates=gates,
            positive=model.positive,
            rows=model.rows,
            metric=metric,
            run=run,
            owner=model.owner,
            curve=operate(predictions, seen.labels, _moments(test)) if run.task.kind == "binary" else None,
            descriptions=descriptions(model),
            limits=model.limits,
            bias=bias,
            probes=probes,
        )
    )
    version = register(
        store,
        run,
        gates=gates,
        card=card,
        reference=keep_beside(
            reference,
            _kept(model, run, test, predictions, seen.labels),
        ),
        features=read_definitions(model, run),
        training_set=table.ref,
        judged=model.judge_digest() if number is None else "",
        sign=signing_key(project),
        at=at,
        number=number,
    )
    store.catalog.commit(
        evaluation,
        *probes.reports,
        links=[
            Link(run.ref, evaluation.ref, "run"),
            Link(evaluation.ref, version.ref, "evaluation"),
            *(Link(run.ref, report.ref, "run") for report in probes.reports),
        ],
    )
    return evaluation, version


def read_definitions(model: Model, run: Run) -> dict[str, Digest]:
    """Definitions of the groups that a version reads: one of which no feature was kept may change as it likes."""
    if run.selection is None:
        return model.definitions
    kept = frozenset(run.selection.kept)
    return {group.name: group.digest for group in model.features if kept.intersection(group.feature_names)}


def _champion(project: Definitions, model: Model, test: pl.DataFrame, task: Task) -> tuple[int, np.ndarray] | None:
    """The champion's answers to the same rows.

    Returns:
        None where there is no champion, it reads features that are gone, or its answers are of another kind.
    """
    standing = champion(project.store, model.name)
    if standing is None or any(name not in test.columns for name in standing.input_schema.names):
        return None
    said = realigned(predict_version(project.store, standing, test, verify=verify_path(project)), standing.task, task)
    return None if said is None else (standing.version, said)


class _Judged(NamedTuple):
    """Rows a run was judged on, and what it says of them."""

    rows: pl.DataFrame
    said: np.ndarray


def _reference(
    project: Definitions, run: Run, frame: pl.DataFrame, learned: pl.Series, test: _Judged, texts: list[KeptText]
) -> bytes:
    """Inputs from everything the model knew of; predictions where they were not fitted to."""
    assert run.input_schema is not None, "a finished run has its schema"
    known = frame.filter(learned)
    rows = pl.concat([known, test.rows], how="vertical")
    outputs = np.concatenate([predict_run(project.store, run, known), test.said])
    return profile(
        encode(rows, run.input_schema),
        outputs,
        _moments(rows),
        run.input_schema,
        task=run.task,
        importance=importance(run),
        texts=texts,
    )


def _texts(project: Definitions, model: Model, run: Run) -> list[KeptText]:
    """Which texts the profile looks at: those that may be in the log; words of personal ones are not kept."""
    assert run.input_schema is not None, "a finished run has its schema"
    if not run.input_schema.texts:
        return []
    reading = open_reading(project.store.blobs, run.artifacts, run.input_schema)
    classes = classes_of(model).features
    names = [run.input_schema.names[at] for at in run.input_schema.texts]
    return [
        KeptText(name, encoder, named=classes[name] not in PRIVATE)
        for name, encoder in zip(names, reading.encoders, strict=True)
        if classes[name] not in {"sensitive", "secret"}
    ]


def _kept(model: Model, run: Run, test: pl.DataFrame, said: np.ndarray, labels: np.ndarray) -> Kept | None:
    """What estimates of its performance will rest on: the rows it was judged on, no personal value of them."""
    assert run.input_schema is not None, "a finished run has its schema"
    return keep(
        encode(test, run.input_schema),
        said,
        labels,
        _moments(test),
        schema=run.input_schema,
        task=run.task,
        threshold=acts_from(model, run),
        withheld=classes_of(model).personal,
    )


def descriptions(model: Model) -> dict[str, str]:
    """Full feature name → what it is, in plain words."""
    told: dict[str, str] = {}
    for view in model.views:
        told |= {name: feature.words for name, feature in zip(view.feature_names, view.columns, strict=True)}
    for group in model.computed:
        told |= group.words()
    return told


def _moments(frame: pl.DataFrame) -> np.ndarray:
    return frame[AT].dt.epoch("us").to_numpy()
