"""What was looked at beside the evaluation of the flights model's versions."""

from __future__ import annotations

from functools import cache

import numpy as np
import polars as pl

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import Record
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.discovery.report import discover
from drivetrain.evaluate.fairness.report import Answers, fairness_report
from drivetrain.evaluate.report import Subject
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
    )
