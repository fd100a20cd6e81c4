"""What docs/story.md shows runs, on the project of docs/alerts.md."""

from __future__ import annotations

import re
import sys

from tests.docs.executed import REPOSITORY, run_page, squeezed
from tests.loop.alerting.trains import drift, window

import drivetrain as dt
from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.records import FeatureDrift
from drivetrain.loop.alerting.keeping import keep_window
from drivetrain.monitor.rules import judge

TEXT = (REPOSITORY / "docs" / "story.md").read_text("utf-8")
MEASURED = FeatureDrift("prediction", "psi", 0.1, 0.2, False, 0.0, 0.0, 900)


def test_the_story_that_the_page_tells_is_told(tmp_path, monkeypatch, capsys):
    alerts = (REPOSITORY / "docs" / "alerts.md").read_text("utf-8")
    (code,) = re.findall(r"^```python file=project.py\n(.*?)^```$", alerts, re.MULTILINE | re.DOTALL)
    (tmp_path / "project.py").write_text(code)
    project = dt.Project.load(tmp_path)
    monitor, last = project.monitors["late"], micros_of("2026-07-12") // DAY
    for back in range(4, -1, -1):
        late = back < 2
        far = FeatureDrift("x", "psi", 0.3 if late else 0.1, 0.2, late, 0.0, 0.0, 900)
        seen = window(last - back, latency_p99_us=61_000.0 if late else 20_000.0, output=MEASURED, drift=(far,))
        keep_window(project, monitor, seen, [*judge(seen, monitor), *([drift()] if late else [])])
    project.store.close()
    assert run_page("story.md", tmp_path) == 1
    assert "The story on one timeline" in (tmp_path / "story.html").read_text()
    monkeypatch.chdir(tmp_path)
    (block,) = re.findall(r"^```python\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    (wanted,) = re.findall(r"^```text\n(.*?)^```$", TEXT, re.MULTILINE | re.DOTALL)
    sys.modules.pop("project", None)
    exec(block, {})
    printed = capsys.readouterr().out
    for line in wanted.strip().splitlines():
        assert squeezed(line) in squeezed(printed), line
