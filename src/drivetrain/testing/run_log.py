"""What every run log must do."""

from __future__ import annotations

import math
import threading
from abc import ABC, abstractmethod
from collections.abc import Iterator
from contextlib import AbstractContextManager

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import Conflict
from drivetrain.core.protocols import RunLog
from drivetrain.core.records import Metric

_THREADS = 4
_CALLS = 8
_numbers = st.sampled_from([math.nan, -math.inf, -1.5, 0.0, 1.0, 1e300, math.inf])
_points = st.builds(
    Metric, key=st.sampled_from("ab"), value=_numbers, step=st.integers(-2, 2), at=st.integers(0, 2),
)  # fmt: skip


class RunLogConformance(ABC):
    """Inherit, name the class ``Test…``, and say how to open an empty run log."""

    examples = 30
    """How many random histories to try."""

    @abstractmethod
    def fresh(self) -> AbstractContextManager[RunLog]:
        """An empty run log, closed at the end."""

    @pytest.fixture
    def log(self) -> Iterator[RunLog]:
        """An empty run log."""
        with self.fresh() as log:
            yield log

    def test_is_empty_at_first(self, log: RunLog) -> None:
        """Nothing is found of a run that said nothing, and of none."""
        assert log.latest(["r"]) == {"r": {}}
        assert log.parameters(["r"]) == log.tags(["r"]) == {"r": {}}
        assert log.latest([]) == {}
        assert log.history("r", "loss") == []
        assert not log.untag("r", "a")

    def test_gives_back_what_was_logged(self, log: RunLog) -> None:
        """Of each run its own, of each sort its own; nothing else."""
        point = Metric(key="loss ß/1", value=0.1, step=3, at=1_700_000_000_000_001, about='{"model_id":"m"}')
        log.log("r", [point], parameters={"depth": "3"}, tags={"depth": "deep", "note": "a\nb"})
        log.log("s", [], parameters={"depth": "4"})
        log.log("s")
        assert log.latest(["r", "s"]) == {"r": {point.key: point}, "s": {}}
        assert log.history("r", point.key) == [point]
        assert log.parameters(["r", "s"]) == {"r": {"depth": "3"}, "s": {"depth": "4"}}
        assert log.tags(["r"]) == {"r": {"depth": "deep", "note": "a\nb"}}
        assert log.tags(["r"], ["note", "none"]) == {"r": {"note": "a\nb"}}
        assert log.latest(["r"], ["none"]) == {"r": {}}
        assert log.parameters(["s", "r"], ["depth"])["s"] == {"depth": "4"}

    def test_a_parameter_never_changes(self, log: RunLog) -> None:
        """The same value again is no change; with another, nothing of the call is kept."""
        log.log("r", parameters={"a": "1"})
        log.log("r", parameters={"a": "1", "b": "2"})
        with pytest.raises(Conflict, match=r"'a'.*never change"):
            log.log("r", [Metric(key="m", value=1.0)], parameters={"c": "3", "a": "9"}, tags={"t": "1"})
        assert log.parameters(["r"])["r"] == {"a": "1", "b": "2"}
        assert log.tags(["r"])["r"] == {}
        assert log.latest(["r"])["r"] == {}

    def test_a_tag_changes_and_goes(self, log: RunLog) -> None:
        """The last one said holds; taking it away is told."""
        log.log("r", tags={"a": "1", "b": "1"})
        log.log("r", tags={"a": "2"})
        assert log.tags(["r"])["r"] == {"a": "2", "b": "1"}
        assert log.untag("r", "a")
        assert not log.untag("r", "a")
        assert log.tags(["r"])["r"] == {"b": "1"}

    def test_history_by_steps(self, log: RunLog) -> None:
        """Parts of a history, both ends included."""
        points = [Metric(key="m", value=float(step), step=step, at=9 - step) for step in range(9)]
        log.log("r", points[::-1])
        assert log.history("r", "m") == points
        assert log.history("r", "m", since=2, until=4) == points[2:5]
        assert log.history("r", "m", limit=3, skip=2) == points[2:5]
        assert log.history("r", "m", since=9) == []

    def test_many_runs_at_once(self, log: RunLog) -> None:
        """More than a database takes in one question."""
        runs = [f"r{number}" for number in range(1_201)]
        for run in runs[::100]:
            log.log(run, [Metric(key="m", value=1.0)], tags={"t": run})
        assert [run for run, found in log.latest(runs).items() if found] == runs[::100]
        assert {run: found["t"] for run, found in log.tags(runs, ["t"]).items() if found} == {r: r for r in runs[::100]}

    def test_any_history(self) -> None:
        """Each point once, in order; the newest as a search through all of them finds it."""

        @settings(max_examples=self.examples, deadline=None, suppress_health_check=list(HealthCheck))
        @given(st.lists(st.lists(_points, max_size=5), max_size=6))
        def check(calls: list[list[Metric]]) -> None:
            with self.fresh() as log:
                for call in calls:
                    log.log("r", call)
                    log.log("other", call[:1])
                said = [point for call in calls for point in call]
                for key in "ab":
                    mine = {_order(point): point for point in said if point.key == key}
                    found = [_order(point) for point in log.history("r", key)]
                    assert found == sorted(mine)
                    newest = log.latest(["r"])["r"].get(key)
                    assert (None if newest is None else _order(newest)) == max(mine, default=None)

        check()

    def test_threads_lose_nothing(self, log: RunLog) -> None:
        """Several write to one run at once, the same metric, parameters and tags."""

        def write(thread: int) -> None:
            for call in range(_CALLS):
                number = thread * _CALLS + call
                log.log(
                    "r",
                    [Metric(key="m", value=float(number), step=number)],
                    parameters={f"p{number}": "1"},
                    tags={f"t{thread}": str(call)},
                )

        threads = [threading.Thread(target=write, args=(number,)) for number in range(_THREADS)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert [point.step for point in log.history("r", "m")] == list(range(_THREADS * _CALLS))
        assert log.latest(["r"])["r"]["m"].step == _THREADS * _CALLS - 1
        assert len(log.parameters(["r"])["r"]) == _THREADS * _CALLS
        assert log.tags(["r"])["r"] == {f"t{number}": str(_CALLS - 1) for number in range(_THREADS)}


def _order(point: Metric) -> tuple[int, int, bool, float]:
    number = not math.isnan(point.value)
    return point.step, point.at, number, point.value if number else 0.0
