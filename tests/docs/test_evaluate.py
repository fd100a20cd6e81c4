from __future__ import annotations

import os
import re
import subprocess
import sys

from tests.docs.executed import REPOSITORY, run_page


def test_the_page_on_evaluation_does_what_it_says(tmp_path):
    assert run_page("evaluate.md", tmp_path) == 4
    page = (REPOSITORY / "docs" / "evaluate.md").read_text("utf-8")
    scripts = re.findall(r"^```python\n(.*?)^```", page, re.MULTILINE | re.DOTALL)
    said = []
    for script in scripts:
        done = subprocess.run(
            [sys.executable, "-c", script], cwd=tmp_path, env=os.environ, capture_output=True, text=True, check=False
        )
        assert done.returncode == 0, done.stderr
        said.append(done.stdout)
    assert len(said) == 2
    assert "branch is east" in said[0]
    assert re.search(r"^\w+, [\d,]+ bytes, a row in [\d.]+ µs, [\d.]+ s to train$", said[1])
