"""What was looked at beside the evaluation of the flights model's versions."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Record
from drivetrain.evaluate.behaviour.judging import Tried, behave
from drivetrain.evaluate.behaviour.spec import direction, invariance
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.dependence.report import dependence
from drivetrain.evaluate.discovery.report import discover
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.report import Subject
from drivetrain.evaluate.robustness.report import Strained, robustness
from web.learned import TESTED


@cache
def probed(number: int) -> tuple[Record, ...]:
    """Reports on made-up answers: less is caught of one carrier's, another is hardly there, one has a long name."""
    chance = np.random.default_rng(number)
    rows = 6_000
    carrier = chance.choice(["EV", "B6", "UA", "Wide & <Far> Airways", "HA"], rows, p=[0.3, 0.3, 0.2, 0.19, 0.01])
    labels = (chance.random(rows) < 0.25).astype(float)
    told = labels * np.where(carrier == "EV", 0.8, 2.0)
    answers = Answers(
        predictions=1 / (1 + np.exp(-(told - 1.5 + chance.normal(size=rows)))),
        labels=labels,
        ats=micros_of("2013-05-01") + chance.integers(0, 60 * DAY, rows),
    )
    columns = pl.DataFrame({"carrier": carrier, "seats": chance.normal(140, 40, rows).round()})
    subject = Subject(run_id=f"0192-run-{number}", model="late", data=f"table:training/late@{number}")
    now = micros_of(TESTED[number])
    protected = [Protected("carrier"), Protected("seats")]
    return (
        fairness_report(answers, columns, protected, subject=subject, now=now),
        discover(answers, columns, subject=subject, left_out=["passenger"], now=now),
        behave([invariance("carrier"), direction("seats", "up")], _tried(answers, columns), subject=subject, now=now),
        robustness(_strained(answers, columns), subject=subject, metric="average_precision", now=now),
        dependence(columns, answers.ats, columns.columns, _asked, subject=subject, now=now),
    )


def _asked(rows: pl.DataFrame, changes: Mapping[str, pl.Series]) -> np.ndarray:
    """A model that goes by the carrier's name and a little by the seats."""
    frame = rows.with_columns(**changes)
    name = frame["carrier"].fill_null("").str.len_chars().to_numpy()
    seats = frame["seats"].fill_null(0.0).to_numpy()
    return np.asarray(1 / (1 + np.exp(-(0.1 * name + seats / 400 - 1.5))), np.float64)


def _tried(answers: Answers, columns: pl.DataFrame) -> Tried:
    said = _asked(columns, {})
    return Tried(rows=columns, labels=answers.labels, predictions=said, ats=answers.ats, ask=_asked)


def _strained(answers: Answers, columns: pl.DataFrame) -> Strained:
    return Strained(
        rows=columns,
        labels=answers.labels,
        ats=answers.ats,
        ask=_asked,
        features=columns.columns,
        views={"plane_history_of_the_last_thirty_days": ["seats"]},
        stale={},
    )
