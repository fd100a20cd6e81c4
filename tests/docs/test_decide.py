"""What docs/decide.md shows runs: its commands, and its Python with what that prints."""

from __future__ import annotations

import re

import pytest
from tests.docs import executed

_SCRIPT = re.compile(r"^```python run\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_page_on_decisions_does_what_it_says(tmp_path):
    text = (executed.REPOSITORY / "docs" / "decide.md").read_text("utf-8")
    assert executed.run_page("decide.md", tmp_path) == 3
    scripts = _SCRIPT.findall(text)
    for script, wanted in scripts:
        assert executed.squeezed(executed.printed_by(script, tmp_path)) == executed.squeezed(wanted)
    assert len(scripts) == 2
