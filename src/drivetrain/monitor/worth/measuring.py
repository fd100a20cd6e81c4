"""The worth of answers, with an interval by days, and the rule on it."""

from __future__ import annotations

import math

import msgspec
import numpy as np
import numpy.typing as npt
import polars as pl

from drivetrain.core.errors import ProjectError
from drivetrain.core.records import Measure, MonitorReport
from drivetrain.evaluate.bootstrap import Bootstrap, Draws, draw
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.ranking import Floats
from drivetrain.evaluate.wording import span
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.worth.spec import Business

_WORTH = Metric("worth", "worth", "greater", "line", "what answers are worth")


def worth_of(rows: pl.DataFrame, value: pl.Expr, name: str) -> Floats:
    """The worth of each row, NaN where it is not known, shape (n,).

    What goes wrong in it is told by its kind alone: the words of an error may hold values of rows, and go into alerts.

    Raises:
        ProjectError: The expression gives no number of a row.
    """
    try:
        found = rows.select(value.cast(pl.Float64, strict=True).alias("worth")).to_series()
    except (Exception, pl.exceptions.PanicException) as error:  # noqa: BLE001 - a user may raise anything
        lacking = sorted(set(value.meta.root_names()) - set(rows.columns))
        kind = type(error).__name__ + (f", for there is no column {', '.join(lacking)}" if lacking else "")
        raise ProjectError(
            f"the business metric {name!r} can't be computed",
            found=kind,
            do="Its value= is a Polars expression over prediction, label, acted and columns of the request",
        ) from None
    if len(found) != rows.height:
        raise ProjectError(f"the business metric {name!r} is no number of each row", found=f"{len(found)} values")
    return found.fill_null(float("nan")).to_numpy()


def mean_worth(
    worth: Floats, ats: npt.NDArray[np.int64], per: int, bootstrap: Bootstrap = Bootstrap()
) -> Measure | None:
    """The mean worth of so many rows; none where no row's is known.

    Args:
        worth: Of each row, NaN where it is not known, shape (n,).
        ats: Moment of each, microseconds UTC, shape (n,).
        per: Of how many rows it is told.
        bootstrap: How its interval is made; rows of fewer than four days get none.

    Example:
        >>> mean_worth(np.array([1.0, 3.0, np.nan]), np.zeros(3, np.int64), 1000).value
        2000.0
    """
    known = np.isfinite(worth)
    if not known.any():
        return None
    resamples = draw(ats[known], bootstrap)
    sums, rows = resamples.sums(worth[known])[:, 0], resamples.sums(np.ones(int(known.sum())))[:, 0]
    means = np.divide(sums, rows, out=np.full(len(sums), np.nan), where=rows > 0) * per
    return Draws(float(means[0]), means[1:], int(known.sum()), resamples.blocks).measure(_WORTH, bootstrap.level)


def judge_worth(report: MonitorReport, asked: Business) -> list[Finding]:
    """A finding where answers surely bring less than they may."""
    seen = report.worth
    now = seen.now if seen is not None else None
    if seen is None or now is None or now.high is None or now.count < asked.least:
        return []
    then, reasons = seen.then, []
    if asked.drop is not None and then is not None and then.low is not None and then.high is not None:
        # By how much less, at the least, with the uncertainty of both sides (MOVER; Zou and Donner 2008).
        less = then.value - now.value - math.hypot(now.high - now.value, then.value - then.low)
        if less > asked.drop:
            shown = f"the {amounts(then, asked.unit)} of v{report.version}'s evaluation"
            reasons.append(f"surely more than {amount(asked.drop, asked.unit)} less than {shown}")
    if asked.at_least is not None and now.high < asked.at_least:
        reasons.append(f"where {amount(asked.at_least, asked.unit)} is the least allowed")
    if not reasons:
        return []
    message = (
        f"{report.endpoint}: {asked.name} of {asked.per:,} predictions was {amounts(now, asked.unit)} on "
        f"{now.count:,} answers of {span(report.since, report.until)}, {' and '.join(reasons)}."
    )
    evidence: dict[str, object] = {
        "worth": msgspec.to_builtins(seen),
        "drop": asked.drop,
        "at_least": asked.at_least,
    }
    return [Finding(asked.rule, "critical", message, evidence)]


def unknown_worth(report: MonitorReport, asked: Business, why: str) -> Finding:
    """What is told where the expression fails: silence would pass for a business that goes well."""
    message = f"{report.endpoint}: {why}. Mend it in the project: until then nobody is told."
    return Finding(asked.rule, "warning", message, {"failure": why})


def worth_judged(name: str, report: MonitorReport, asked: Business | None) -> bool:
    """Whether a window could tell of the business metric; one that is not asked for any more counts as told."""
    if asked is None or asked.name != name:
        return True
    now = report.worth.now if report.worth else None
    return now is not None and now.high is not None and now.count >= asked.least


def amount(value: float, unit: str) -> str:
    """An amount for people.

    Example:
        >>> amount(-1234.5, "EUR"), amount(0.25, "")
        ('-1,234 EUR', '0.25')
    """
    size = abs(value)
    told = f"{value:,.0f}" if size >= 100 else f"{value:.3g}"
    return f"{told} {unit}".strip()


def amounts(measure: Measure, unit: str) -> str:
    """An amount with its interval."""
    if measure.low is None or measure.high is None:
        return amount(measure.value, unit)
    return f"{amount(measure.value, unit)} [{amount(measure.low, '')}, {amount(measure.high, '')}]"
