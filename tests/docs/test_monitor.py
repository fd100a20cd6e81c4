"""What docs/monitor.md shows runs: its Python, with what that prints; and every statistic is in its table."""

from __future__ import annotations

import re

from tests.docs.executed import REPOSITORY, printed_by, squeezed

from drivetrain.monitor.statistics.statistic import STATISTICS
from drivetrain.monitor.texts.statistic import EFFECTS

TEXT = (REPOSITORY / "docs" / "monitor.md").read_text("utf-8")


def test_the_page_on_monitoring_does_what_it_says(tmp_path):
    blocks = re.findall(r"^```python\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    wanted = re.findall(r"^```text\n(.*?)^```", TEXT, re.MULTILINE | re.DOTALL)
    assert squeezed(printed_by("\n".join(blocks), tmp_path)) == squeezed(" ".join(wanted))


def test_every_statistic_is_in_the_table_with_its_effect():
    rows = dict(re.findall(r"^\| `(\w+)` \|.*\| (\.\d+) \| [^|]* \|$", TEXT, re.MULTILINE))
    of_numbers = {name: found.effect for name, found in STATISTICS.items()}
    assert {name: float(effect) for name, effect in rows.items()} == of_numbers | EFFECTS
