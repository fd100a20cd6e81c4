"""Decisions, calibration and coverage in sentences for two readers: who decides, and who checks."""

from __future__ import annotations

from drivetrain.core.records import Acting, Covering, Measure, Run
from drivetrain.core.records.deciding import CoveredPart
from drivetrain.evaluate.wording import figure, percent

_NAMES = {
    "true_positive": "one that is caught",
    "false_positive": "one acted on in vain",
    "true_negative": "one rightly left alone",
    "false_negative": "one that is missed",
}
_SHOWN = 6


def acts(report: Acting, rows: str) -> list[str]:
    """What it costs to act as the model says, and what not to."""
    each = {one.name: one for one in report.alternatives}
    never, always, half = each["never"], each["always"], each["from 0.5"]
    if report.threshold > 1:
        said = [f"Acting on none costs least: {figure(report.cost.value)} for each of the {rows}."]
    else:
        said = [
            f"Acting on what scores {figure(report.threshold)} or more costs {_amount(report.cost)} for each of the "
            f"{rows}; acting on none {figure(never.cost.value)}, on all {figure(always.cost.value)}, from 0.5 on "
            f"{figure(half.cost.value)}."
        ]
        said.append(f"It acts on {_percent(report.share)} of the {rows}{_right(report)}.")
        said += [f"Than acting {one.name}, that is {_surely(one.saved)}." for one in (never, always)]
    if report.at_most is not None:
        more = report.share.value > report.at_most
        said.append(
            f"At most {percent(report.at_most)} were to be acted on"
            + (f": on these it was more, {percent(report.share.value)}." if more else ".")
        )
    costs = ", ".join(f"{_NAMES[name]} {value:g}" for name, value in report.costs.items() if value)
    return [*said, f"Counted as costs (a benefit below zero): {costs}."]


def covers(report: Covering, rows: str) -> list[str]:
    """How often the outcome was where it was said to be, and where not."""
    promised, held = percent(report.coverage), report.covered
    sets = report.method == "set"
    size = f"a set names {report.size.value:.2f} classes" if sets else f"an interval is {report.size.value:.4g} wide"
    cases = "all cases of each class" if report.each_class else "all cases"
    said = [
        f"Each answer comes with {'a set' if sets else 'an interval'} that is to hold what comes in {promised} of "
        f"{cases}. Of {held.count:,} {rows} it held {_percent(held)}; on average {size}."
    ]
    if held.high is not None and held.high < report.coverage:
        said.append(
            f"That is surely less than {promised}: these {rows} are unlike those it was learned from. Train more "
            "often, learn from a longer validation window, or ask for more coverage than is needed."
        )
    elif held.low is not None and held.low > report.coverage:
        why = "no set is left empty" if sets else "intervals are wider than they need be"
        said.append(f"That is surely more than {promised}: {why}.")
    short = missed(report)
    if short:
        said.append(
            f"It surely holds less among: {'; '.join(_part(each) for each in short[:_SHOWN])}"
            + (f"; and {len(short) - _SHOWN} more." if len(short) > _SHOWN else ".")
        )
    return said


def missed(report: Covering) -> list[CoveredPart]:
    """Parts whose share inside is surely less than was promised, the worst first."""
    short = [each for each in report.parts if each.covered.high is not None and each.covered.high < report.coverage]
    return sorted(short, key=lambda each: each.covered.value)


def calibrates(run: Run | None) -> str:
    """Whether probabilities are calibrated, and how that was decided; empty where nobody asked."""
    if run is None or run.decided is None or run.decided.calibration is None:
        return ""
    found, choice = run.decided, run.decided.calibration
    on = f"On {found.rows:,} rows that taught no fit ({found.of})"
    kept = choice.chosen
    if kept is None:
        return f"{on}, no way to calibrate surely lowered the log loss of {choice.log_loss:.4f}: it answers as fitted."
    return (
        f"Its probabilities are calibrated, by {kept.method}. {on}, that lowered the log loss from "
        f"{choice.log_loss:.4f} to {kept.log_loss:.4f} and the Brier score from {choice.brier:.4f} to {kept.brier:.4f}"
        ", each stretch of time read by what the others taught. Explanations are of the model before that."
    )


def weighs(run: Run | None) -> str:
    """What weights by label do to probabilities; empty where there are none."""
    if run is None or run.weighing is None or run.weighing.by:
        return ""
    decided = run.decided
    if decided is not None and decided.calibration is not None and decided.calibration.chosen is not None:
        return "Rows were weighed by label, which bends probabilities; calibration bends them back."
    most = max(cell.weight for cell in run.weighing.cells)
    return (
        f"Its percentages are no shares: rows were weighed by label, up to {most:.3g} each, so that it says rare "
        "ones to be likelier than they are. Declare calibrate=dt.Calibrate() to read them as chances."
    )


def _right(report: Acting) -> str:
    if report.precision is None or report.recall is None:
        return ""
    right, caught = _percent(report.precision), _percent(report.recall)
    return f"; {right} of these were right, and {caught} of what was to be caught was"


def _surely(saved: Measure) -> str:
    amount = f"{figure(abs(saved.value))} {'less' if saved.value >= 0 else 'more'}"
    if saved.low is None or saved.high is None:
        return f"{amount}; too few days to say how surely"
    between = f"{figure(saved.low, sign=True)} to {figure(saved.high, sign=True)} saved on each"
    sure = "surely" if saved.low > 0 or saved.high < 0 else "not surely"
    return f"{sure} {amount} ({between})"


def _part(part: CoveredPart) -> str:
    return f"{part.column} {part.value} ({_percent(part.covered)})"


def _amount(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return figure(measure.value)
    return f"{figure(measure.value)} ({figure(measure.low)} to {figure(measure.high)})"


def _percent(measure: Measure) -> str:
    if measure.low is None or measure.high is None:
        return percent(measure.value)
    return f"{percent(measure.value)} ({percent(measure.low)} to {percent(measure.high)})"
