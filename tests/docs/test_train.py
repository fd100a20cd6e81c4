"""What docs/train.md shows runs: its commands, and its Python with what that prints."""

from __future__ import annotations

import re

import pytest
from tests.docs import executed

_SCRIPT = re.compile(r"^```python run\n(.*?)^```\n\n```text\n(.*?)^```", re.MULTILINE | re.DOTALL)
_PART = re.compile(r"^(?=```python file=)", re.MULTILINE)


@pytest.mark.slow
def test_the_page_on_training_does_what_it_says(tmp_path, monkeypatch):
    """Part by part: a file, the command that runs it, and the script that looks at what came of it."""
    text = (executed.REPOSITORY / "docs" / "train.md").read_text("utf-8")
    scripts = 0
    for at, part in enumerate(_PART.split(text)[1:]):
        (tmp_path / "docs").mkdir(exist_ok=True)
        (tmp_path / "docs" / f"{at}.md").write_text(part)
        monkeypatch.setattr(executed, "REPOSITORY", tmp_path)
        assert executed.run_page(f"{at}.md", tmp_path) == 1
        for script, wanted in _SCRIPT.findall(part):
            assert executed.squeezed(executed.printed_by(script, tmp_path)) == executed.squeezed(wanted)
            scripts += 1
    assert scripts == 3
