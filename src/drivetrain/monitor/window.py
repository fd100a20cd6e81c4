"""One endpoint and version over one window of prediction time: what was seen, and which rules it broke."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

import msgspec
import polars as pl

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import UsageError
from drivetrain.core.records import Evaluation, Measure, MonitorReport, Task
from drivetrain.evaluate.ranking import Floats
from drivetrain.monitor.against import Against
from drivetrain.monitor.answered import answered
from drivetrain.monitor.broken import judge_inputs
from drivetrain.monitor.drift import whole_days
from drivetrain.monitor.estimate.keeping import Kept
from drivetrain.monitor.finding import Finding
from drivetrain.monitor.foresight import explain, look_ahead
from drivetrain.monitor.joint.judge import judge_joint
from drivetrain.monitor.joint.window import Earlier, Seen, look_jointly
from drivetrain.monitor.labels import arrived, join_labels
from drivetrain.monitor.output import output_of, outputs_logged
from drivetrain.monitor.performance import measure_performance
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.rules import judge
from drivetrain.monitor.running import cost_per_1000, failed_share
from drivetrain.monitor.several import LoggedTexts, measure_several
from drivetrain.monitor.shift import judge_drift
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.text_drift import texts_logged, texts_note
from drivetrain.monitor.unseen import unseen_shares
from drivetrain.train.text.encoder import TextEncoder


class Watched(msgspec.Struct, frozen=True, kw_only=True):
    """What a window is held against.

    Attributes:
        model: The endpoint's model.
        version: The version judged: rows it answered as champion.
        reference: Its profile, or none: then drift is not judged.
        evaluation: Its evaluation, or none: then performance is measured but not judged.
        views: Names of the endpoint's views, in the order of the log's ``ages``.
        withheld: Features whose values the log does not keep: their drift is not watched.
        unnamed: Features whose words may not be named.
        against: What drift is held against; ``reference`` if none.
        kept: What was kept of its evaluation for estimates, or none: then nothing is estimated.
        earlier: Rows of before that all features together are held against; those of ``kept`` if none.
        encoders: Text feature → what the version makes numbers of it with.
        due: Age by which labels of older windows had come, if that is known.
    """

    model: str
    version: int
    reference: Reference | None = None
    evaluation: Evaluation | None = None
    views: Sequence[str] = ()
    withheld: frozenset[str] = frozenset()
    unnamed: frozenset[str] = frozenset()
    against: Against | None = None
    kept: Kept | None = None
    earlier: Earlier | None = None
    encoders: Mapping[str, TextEncoder] = {}
    due: Micros | None = None


class Assessment(msgspec.Struct, frozen=True):
    """A report, and what its rules found in it."""

    report: MonitorReport
    findings: tuple[Finding, ...]


def assess(
    predictions: pl.DataFrame,
    feedback: pl.DataFrame,
    *,
    monitor: Monitor,
    watched: Watched,
    since: Micros,
    until: Micros,
    now: Micros | None = None,
) -> Assessment:
    """Looks at one window; reads and writes nothing.

    Args:
        predictions: Rows of the endpoint's prediction log, at least those of the window; other roles, versions and
            times may be among them.
        feedback: Rows of its feedback log.
        monitor: What is asked.
        watched: The version judged, and what it is held against.
        since: Start of the window, by the moment predicted for.
        until: Its end, outside it.
        now: The report's moment; the present by default.

    Returns:
        The report, and a finding for each rule broken. Performance rests on labels that have arrived; the report's
        ``label_share`` says how many have. Versions are never mixed.

    Raises:
        UsageError: The logged rows have another width than the reference.
    """
    at = pl.col("at").cast(pl.Int64)
    window = predictions.filter(at >= since, at < until, pl.col("endpoint") == monitor.endpoint)
    window = window.sort(
        "at", "request_id", "row", "role", maintain_order=True
    )  # callers at once are logged in any order
    labelled = join_labels(window, feedback, endpoint=monitor.endpoint)
    ours = labelled.filter(pl.col("role") == "champion", pl.col("version") == watched.version)
    then = {} if watched.evaluation is None else watched.evaluation.metrics
    task = Task() if watched.evaluation is None else watched.evaluation.task
    performance = _performance(ours, then, task)
    came = int(ours.select(arrived().sum()).item())
    report = MonitorReport(
        at=clock.now() if now is None else now,
        endpoint=monitor.endpoint,
        model=watched.model,
        version=watched.version,
        since=since,
        until=until,
        predictions=ours.height,
        labelled=came,
        label_share=came / max(ours.height, 1),
        performance=performance,
        reference=then,
        shadow=_shadows(labelled, then, task),
        latency_p50_us=_quantile(ours["latency_us"], 0.5),
        latency_p99_us=_quantile(ours["latency_us"], 0.99),
        median_ages=_ages(ours["ages"], watched.views),
        failed_share=failed_share(labelled, watched.version),
        cost_per_1000=cost_per_1000(ours["latency_us"], monitor.core_hour),
    )
    ahead = look_ahead(
        report,
        ours,
        feedback,
        kept=watched.kept,
        asked=monitor.performance,
        task=task,
        least=max(monitor.min_predictions, 1),
        due=watched.due,
    )
    report, fallen = explain(ahead, judge(report, monitor), watched.kept, monitor.performance)
    findings: list[Finding] = []
    asked, reference = monitor.drift, watched.reference
    if asked is not None and reference is not None and ours.height >= max(monitor.min_predictions, 1):
        values = _matrix(ours["values"], len(reference.columns))
        _, outputs = output_of(outputs_logged(ours, task), task)
        held = watched.against or Against(reference)
        drift, output, further = measure_several(
            held.reference,
            values,
            outputs,
            asked=asked,
            days=whole_days(since, until),
            withheld=watched.withheld,
            texts=LoggedTexts(
                reference,
                texts_logged(ours, values, reference, watched.withheld),
                watched.encoders,
                watched.unnamed,
            ),
        )
        unseen = unseen_shares(ours["request"], values, reference) if "request" in ours.columns else {}
        drift = tuple(msgspec.structs.replace(one, unseen_share=unseen.get(one.feature, 0.0)) for one in drift)
        note = texts_note(held.name, (*drift, *further)) or held.note
        report = msgspec.structs.replace(
            report, drift=drift, output=output, further=further, against=held.name, against_note=note
        )
        findings += judge_inputs(
            report, reference, values, unseen=unseen, withheld=watched.withheld, weight=asked.weight
        )
        findings += judge_drift(report, reference, values, outputs, asked.weight)
        seen = Seen(values, ours["at"].cast(pl.Int64).to_numpy(), watched.withheld)
        report = look_jointly(report, asked, reference, seen, (watched.earlier, watched.kept))
        findings += judge_joint(report, reference, asked)
    return Assessment(report, (*fallen, *findings))


def _performance(rows: pl.DataFrame, then: dict[str, Measure], task: Task) -> dict[str, Measure]:
    judged = answered(rows, task)
    return measure_performance(judged.answers, judged.ats, reference=then)


def _shadows(labelled: pl.DataFrame, then: dict[str, Measure], task: Task) -> dict[str, dict[str, Measure]]:
    others = labelled.filter(pl.col("role") != "champion")
    pairs = others.select("role", "version").unique().sort("role", "version").rows()
    return {
        f"{role} v{version}": _performance(
            others.filter(pl.col("role") == role, pl.col("version") == version), then, task
        )
        for role, version in pairs
    }


def _matrix(values: pl.Series, width: int) -> Floats:
    lengths = values.list.len().unique().to_list()
    if lengths != [width]:
        raise UsageError(
            "the prediction log does not fit the version's reference profile",
            found=f"rows of {', '.join(str(length) for length in sorted(lengths))} values",
            expected=width,
        )
    flat = values.explode().cast(pl.Float64).fill_null(float("nan")).to_numpy()
    return flat.reshape(len(values), width)


def _quantile(values: pl.Series, share: float) -> float:
    found = values.cast(pl.Float64).quantile(share, interpolation="linear")
    return 0.0 if found is None else float(found)


def _ages(ages: pl.Series, views: Sequence[str]) -> dict[str, float]:
    known = {
        view: ages.list.get(at, null_on_oob=True).cast(pl.Float64).fill_nan(None).median()
        for at, view in enumerate(views)
    }
    return {view: float(age) for view, age in known.items() if isinstance(age, float)}
