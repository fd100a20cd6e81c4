"""Which rules were better, as far as the labels say so surely, and whether they were worth their cost."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import msgspec
import numpy as np
import polars as pl

from drivetrain.core.clock import Micros
from drivetrain.core.errors import NotReady
from drivetrain.core.records import Comparison, Evaluation, Measure, Task
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.metrics import metric_of
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.report import BASELINE, Subject, evaluate
from drivetrain.evaluate.wording import figures
from drivetrain.loop.comparing.played import ROW, Played
from drivetrain.monitor.answered import Answered, answered
from drivetrain.monitor.labels import join_labels
from drivetrain.monitor.performance import measure_performance

_REPLICATES = 1_000
_NONE = Bootstrap(replicates=2)
"""Where no interval is asked for."""


class Row(msgspec.Struct, frozen=True, kw_only=True):
    """One line of the table: rules, or an answer that needs none.

    Attributes:
        name: Of the rules.
        naive: Whether it needs none.
        figure: The metric that stands for the objective, on the rows that all have answered.
        retrainings: How often a new version was asked for.
        promotions: How often one took over.
        refusals: How often one did not.
        fit_seconds: What the fits took.
        alerts: Severity → how many were opened.
        months: Month → the figure in it, without an interval.
    """

    name: str
    naive: bool = False
    figure: Measure | None = None
    retrainings: int = 0
    promotions: int = 0
    refusals: int = 0
    fit_seconds: float = 0.0
    alerts: dict[str, int] = {}
    months: dict[str, float] = {}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What the comparison came to.

    Attributes:
        endpoint: Of which endpoint.
        since: Where the months began.
        until: Where they ended.
        metric: What is compared.
        rows: Labelled rows that all have answered.
        level: Coverage of the intervals of differences: together they hold with 95 %.
        table: Each set of rules, then each naive answer.
        differences: Of each set of rules against every other line; positive is better.
        best: The rules that are surely better than all others; none where no rules are.
        left_out: Naive answer → why it could not be given.
        words: A sentence each.
    """

    endpoint: str
    since: Micros
    until: Micros
    metric: str
    rows: int
    level: float
    table: tuple[Row, ...]
    differences: dict[str, tuple[Comparison, ...]]
    best: str | None
    left_out: dict[str, str] = {}
    words: tuple[str, ...] = ()


class Compared(msgspec.Struct, frozen=True):
    """The rows that every set of rules has answered and whose label has come.

    Attributes:
        judged: Labels and the answers of the first.
        said: Name → answers to the same rows.
    """

    judged: Answered
    said: dict[str, Floats]


def common_rows(played: list[Played], naive: dict[str, Floats], task: Task, endpoint: str) -> Compared:
    """Answers of all to the same labelled rows.

    Args:
        played: Each set of rules; the naive answers are to the rows of the first.
        naive: Name → answers.
        task: What they tell.
        endpoint: Whose labels.

    Raises:
        NotReady: No label came for any of them.
    """
    first = played[0]
    place = pl.int_range(pl.len(), dtype=pl.Int64)
    shared = first.log.with_columns(place.alias("_0"))
    for number, other in enumerate(played[1:], 1):
        shared = shared.join(
            other.log.select(*ROW, place.alias(f"_{number}")), on=ROW, how="inner", maintain_order="left"
        )
    taken = [shared[f"_{number}"].to_numpy() for number in range(len(played))]
    said = {each.name: each.said[at] for each, at in zip(played, taken, strict=True)}
    said |= {name: answers[taken[0]] for name, answers in naive.items()}
    finite = np.all([np.isfinite(one.reshape(len(one), -1)).all(axis=1) for one in said.values()], axis=0)
    judged = answered(join_labels(shared.filter(pl.Series(finite)), first.feedback, endpoint=endpoint), task)
    if not judged.answers.rows:
        raise NotReady("nothing can be compared: no label has come for what all have answered", do="Play longer")
    whole = {name: np.ascontiguousarray(one[finite][judged.places]) for name, one in said.items()}
    answers = Answers(judged.answers.labels, whole[first.name], task, judged.answers.groups)
    return Compared(Answered(answers, judged.ats, judged.places), whole)


