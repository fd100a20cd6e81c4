from __future__ import annotations

import pytest

from drivetrain.core.errors import ProjectError
from drivetrain.data.column import Column


def test_the_type_is_positional_and_the_rest_named():
    column = Column("int", low=0, high=10, nullable=False)
    assert (column.type, column.low, column.high, column.nullable) == ("int", 0, 10, False)


def test_words_and_privacy_do_not_change_what_it_means():
    assert Column("int", low=0).meaning == Column("int", low=0, description="Minutes", privacy="personal").meaning
    assert Column("int", low=0).meaning != Column("int", low=1).meaning


@pytest.mark.parametrize(
    ("rules", "words"),
    [
        ({"type": "integer"}, "type is unknown"),
        ({"type": "int", "pattern": "^a"}, "needs a string column"),
        ({"type": "string", "pattern": "["}, "no regular expression"),
        ({"type": "string", "low": 1}, "need numbers or times"),
    ],
)
def test_a_rule_that_does_not_fit_is_named(rules, words):
    with pytest.raises(ProjectError, match=words):
        Column(**rules)
