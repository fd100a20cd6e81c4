"""A mitigation tried on a version: learned from rows that it may learn from, judged on the later half of the test."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import polars as pl

from drivetrain.core import plugins
from drivetrain.core.clock import DAY
from drivetrain.core.errors import NotReady, UsageError
from drivetrain.core.protocols import FitTask
from drivetrain.core.records import Evaluation, ModelVersion, Run
from drivetrain.evaluate.bias.groups import Grouping, Hiding, groupings
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.fairness.mitigation import By, Mitigated, apart_before_and_after, costs
from drivetrain.evaluate.fairness.rates import LEAST
from drivetrain.evaluate.fairness.report import Answers
from drivetrain.evaluate.fairness.thresholds import Constraint, GroupRule, learn_thresholds
from drivetrain.evaluate.operating import threshold_at
from drivetrain.evaluate.ranking import Floats
from drivetrain.features.encoding import encode
from drivetrain.features.label import AT, LABEL
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.refs import table_version
from drivetrain.loop.stages.bias import personal_attributes
from drivetrain.loop.stages.probe import answers_of
from drivetrain.train.predict import predict_run
from drivetrain.train.rows import Preparing, TrainingRows
from drivetrain.train.weigh import Reweigh

MOST_ROWS = 50_000
"""Rows that exponentiated gradient learns from; of more, the latest."""

_NOTES: dict[By, tuple[str, ...]] = {
    "threshold": (
        "Group-specific thresholds use the attribute when answering: every request must say which group it is of, and "
        "in some places the law forbids treating people by it.",
        "Where a rule has two thresholds or a lot, two equal requests may be decided on differently.",
        "The endpoint goes on answering with probabilities: it is the caller who decides by these rules.",
    ),
    "reweigh": (
        "The attribute is used to learn, not to answer.",
        "To keep it, declare weigh=dt.Reweigh(…) on the model, and run.",
    ),
    "gradient": (
        "The attribute is used to learn, not to answer.",
        "It is a lottery over several classifiers of its own, not the model that serves: two equal requests may be "
        "decided on differently, and it gives no probabilities.",
    ),
}


def mitigate(
    project: Definitions, model: Model, version: ModelVersion, by: By, *, column: str | None, constraint: Constraint
) -> Mitigated:
    """See :meth:`~drivetrain.loop.probes.ModelProbes.mitigate`."""
    work = _Work(project, model, version, column)
    before = (work.judged.predictions >= work.threshold).astype(np.float64)
    rules: list[GroupRule] = []
    if by == "threshold":
        rules = work.thresholds(constraint)
        after, learned = work.ruled(rules), len(work.learning.labels)
    elif by == "reweigh":
        after, learned = work.reweighed()
    else:
        after, learned = work.reduced(constraint)
    luck = work.judged.luck(Bootstrap())
    labels, scores = work.judged.labels, work.judged.predictions
    return Mitigated(
        model=model.name,
        version=version.version,
        by=by,
        constraint=constraint,
        column=" × ".join(work.grouping.attributes),
        learned=learned,
        judged=len(labels),
        disparities=apart_before_and_after(labels, scores, (before, after), work.of_judged, luck),
        costs=costs(labels, (before, after), luck),
        rules=tuple(rules),
        notes=_NOTES[by],
    )


class _Work:
    """The rows of a version's test, cut into an earlier half to learn rules from and a later one to judge."""

    def __init__(self, project: Definitions, model: Model, version: ModelVersion, column: str | None) -> None:
        store = project.store
        evaluation, run = store.catalog.get(Evaluation, version.run_id), store.catalog.get(Run, version.run_id)
        if evaluation is None or run is None:
            raise NotReady(f"{version.key} has no evaluation on record", do="Run the project")
        self.project, self.model, self.run, self.until = project, model, run, evaluation.until
        table = table_version(project, version.training_set)
        self.frame = store.tables.read(table.table, table.version).filter(pl.col(LABEL).is_not_null())
        at = self.frame[AT].dt.epoch("us")
        test = self.frame.filter((at >= evaluation.since) & (at < evaluation.until))
        answers = answers_of(model, run, test, predict_run(store, run, test))
        self.threshold = answers.acts_from
        self.grouping = self._grouping(test, column)
        day = answers.ats // DAY
        days = np.unique(day)
        self.late = day >= days[len(days) // 2]
        self.learning, self.judged = _of(answers, ~self.late, self.threshold), _of(answers, self.late, self.threshold)
        self.of_judged = Grouping(self.grouping.attributes, self.grouping.values, self.grouping.codes[self.late])
        self.judged_rows = test.filter(pl.Series(self.late))

    @property
    def names(self) -> list[str]:
        """What the groups are called."""
        return [", ".join(value) for value in self.grouping.values]

    def thresholds(self, constraint: Constraint) -> list[GroupRule]:
        """Rules by group, learned from the earlier half."""
        codes = self.grouping.codes[~self.late]
        return learn_thresholds(
            self.learning.labels,
            self.learning.predictions,
            codes,
            self.names,
            constraint=constraint,
            threshold=self.threshold,
        )

    def ruled(self, rules: list[GroupRule]) -> Floats:
        """Chance that each judged row is acted on under the rules."""
        acted = np.zeros(len(self.judged.labels))
        for at, rule in enumerate(rules):
            inside = self.of_judged.codes == at
            acted[inside] = rule.acts(self.judged.predictions[inside])
        return acted

    def reweighed(self) -> tuple[Floats, int]:
        """The model fitted anew with weights, acting on as many rows as before."""
        weigh = Reweigh(*self.grouping.attributes)
        preparing = replace(self.model.preparing, weigh=weigh, select=None)
        rows = self._rows(preparing)
        lesson = rows.lesson()
        fitted = self.model.trainer.fit(
            FitTask(
                rows=lesson.rows,
                labels=lesson.labels,
                weights=lesson.weights,
                schema=lesson.read,
                parameters=self.run.parameters,
                seed=self.model.seed,
                threads=max(1, self.project.settings.compute.threads or 1),
            )
        )
        asked = encode(self.judged_rows, lesson.schema)
        asked = lesson.as_read(asked)
        scores = np.asarray(fitted.predict(asked), np.float64)
        share = float((self.judged.predictions >= self.threshold).mean())
        return (scores >= threshold_at(scores, share)).astype(np.float64), len(lesson.labels)

    def reduced(self, constraint: Constraint) -> tuple[Floats, int]:
        """A lottery over classifiers, by exponentiated gradient."""
        reduction = plugins.load("reduction", "fairlearn")
        rows = self._rows(Preparing((), Reweigh(*self.grouping.attributes)))
        groups = rows.columns.select(pl.concat_str(pl.col(self.grouping.attributes).cast(pl.String).fill_null("")))
        last = slice(max(0, len(rows.labels) - MOST_ROWS), None)
        acted = reduction(
            rows.rows[last],
            rows.labels[last],
            groups.to_series().to_list()[last],
            encode(self.judged_rows, rows.schema),
            constraint=constraint,
            seed=self.model.seed,
        )
        return np.asarray(acted, np.float64), len(rows.labels[last])

    def _rows(self, preparing: Preparing) -> TrainingRows:
        return TrainingRows.cut(
            self.frame,
            self.run.selection.kept if self.run.selection else self.model.feature_names(),
            self.model.split,
            self.until,
            needs_valid=False,
            preparing=preparing,
        )

    def _grouping(self, test: pl.DataFrame, column: str | None) -> Grouping:
        """The groups of a protected attribute, the first by default, or of several together."""
        personal = frozenset(personal_attributes(self.project, self.model))
        hiding = Hiding(personal, np.ones(test.height, np.bool_), LEAST)
        known = groupings(test.select(each.name for each in self.model.protected), self.model.protected, hiding)
        by_name = {" × ".join(each.attributes): each for each in known}
        if column is not None and column not in by_name:
            raise UsageError(
                f"model {self.model.name!r} protects no {column!r}", expected=f"one of {', '.join(by_name)}"
            )
        return known[0] if column is None else by_name[column]


def _of(answers: Answers, which: np.ndarray, threshold: float) -> Answers:
    return Answers(
        predictions=answers.predictions[which],
        labels=answers.labels[which],
        ats=answers.ats[which],
        entities=None if answers.entities is None else answers.entities.filter(pl.Series(which)),
        threshold=threshold,
    )
