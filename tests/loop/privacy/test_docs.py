"""The commands and code of docs/privacy.md run."""

from __future__ import annotations

import re
import shlex
import subprocess
import sys
from pathlib import Path

from tests.loop.shop import copy_shop

DOCS = (Path(__file__).parents[3] / "docs" / "privacy.md").read_text("utf-8")


def test_every_command_runs_in_order(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    commands = re.findall(r"^\$ drivetrain (.+)$", DOCS, re.MULTILINE)
    assert len(commands) == 10
    for words in commands:
        asked = [sys.executable, "-m", "drivetrain", *shlex.split(words)]
        done = subprocess.run(asked, check=False, capture_output=True, text=True, cwd=folder)
        assert done.returncode == 0, (words, done.stderr)


def test_every_block_of_code_runs():
    blocks = re.findall(r"```python\n(.*?)```", DOCS, re.DOTALL)
    assert blocks
    for block in blocks:
        exec(compile(block, "docs/privacy.md", "exec"), {})
