"""Decisions, intervals and sets beside predictions: of each instance its own, and none where a default answered."""

from __future__ import annotations

from typing import Any

import msgspec
import numpy as np
from msgspec import UNSET

from drivetrain.core.records import Decider
from drivetrain.core.records.deciding import Reach
from drivetrain.serve.answering import Part
from drivetrain.serve.call import Answer
from drivetrain.serve.reading import reads, told
from drivetrain.train.deciding.reading import DecidingEngine, Read

SETS = Reach(method="set", coverage=0.9, floors=(0.3, 0.3), classes=("no", "yes"))


class Version:
    """What :func:`reads` needs of a version."""

    def __init__(self, number: int, decider: Decider | None) -> None:
        self.number = number
        self.decides = None if decider is None else DecidingEngine(Said(), decider)


class Said:
    def predict(self, rows: Any) -> Any:
        return np.asarray(rows)[:, 0]

    def predict_row(self, row: Any) -> float:
        return float(row[0])

    def explain(self, _rows: Any) -> None:
        return None


def part(version: Version, outputs: list[float], failed: int = 0) -> Part:
    return Part(version, range(len(outputs)), [], outputs, failed)  # type: ignore[arg-type]


def test_each_answer_has_what_its_version_declares():
    both = Version(3, Decider(threshold=0.5, reach=SETS))
    assert told(reads(part(both, [0.1, 0.6]))) == {
        "decisions": [False, True],
        "sets": [["no"], ["no", "yes"]],
    }
    wide = Version(3, Decider(reach=Reach(method="residual", coverage=0.9, reach=2.0)))
    assert told(reads(part(wide, [1.0]))) == {"intervals": [(-1.0, 3.0)]}
    assert reads(part(Version(3, None), [0.1])) is None


def test_a_default_and_a_version_that_declares_nothing_are_null():
    champion = Version(3, Decider(threshold=0.5))
    assert reads(part(champion, [0.2], failed=3)) is None, "the endpoint's default is no model's answer"
    assert reads(part(champion, [0.2], failed=4)) == [Read(decision=False)], "the champion in a canary's place is"
    assert told([Read(decision=True), None]) == {"decisions": [True, None]}
    assert told([None, None]) == told([]) == {}


def test_an_answer_without_them_is_as_before():
    plain = msgspec.json.decode(msgspec.json.encode(Answer([0.5], "r", 1)))
    assert plain == {"predictions": [0.5], "request_id": "r", "model_version": 1}
    answer = Answer([0.5], "r", 1, **told([Read(decision=True)]))
    assert answer.intervals is UNSET
    assert msgspec.json.decode(msgspec.json.encode(answer))["decisions"] == [True]
