"""Who was stood in for, and what answers cost, by hand."""

import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError
from drivetrain.monitor.alerting.rule import Rule
from drivetrain.monitor.running import cost_per_1000
from drivetrain.monitor.spec import Monitor
from drivetrain.monitor.window import Watched, assess
from monitor.world import START, logs, stream


def test_a_window_says_who_was_stood_in_for_and_what_it_cost():
    values, predictions, ats = stream(1, 1, 300)
    log, feedback = logs(values, predictions, ats, np.zeros(300))
    tenth = pl.int_range(pl.len()) % 10 == 0
    log = log.with_columns(failed=pl.when(tenth).then(1).otherwise(0), version=pl.when(tenth).then(2).otherwise(1))
    monitor = Monitor(
        endpoint="late", core_hour=0.1, drift=None, rules=[Rule("ill", metric="failed_share", above=0.09)]
    )
    watched = Watched(model="late", version=1)
    found = assess(log, feedback, monitor=monitor, watched=watched, since=START, until=START + 7 * DAY)
    ours = log.filter(pl.col("version") == 1)["latency_us"].to_numpy()
    assert found.report.predictions == 270
    assert found.report.failed_share == pytest.approx(0.1)
    assert found.report.cost_per_1000 == pytest.approx(ours.mean() / 1e6 / 3600 * 0.1 * 1000)
    assert found.findings[0].message.startswith("late: ill. failed_share was 10 %")


def test_nothing_known_costs_nothing_and_a_negative_price_is_refused():
    assert cost_per_1000(pl.Series([], dtype=pl.Int64), 0.1) is None
    assert cost_per_1000(pl.Series([5]), None) is None
    with pytest.raises(ProjectError, match="can't be negative"):
        Monitor(endpoint="late", core_hour=-1.0)
