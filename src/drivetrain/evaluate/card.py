"""The model card: a page that a product manager understands, and the annex that an engineer checks."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import msgspec
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup

from drivetrain.core.clock import DAY, iso
from drivetrain.core.records import (
    BiasGroup,
    BiasReport,
    Comparison,
    Evaluation,
    GateReport,
    Measure,
    Run,
    SliceMeasure,
)
from drivetrain.evaluate.bias.wording import counted_as, findings
from drivetrain.evaluate.charts import calibration_chart, ends, precision_chart, strip
from drivetrain.evaluate.cost.told import cost_told
from drivetrain.evaluate.deciding.told import deciding_told
from drivetrain.evaluate.metrics import METRICS, SETS, Metric, metric_of
from drivetrain.evaluate.operating import Curve
from drivetrain.evaluate.probes import Probes
from drivetrain.evaluate.told import told_of, tuning_told
from drivetrain.evaluate.wording import apart, figure, figures, micros, percent, size, span

_FEATURES = 15
_SELECTED = 40
_CAME: dict[str, str] = {"multiclass": "was right", "regression": "came", "quantile": "stayed below"}
_CALIBRATION: dict[str, tuple[str, str]] = {
    "binary": (
        "Can its percentages be believed?",
        "Each dot is a tenth of the {rows}. On the dashed line, what it said is what came",
    ),
    "multiclass": (
        "Does it know how sure it may be?",
        "Each dot is a tenth of the {rows}, by how sure it was of the likeliest class. On the dashed line it was right "
        "as often as it said",
    ),
    "regression": (
        "Are its numbers right on average?",
        "Each dot is a tenth of the {rows}, by what it said. On the dashed line that is the mean of what came",
    ),
    "quantile": (
        "Do its quantiles hold?",
        "Each dot is a level: across what was asked, upwards the share of the {rows} that stayed below it",
    ),
}


class Card(msgspec.Struct, frozen=True, kw_only=True):
    """Everything a card tells.

    Attributes:
        project: The project's name.
        objective: The business objective, a sentence.
        positive: What a yes means, to follow "that": ``a flight arrives 15 or more minutes late``.
        rows: What a row is, in the plural: ``flights``.
        metric: The metric that stands for the objective.
        evaluation: How good the model is.
        gates: What it had to meet.
        run: How it was made.
        version: Its number, once it has one.
        owner: Whom to ask.
        curve: Precision and recall by how many are acted on.
        descriptions: Feature → what it is.
        limits: When not to use it, sentences.
        bias: What its training data say of protected groups; none where no protected attribute is declared.
        forced: Why it serves although a gate said no.
        probes: What else was looked at on the same rows.
    """

    project: str
    objective: str
    evaluation: Evaluation
    gates: GateReport
    positive: str = "the answer is yes"
    rows: str = "rows"
    metric: str = "average_precision"
    run: Run | None = None
    version: int | None = None
    owner: str = ""
    curve: Curve | None = None
    descriptions: dict[str, str] = {}
    limits: Sequence[str] = ()
    bias: BiasReport | None = None
    forced: str = ""
    probes: Probes = Probes()

    @property
    def name(self) -> str:
        """Model and version."""
        return self.evaluation.model + (f" v{self.version}" if self.version is not None else "")


class _Line(NamedTuple):
    name: str
    measure: Measure
    strip: Markup
    note: str


def card_json(card: Card) -> bytes:
    """The card as JSON: the same figures, for programs."""
    told = {"card": 1, "name": card.name, "unknown": _unknown(card), **msgspec.to_builtins(card)}
    return msgspec.json.format(msgspec.json.encode(told), indent=2)


def card_html(card: Card) -> bytes:
    """The card as one HTML file that needs nothing else, in the reader's light or dark theme."""
    environment = Environment(
        loader=PackageLoader("drivetrain.evaluate"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters.update(
        figure=figure,
        figures=figures,
        percent=percent,
        iso=iso,
        title=_title,
        upper_first=_upper_first,
        apart=apart,
        micros=micros,
        bytes=size,
        filled=_filled,
    )
    evaluation = card.evaluation
    page = environment.get_template("card.html.jinja").render(
        card=card,
        evaluation=evaluation,
        run=card.run,
        span=span,
        metrics=_metrics(evaluation),
        headline=evaluation.metrics.get(card.metric),
        rivals=_rivals(card),
        gains=[gap for gap in evaluation.comparisons if gap.metric == card.metric],
        points=_points(card.curve),
        calibration=_calibration(evaluation),
        precision=_precision(card),
        told=_told(card),
        share_positive=_share_positive(evaluation.positives, evaluation.rows),
        calibration_words=_CALIBRATION.get(evaluation.task.kind),
        slices=_slices(evaluation),
        bias_rates=_bias_rates(card.bias),
        bias_findings=[] if card.bias is None else findings(card.bias),
        bias_words="" if card.bias is None else counted_as(card.bias),
        slice_metric=_slice_metric(evaluation),
        importance=_importance(card),
        selected=_SELECTED,
        unknown=_unknown(card),
        verdict=_verdict(card),
        better=_better,
        deciding=deciding_told(evaluation, card.run, card.rows),
        **told_of(card.probes),
        **cost_told(evaluation),
        **tuning_told(card.run),
    )
    return page.encode()


def _verdict(card: Card) -> str:
    if card.forced:
        return "serves by exception"
    return "may serve" if card.gates.passed else "refused"


def _rivals(card: Card) -> list[_Line]:
    measures = {"this model": card.evaluation.metrics} | card.evaluation.baselines
    known = {name: metrics[card.metric] for name, metrics in measures.items() if card.metric in metrics}
    for gap in card.evaluation.comparisons:
        if gap.metric == card.metric and gap.against.startswith("champion"):
            known[gap.against] = Measure(gap.theirs, None, None, gap.difference.count)
    low, high = ends(list(known.values()))
    return [_Line(name, measure, strip(measure, low, high), "") for name, measure in known.items()]


def _points(curve: Curve | None) -> list[object]:
    if curve is None:
        return []
    return [
        min(curve.points, key=lambda point, share=share: abs(point.share - share))  # type: ignore[misc]
        for share in (0.05, 0.1, 0.2, 0.3)
    ]


def _slices(evaluation: Evaluation) -> dict[str, tuple[list[_Line], list[SliceMeasure]]]:
    compared = _slice_metric(evaluation)
    whole = evaluation.metrics.get(compared.name)
    told: dict[str, tuple[list[_Line], list[SliceMeasure]]] = {}
    for column in dict.fromkeys(found.column for found in evaluation.slices):
        of_column = [found for found in evaluation.slices if found.column == column]
        known = [(found, found.metrics[compared.name]) for found in of_column if compared.name in found.metrics]
        low, high = ends([measure for _, measure in known])
        lines = [
            _Line(
                found.value,
                measure,
                strip(measure, low, high, guide=None if whole is None else whole.value),
                f"{found.count:,} rows" + _positive(found),
            )
            for found, measure in sorted(
                known, key=lambda item: item[1].value * (-1 if compared.better == "lower" else 1)
            )
        ]
        told[column] = (lines, [found for found in of_column if compared.name not in found.metrics])
    return told


def _metrics(evaluation: Evaluation) -> dict[str, Metric]:
    """What each figure is, as it is meant of such answers."""
    named = {name: SETS[evaluation.task.kind].named(name) for name in evaluation.metrics}
    return {name: metric for name, metric in named.items() if metric is not None}


def _slice_metric(evaluation: Evaluation) -> Metric:
    kind = evaluation.task.kind
    return metric_of(SETS[kind].slice_metric, kind)


def _positive(found: SliceMeasure) -> str:
    share = _share_positive(found.positives, found.count)
    return "" if share is None else f", {percent(share)} positive"


def _share_positive(positives: int | None, rows: int) -> float | None:
    return None if positives is None or not rows else positives / rows


def _calibration(evaluation: Evaluation) -> Markup | None:
    if not evaluation.calibration:
        return None
    kind = evaluation.task.kind
    return calibration_chart(evaluation.calibration, shares=kind != "regression", came=_CAME.get(kind, "came true"))


def _precision(card: Card) -> Markup | None:
    share = _share_positive(card.evaluation.positives, card.evaluation.rows)
    return None if card.curve is None or share is None else precision_chart(card.curve, share)


def _told(card: Card) -> str:
    """What its answers are, a sentence."""
    task = card.evaluation.task
    names = ", ".join(task.classes[:8]) + (f" and {len(task.classes) - 8} more" if len(task.classes) > 8 else "")
    return {
        "binary": f"It gives the probability that {card.positive}.",
        "multiclass": f"It gives the probability of each of {len(task.classes)} classes, of which one comes: {names}.",
        "multilabel": f"It gives the probability of each of {len(task.classes)} labels; any may come: {names}.",
        "regression": "It gives a number.",
        "quantile": f"It gives numbers that the outcome stays below in {_listed(task.levels)} of all cases.",
        "ranking": "It puts the rows of a group in order.",
    }[task.kind]


def _listed(levels: Sequence[float]) -> str:
    return ", ".join(percent(level) for level in levels)


def _importance(card: Card) -> list[tuple[str, float, str]]:
    ranked = sorted(card.evaluation.importance.items(), key=lambda item: -item[1])[:_FEATURES]
    return [(name, share, card.descriptions.get(name, "")) for name, share in ranked]


def _unknown(card: Card) -> list[str]:
    evaluation = card.evaluation
    costs = "Cost and latency in service were not measured."
    if evaluation.cost is not None:
        costs = "How long a caller waits was not measured: network, features and the prediction log take time too."
    unknown = [_fairness(card), costs]
    if card.run is not None and card.run.leakage is not None:
        suspected = [one.evidence for one in card.run.leakage if one.severity == "warned"]
        unknown += [
            f"Whether it will be as good on rows to come, for something may leak: {said}." for said in suspected
        ]
    if not evaluation.slices:
        unknown.append("Nothing is known about single groups: no slices were declared.")
    if evaluation.unseen:
        names = ", ".join(f"{name} ({count:,})" for name, count in list(evaluation.unseen.items())[:8])
        unknown.append(f"It can not name classes that it never learned, and rows of them are in no figure: {names}.")
    small = [found for found in evaluation.slices if not found.metrics]
    if small:
        names = ", ".join(f"{found.column} {found.value}" for found in small[:8])
        rest = f" and {len(small) - 8} more" if len(small) > 8 else ""
        unknown.append(f"Too few rows to say how good it is for {names}{rest}.")
    if not evaluation.importance:
        unknown.append("Which features it leans on is not known.")
    days = (evaluation.until - evaluation.since) / DAY
    if days < 360:
        unknown.append(
            f"It was tested on {days:.0f} days ({span(evaluation.since, evaluation.until)}): other seasons may differ."
        )
    return unknown


def _fairness(card: Card) -> str:
    """What is not known of groups; bias in the data is not the same as bias in the answers."""
    if card.probes.fairness is not None:
        return "Fairness was measured for the groups that are declared, and for no others."
    if card.bias is None:
        return "Fairness of its answers and bias in its data were not looked at: no protected attribute was declared."
    sliced = {found.column for found in card.evaluation.slices}
    asked = [name for name in card.bias.protected if name not in sliced]
    if not asked:
        return "Whether it errs alike for protected groups was not tested; how well it ranks in each is told above."
    return f"Whether its answers are as good for every group of {' and '.join(asked)} was not measured."


def _bias_rates(report: BiasReport | None) -> dict[str, tuple[list[_Line], list[BiasGroup]]]:
    """Label rates by single attribute, the highest first, and the groups that are too small to say."""
    if report is None:
        return {}
    told: dict[str, tuple[list[_Line], list[BiasGroup]]] = {}
    for attribute in report.protected:
        groups = [group for group in report.groups if list(group.attributes) == [attribute]]
        known = [(group, group.rate) for group in groups if group.rate is not None]
        if not known:
            continue
        low, high = ends([rate for _, rate in known])
        whole = None if report.positives is None else report.positives / report.rows
        lines = [
            _Line(group.name, rate, strip(rate, low, high, guide=whole), f"{percent(group.share.value)} of the rows")
            for group, rate in sorted(known, key=lambda item: -item[1].value)
        ]
        told[attribute] = (lines, [group for group in groups if group.rate is None])
    return told


def _better(gap: Comparison) -> str:
    if gap.difference.low is None or gap.difference.high is None:
        return "too few days to tell"
    if gap.difference.low > 0:
        return "surely better"
    return "surely worse" if gap.difference.high < 0 else "no sure difference"


def _title(name: str) -> str:
    return METRICS[name].title if name in METRICS else name


def _filled(value: str | float) -> str:
    return value if isinstance(value, str) else f"{value:.6g}"


def _upper_first(text: str) -> str:
    return text[:1].upper() + text[1:]
