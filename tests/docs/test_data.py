from __future__ import annotations

from tests.docs.executed import run_page


def test_the_page_on_data_does_what_it_says(tmp_path):
    assert run_page("data.md", tmp_path) >= 10
