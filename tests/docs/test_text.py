"""What ``docs/text.md`` tells people to type, typed."""

from __future__ import annotations

import re
from pathlib import Path

from tests.docs.executed import REPOSITORY, run_page
from tests.loop.sms import write_messages

import drivetrain as dt
from drivetrain.train.text.kept import FORMATS


def test_the_page_does_what_it_says(tmp_path: Path) -> None:
    (tmp_path / "raw").mkdir()
    write_messages(tmp_path / "raw" / "sms.csv")
    assert run_page("text.md", tmp_path) == 2


def test_every_way_is_on_the_page_and_can_be_declared() -> None:
    text = (REPOSITORY / "docs" / "text.md").read_text("utf-8")
    names: dict[str, object] = {"dt": dt}
    for block in re.findall(r"```python\n(.*?)```", text, re.DOTALL):
        exec(block, names)
    assert repr(names["embedded"]) == "Embed('sms.message', missing, longest=256, normalise=True)"
    assert repr(names["tuned"]) == "Transformer(missing, epochs=3, lr=3e-05)"
    assert len(re.findall(r"^\| `dt\.", text, re.MULTILINE)) == len(FORMATS)
