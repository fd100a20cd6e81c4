"""What docs/alerts.md shows runs, on a project whose last window broke two rules."""

from __future__ import annotations

import re

from tests.docs.executed import REPOSITORY, run_page
from tests.loop.alerting.trains import drift, window

import drivetrain as dt
from drivetrain.cli.main import COMMANDS
from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import FeatureDrift, Measure
from drivetrain.loop.alerting.keeping import keep_window
from drivetrain.monitor.rules import judge

TEXT = (REPOSITORY / "docs" / "alerts.md").read_text("utf-8")
MEASURED = FeatureDrift("prediction", "psi", 0.1, 0.2, False, 0.0, 0.0, 900)


def test_every_command_of_the_page_runs_and_says_what_it_shows(tmp_path):
    (code,) = re.findall(r"^```python file=project.py\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (tmp_path / "project.py").write_text(code)
    project = dt.Project.load(tmp_path)
    monitor, last = project.monitors["late"], micros_of("2026-07-12") // DAY
    for back in range(4, -1, -1):
        seen = window(last - back, latency_p99_us=61_000.0 if back < 2 else 20_000.0, output=MEASURED)
        keep_window(project, monitor, seen, [*judge(seen, monitor), *([drift()] if back < 2 else [])])
    project.store.close()
    assert run_page("alerts.md", tmp_path) == 9
    assert (tmp_path / "days.json").stat().st_size > 1000


def test_every_command_that_the_page_names_is_there():
    assert set(re.findall(r"drivetrain ([a-z]+)", TEXT)) - {"as"} <= set(COMMANDS)


def test_the_rule_of_the_page_says_what_it_means():
    names: dict = {}
    exec(TEXT[TEXT.index("def positives_halve") : TEXT.index("project.monitor(")], names)
    halve = names["positives_halve"]
    then = {"base_rate": Measure(0.3, 0.28, 0.32, 9000)}
    assert halve(window(0, performance={})) is None
    assert halve(window(0, performance={"base_rate": Measure(0.1, 0.08, 0.12, 900)}, reference=then)).startswith("10%")
    assert not halve(window(0, performance={"base_rate": Measure(0.2, 0.18, 0.22, 900)}, reference=then))
