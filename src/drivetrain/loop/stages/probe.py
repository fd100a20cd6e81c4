"""What else is looked at on the test rows: for whom the answers are worse, and where."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import polars as pl

from drivetrain.core.records import BehaviourReport, DependenceReport, Discovery, FairnessReport, RobustnessReport, Run
from drivetrain.evaluate.behaviour.judging import Tried, behave
from drivetrain.evaluate.dependence.report import dependence
from drivetrain.evaluate.discovery.report import discover
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.probes import Probes
from drivetrain.evaluate.report import Subject
from drivetrain.evaluate.robustness.report import Strained, robustness
from drivetrain.features.label import AT, ENTITY, LABEL
from drivetrain.features.view import FeatureView
from drivetrain.loop.audit import personal_columns
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.stages.asking import Asking
from drivetrain.loop.stages.bias import personal_attributes
from drivetrain.loop.stages.deciding import acts_from
from drivetrain.train.fit import importance


@dataclass(frozen=True, eq=False, kw_only=True)
class Probed:
    """What is looked at.

    Attributes:
        run: The run.
        known: Labelled rows, in order of their moments.
        learned: Which of them the model was fitted on.
        test: The rows that the evaluation judges.
        predictions: The model's answers to those.
        subject: What the evaluation is of.
    """

    run: Run
    known: pl.DataFrame
    learned: pl.Series
    test: pl.DataFrame
    predictions: np.ndarray
    subject: Subject


def probe(project: Definitions, model: Model, probed: Probed) -> Probes:
    """Everything that is looked at beside the evaluation; only answers that are a probability are."""
    test, predictions, subject = probed.test, probed.predictions, probed.subject
    labels = test[LABEL]
    if predictions.ndim != 1 or not labels.is_in([0.0, 1.0]).all():
        return Probes()
    answers = answers_of(model, probed.run, test, predictions)
    return Probes(
        fairness=_fairness(project, model, test, answers, subject),
        discovery=_discovery(project, model, test, answers, subject),
        behaviours=_behaviours(project, model, probed, answers),
        robustness=_robustness(project, model, probed, answers),
        dependence=_dependence(project, model, probed, answers),
    )


def answers_of(model: Model, run: Run, test: pl.DataFrame, predictions: np.ndarray) -> Answers:
    """A model's answers to labelled rows of its training set, acted on from its threshold."""
    return Answers(
        predictions=np.asarray(predictions, np.float64),
        labels=test[LABEL].cast(pl.Float64).to_numpy(),
        ats=test[AT].dt.epoch("us").to_numpy(),
        entities=test[ENTITY] if ENTITY in test.columns else None,
        threshold=acts_from(model, run),
    )


def _fairness(
    project: Definitions, model: Model, test: pl.DataFrame, answers: Answers, subject: Subject
) -> FairnessReport | None:
    if not model.protected:
        return None
    return fairness_report(
        answers,
        test.select(each.name for each in model.protected),
        model.protected,
        subject=subject,
        personal=frozenset(personal_attributes(project, model)),
    )


def _discovery(project: Definitions, model: Model, test: pl.DataFrame, answers: Answers, subject: Subject) -> Discovery:
    """By the model's features, the request's columns, and what rows are told apart by; nothing personal, no text."""
    names = dict.fromkeys([*model.feature_names(), *model.request_columns, *model.beside])
    texts = _texts(model, test)
    known = [name for name in names if name in test.columns and name not in texts]
    personal = personal_columns(project, model, known)
    return discover(
        answers, test.select(name for name in known if name not in personal), subject=subject, left_out=personal
    )


def _behaviours(project: Definitions, model: Model, probed: Probed, answers: Answers) -> BehaviourReport | None:
    if not model.behaviours:
        return None
    tried = Tried(
        rows=probed.test,
        labels=answers.labels,
        predictions=answers.predictions,
        ats=answers.ats,
        ask=Asking(project, model, probed.run),
        personal=frozenset(personal_columns(project, model, probed.test.columns)),
    )
    return behave(model.behaviours, tried, subject=probed.subject)


def _robustness(project: Definitions, model: Model, probed: Probed, answers: Answers) -> RobustnessReport:
    leaned = importance(probed.run)
    return robustness(
        Strained(
            rows=probed.test,
            labels=answers.labels,
            ats=answers.ats,
            ask=Asking(project, model, probed.run),
            features=sorted(model.feature_names(), key=lambda name: -leaned.get(name, 0.0)),
            views={group.name: group.feature_names for group in model.features if isinstance(group, FeatureView)},
            stale={
                group.name: earlier(probed.known, probed.test, group.entity.keys, group.feature_names)
                for group in model.features
                if isinstance(group, FeatureView)
            },
            before=probed.known.filter(probed.learned).select(model.feature_names()),
        ),
        subject=probed.subject,
        metric=model.metric,
    )


def _dependence(project: Definitions, model: Model, probed: Probed, answers: Answers) -> DependenceReport:
    """Of features whose values are not personal, and are no texts: a point is a value that somebody has."""
    leaned = importance(probed.run)
    left_out = {*personal_columns(project, model, model.feature_names()), *_texts(model, probed.test)}
    features = sorted(set(model.feature_names()) - left_out, key=lambda name: (-leaned.get(name, 0.0), name))
    asking = Asking(project, model, probed.run)
    return dependence(probed.test, answers.ats, features, asking, subject=probed.subject, explain=asking.explain)


def _texts(model: Model, test: pl.DataFrame) -> set[str]:
    """What is read as text, and fields that hold the same: no group is made of them, and none is quoted."""
    read = [test[each.feature] for each in model.text if each.feature in test.columns]
    same = {column.name for column in test for text in read if column.dtype == text.dtype and column.equals(text)}
    return same | {text.name for text in read}


def earlier(known: pl.DataFrame, test: pl.DataFrame, keys: Sequence[str], features: Sequence[str]) -> pl.DataFrame:
    """Features as they stood at the entity's last row a day or more before; null where there was none.

    Args:
        known: Rows to look in, in order of their moments.
        test: Rows to find earlier ones for.
        keys: The entity's keys.
        features: What is wanted.
    """
    then = known.select(*keys, *features, (pl.col(AT) + pl.duration(days=1)).alias("_from")).sort("_from")
    asked = test.select(*keys, AT).with_row_index("_place").sort(AT)
    found = asked.join_asof(
        then, left_on=AT, right_on="_from", by=list(keys), strategy="backward", check_sortedness=False
    )
    return found.sort("_place").select(features)
