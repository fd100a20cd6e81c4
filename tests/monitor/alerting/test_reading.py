import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.monitor.alerting.reading import check_path, read
from monitor.alerting.windows import report


@pytest.mark.parametrize(
    ("path", "value"),
    [
        ("latency_p99_us", 61_250.0),
        ("performance.roc_auc", 0.7),
        ("performance.roc_auc.low", 0.6),
        ("performance.brier", None),
        ("drift.weather.temp", 0.31),
        ("drift.weather.temp.null_share", 0.01),
        ("drift.weather.temp.drifted", 1.0),
        ("drift.weather", None),
        ("output", 0.1),
        ("output.threshold", 0.2),
        ("median_ages.plane_history", 60.0),
        ("endpoint", None),
        ("performance", None),
    ],
)
def test_a_path_leads_to_a_figure_or_to_none(path, value):
    check_path(path)
    assert read(report(), path) == value


def test_a_figure_that_is_not_finite_is_none():
    assert read(report(latency_p99_us=float("nan")), "latency_p99_us") is None
    assert read(report(output=None), "output.value") is None


def test_a_path_that_no_report_has_is_refused_with_the_nearest():
    with pytest.raises(ProjectError, match="Did you mean 'latency_p99_us'"):
        check_path("latency_p99")
