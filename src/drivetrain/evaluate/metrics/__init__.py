"""Metrics: one file for each kind of answers, and one registry of their names."""

from drivetrain.evaluate.metrics.binary import (
    AT_RATE,
    average_precision,
    brier,
    check_rows,
    ece,
    groups_of,
    log_loss,
    log_losses,
    roc_auc,
)
from drivetrain.evaluate.metrics.metric import BINS, Metric, defined
from drivetrain.evaluate.metrics.registry import METRICS, SETS, MetricSet, metric_for, metric_of, names_of, suits

__all__ = [
    "AT_RATE",
    "BINS",
    "METRICS",
    "SETS",
    "Metric",
    "MetricSet",
    "average_precision",
    "brier",
    "check_rows",
    "defined",
    "ece",
    "groups_of",
    "log_loss",
    "log_losses",
    "metric_for",
    "metric_of",
    "names_of",
    "roc_auc",
    "suits",
]
