"""What docs/registry.md shows runs."""

from __future__ import annotations

import re

from tests.docs.executed import REPOSITORY, run_page

from drivetrain.cli.main import COMMANDS


def test_every_command_of_the_page_runs_and_says_what_it_shows(tmp_path):
    assert run_page("registry.md", tmp_path) == 12


def test_every_command_that_the_page_names_is_there():
    named = re.findall(r"drivetrain ([a-z]+)", (REPOSITORY / "docs" / "registry.md").read_text("utf-8"))
    assert set(named) <= set(COMMANDS)
    assert {"diff", "reproduce", "export", "import", "lineage", "approve", "clean", "adopt"} <= set(named)