def judge(
    played: list[Played], compared: Compared, metric: str, left_out: dict[str, str], span: tuple[str, Micros, Micros]
) -> Verdict:
    """Sets each set of rules beside all others, on the same rows and the same resamples of days.

    Args:
        played: Each set of rules.
        compared: What all have answered.
        metric: What stands for the objective.
        left_out: Naive answers that could not be given.
        span: Endpoint, and where the months began and ended.
    """
    names, every = [each.name for each in played], list(compared.said)
    pairs = len(names) * (len(every) - 1)
    bootstrap = Bootstrap(level=1 - 0.05 / max(pairs, 1), replicates=_REPLICATES)
    evaluations = {name: _evaluated(compared, name, metric, bootstrap) for name in names}
    first = evaluations[names[0]]
    table = [_row(each, evaluations[each.name].metrics[metric], compared, metric) for each in played]
    table += [
        Row(name=name, naive=True, figure=first.baselines[name].get(metric), months=_months(compared, name, metric))
        for name in every
        if name not in names
    ]
    differences = {
        name: tuple(
            msgspec.structs.replace(one, against=one.against.removeprefix(f"{BASELINE} "))
            for one in evaluations[name].comparisons
            if one.metric == metric
        )
        for name in names
    }
    best = next((name for name in names if len(names) > 1 and _surely(differences[name], set(names))), None)
    endpoint, since, until = span
    return Verdict(
        endpoint=endpoint,
        since=since,
        until=until,
        metric=metric,
        rows=compared.judged.answers.rows,
        level=bootstrap.level,
        table=tuple(table),
        differences=differences,
        best=best,
        left_out=left_out,
        words=tuple(_words(names, differences, best, metric)),
    )


def as_told(verdict: Verdict) -> dict[str, Any]:
    """The verdict as JSON has it."""
    told: dict[str, Any] = msgspec.to_builtins(verdict)
    return told


def _evaluated(compared: Compared, name: str, metric: str, bootstrap: Bootstrap) -> Evaluation:
    answers = compared.judged.answers
    others = {other: said for other, said in compared.said.items() if other != name}
    return evaluate(
        compared.said[name],
        answers.labels,
        compared.judged.ats,
        subject=Subject(run_id=name, model=name, data="prediction log", task=answers.task, metric=metric),
        baselines=others,
        groups=answers.groups,
        bootstrap=bootstrap,
    )


def _row(played: Played, figure: Measure, compared: Compared, metric: str) -> Row:
    return Row(
        name=played.name,
        figure=figure,
        retrainings=played.retrainings,
        promotions=played.promotions,
        refusals=played.refusals,
        fit_seconds=played.fit_seconds,
        alerts=played.alerts,
        months=_months(compared, played.name, metric),
    )


def _months(compared: Compared, name: str, metric: str) -> dict[str, float]:
    """The figure of each month; left out where it has rows of one label only."""
    answers = compared.judged.answers._replace(predictions=compared.said[name])
    month = pl.Series(compared.judged.ats).cast(pl.Datetime("us", "UTC")).dt.strftime("%Y-%m").to_numpy()
    found = {}
    for each in np.unique(month):
        inside = answers.among(month == each)
        if len(np.unique(inside.labels)) < 2:
            continue
        figure = measure_performance(inside, compared.judged.ats[month == each], bootstrap=_NONE).get(metric)
        if figure is not None:
            found[str(each)] = figure.value
    return found


def _surely(differences: tuple[Comparison, ...], rules: set[str]) -> bool:
    return all(_above(one) for one in differences if one.against in rules)


def _words(
    names: list[str], differences: dict[str, tuple[Comparison, ...]], best: str | None, metric: str
) -> Iterator[str]:
    title = metric_of(metric).title
    if best is not None:
        gains = [
            f"{figures(one.difference, sign=True)} against {one.against}"
            for one in differences[best]
            if one.against in names
        ]
        yield f"{best} is surely better on {title}: {'; '.join(gains)}."
    elif len(names) > 1:
        yield f"No rules are surely better than all others on {title}: the cheapest will do."
    for name in names:
        lost = [
            f"{figures(one.difference, sign=True)} against {one.against}"
            for one in differences[name]
            if one.against not in names and not _above(one) and not _same(one)
        ]
        if lost:
            yield f"{name} does not surely beat what needs no rules: {'; '.join(lost)}."
        else:
            yield f"{name} surely beats every answer that needs no rules."


def _above(one: Comparison) -> bool:
    return one.difference.low is not None and one.difference.low > 0


def _same(one: Comparison) -> bool:
    """Whether both give the same answers, as rules that never train anew and the first version do."""
    return one.difference.value == one.difference.low == one.difference.high == 0.0
