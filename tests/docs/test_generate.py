"""What docs/generate.md shows runs: its project, its commands, and its Python with what that prints."""

from __future__ import annotations

import re

import pytest
from tests.docs import executed

_SCRIPT = re.compile(r"^```python run\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)


@pytest.mark.slow
def test_the_page_on_features_made_and_chosen_does_what_it_says(tmp_path):
    assert executed.run_page("generate.md", tmp_path) == 2
    [(script, wanted)] = _SCRIPT.findall((executed.REPOSITORY / "docs" / "generate.md").read_text("utf-8"))
    assert executed.squeezed(executed.printed_by(script, tmp_path)) == executed.squeezed(wanted)
