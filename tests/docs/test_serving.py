"""What ``docs/serving.md`` tells people to type, typed."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

from tests.loop.shop import copy_shop

PAGE = Path(__file__).parents[2] / "docs" / "serving.md"


def commands(section: str) -> str:
    """The commands under a heading of the page."""
    text = re.split(r"^## ", PAGE.read_text("utf-8"), flags=re.MULTILINE)
    [found] = [part for part in text if part.startswith(f"{section}\n")]
    return "".join(re.findall(r"^```bash\n(.*?)^```", found, re.MULTILINE | re.DOTALL))


def typed(script: str, folder: Path, home: Path) -> str:
    """What bash says to a script in a project's folder; fails where a line does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script],
        cwd=folder,
        env=os.environ | {"HOME": str(home), "PATH": path},
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


def test_signatures(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    said = typed(commands("Signatures"), folder, tmp_path)
    assert "returned v1 is signed with key" in said
    assert "signatures: a version is loaded only if key" in said
    assert "every signature is good" in said
