"""What ``docs/estimate.md`` shows in Python, run; and what it says of names, against those there are."""

from __future__ import annotations

import re

from tests.docs.executed import REPOSITORY, printed_by, squeezed

from drivetrain.evaluate.metrics import METRICS
from drivetrain.monitor.estimate.expected import AT_THRESHOLD
from drivetrain.monitor.spec import Performance, Retrain

PAGE = (REPOSITORY / "docs" / "estimate.md").read_text("utf-8")


def test_the_page_prints_what_it_says(tmp_path):
    declared, script = re.findall(r"```python\n(.*?)```", PAGE, re.DOTALL)
    (printed,) = re.findall(r"```text\n(.*?)```", PAGE, re.DOTALL)
    assert squeezed(printed_by(script, tmp_path)) == squeezed(printed)
    assert "estimated=True" in declared


def test_what_it_declares_can_be_declared():
    assert Performance(metric="average_precision", drop=0.05, estimated=True).estimated
    assert Retrain(when=["performance", "estimated"]).when == ["performance", "estimated"]
    assert {"accuracy", "precision", "recall", "f1"} == set(AT_THRESHOLD)
    assert "accuracy" in METRICS
