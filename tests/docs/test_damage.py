from __future__ import annotations

from tests.docs.executed import REPOSITORY

from drivetrain.testing.damage import kinds
from drivetrain.testing.damage.page import page


def test_the_page_on_damage_tells_of_every_kind():
    written = (REPOSITORY / "docs" / "damage.md").read_text("utf-8")
    assert written == page(), "run: python -m drivetrain.testing.damage"


def test_most_kinds_are_caught():
    caught = [kind for kind in kinds().values() if kind.caught != "nothing"]
    assert len(kinds()) >= 100
    assert len(caught) >= 94
