"""What else is looked at on the test rows: for whom the answers are worse, and where."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.records import Discovery, FairnessReport
from drivetrain.evaluate.discovery.report import discover
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.probes import Probes
from drivetrain.evaluate.report import Subject
from drivetrain.features.label import AT, ENTITY, LABEL
from drivetrain.loop.audit import personal_columns
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.stages.bias import personal_attributes


def probe(project: Definitions, model: Model, test: pl.DataFrame, predictions: np.ndarray, subject: Subject) -> Probes:
    """Everything that is looked at beside the evaluation; only answers that are a probability are.

    Args:
        project: Whose model it is.
        model: What is to be looked at.
        test: The labelled rows that the evaluation judges.
        predictions: The model's answers to them.
        subject: What the evaluation is of.
    """
    labels = test[LABEL]
    if predictions.ndim != 1 or not labels.is_in([0.0, 1.0]).all():
        return Probes()
    answers = answers_of(model, test, predictions)
    return Probes(
        fairness=_fairness(project, model, test, answers, subject),
        discovery=_discovery(project, model, test, answers, subject),
    )


def answers_of(model: Model, test: pl.DataFrame, predictions: np.ndarray) -> Answers:
    """A model's answers to labelled rows of its training set, acted on from its threshold."""
    return Answers(
        predictions=np.asarray(predictions, np.float64),
        labels=test[LABEL].cast(pl.Float64).to_numpy(),
        ats=test[AT].dt.epoch("us").to_numpy(),
        entities=test[ENTITY] if ENTITY in test.columns else None,
        threshold=model.threshold,
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
    """By the model's features, the request's columns, and what its rows are told apart by; nothing personal is told."""
    names = dict.fromkeys([*model.feature_names(), *model.request_columns, *model.beside])
    known = [name for name in names if name in test.columns]
    personal = personal_columns(project, model, known)
    return discover(
        answers, test.select(name for name in known if name not in personal), subject=subject, left_out=personal
    )
