"""``python -m drivetrain.testing.damage``: writes ``docs/damage.md`` of the folder it is called in."""

from __future__ import annotations

from pathlib import Path

from drivetrain.testing.damage.page import page

if __name__ == "__main__":
    Path("docs", "damage.md").write_text(page(), "utf-8")
