"""Every metric by name, and which suit which kind of answers."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from types import MappingProxyType
from typing import NamedTuple

from drivetrain.core.errors import UnknownName
from drivetrain.core.records.task import DEFAULT_METRICS, TaskKind
from drivetrain.evaluate.metrics import binary, multiclass, multilabel, quantile, ranked, regression
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.metrics.metric import Metric
from drivetrain.evaluate.metrics.over import Over
from drivetrain.evaluate.ranking import Floats


class MetricSet(NamedTuple):
    """The metrics of one kind of answers.

    Attributes:
        metrics: By name.
        points: Those told at several levels or depths, by the name before ``@``.
        figures: Their values.
        check: What refuses rows that they can't be made from.
        slice_metric: The one that groups are compared by.
    """

    metrics: Mapping[str, Metric]
    points: Mapping[str, Metric]
    figures: Callable[[Answers, Over], dict[str, Floats]]
    check: Callable[[Answers, str], None]
    slice_metric: str

    def named(self, name: str) -> Metric | None:
        """The metric that goes by a name here, if one does."""
        stem, _, point = name.partition("@")
        if not point:
            return self.metrics.get(name)
        found = self.points.get(stem)
        return found.at(float(point)) if found is not None and _is_number(point) else None


def _by_name(metrics: Sequence[Metric]) -> Mapping[str, Metric]:
    return MappingProxyType({metric.name: metric for metric in metrics})


SETS: Mapping[TaskKind, MetricSet] = MappingProxyType(
    {
        "binary": MetricSet(_by_name(binary.METRICS), {}, binary.figures, binary.check, "roc_auc"),
        "multiclass": MetricSet(_by_name(multiclass.METRICS), {}, multiclass.figures, multiclass.check, "accuracy"),
        "regression": MetricSet(_by_name(regression.METRICS), {}, regression.figures, regression.check, "mae"),
        "quantile": MetricSet(
            _by_name(quantile.METRICS), _by_name(quantile.AT_LEVELS), quantile.figures, quantile.check, "pinball"
        ),
        "multilabel": MetricSet(_by_name(multilabel.METRICS), {}, multilabel.figures, multilabel.check, "micro_f1"),
        "ranking": MetricSet(
            _by_name(ranked.METRICS), _by_name(ranked.AT_DEPTHS), ranked.figures, ranked.check, "ndcg@10"
        ),
    }
)


class _Metrics(Mapping[str, Metric]):
    """Every metric by name, those at a level or depth (``ndcg@10``) too; what suits several kinds stands once."""

    def __getitem__(self, name: str) -> Metric:
        for each in SETS.values():
            if (found := each.named(name)) is not None:
                return found
        raise KeyError(name)

    def __iter__(self) -> Iterator[str]:
        return iter(dict.fromkeys(name for each in SETS.values() for name in (*each.metrics, *points_of(each))))

    def __len__(self) -> int:
        return len(list(iter(self)))


def points_of(each: MetricSet) -> list[str]:
    """Names of a set's metrics at levels or depths, those that are always told."""
    return [f"{stem}@{depth}" for stem in each.points for depth in ranked.DEPTHS] if "ndcg" in each.points else []


METRICS: Mapping[str, Metric] = _Metrics()
"""Every metric there is, by name."""


def metric_of(name: str, kind: TaskKind | None = None) -> Metric:
    """The metric that goes by a name.

    Args:
        name: Its name.
        kind: Of answers to the kind; of any by default.

    Raises:
        UnknownName: None does.
    """
    found = METRICS.get(name) if kind is None else SETS[kind].named(name)
    if found is None:
        raise UnknownName(
            f"no metric is called {name!r}", expected=", ".join(list(METRICS) if kind is None else names_of(kind))
        )
    return found


def suits(name: str, kind: TaskKind) -> bool:
    """Whether a metric can be made from answers of a kind.

    Example:
        >>> suits("roc_auc", "binary"), suits("roc_auc", "regression"), suits("ndcg@5", "ranking")
        (True, False, True)
    """
    return SETS[kind].named(name) is not None


def metric_for(kind: TaskKind, *wished: str | None) -> str:
    """The first of the metrics wished for that suits a kind; the kind's own if none does.

    Example:
        >>> metric_for("regression", "average_precision"), metric_for("regression", "rmse")
        ('mae', 'rmse')
    """
    return next((name for name in wished if name and suits(name, kind)), DEFAULT_METRICS[kind])


def names_of(kind: TaskKind) -> list[str]:
    """Names of a kind's metrics; of those at levels, each at one."""
    each = SETS[kind]
    return [*each.metrics, *(points_of(each) or [f"{stem}@0.9" for stem in each.points])]


def _is_number(text: str) -> bool:
    try:
        return float(text) > 0
    except ValueError:
        return False
