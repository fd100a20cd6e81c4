"""What every engine must do."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from threading import Thread

import numpy as np
import pytest

from drivetrain.core.errors import StoreError
from drivetrain.core.protocols import Engine, LoadEngine
from drivetrain.core.records import Field, InputSchema


@dataclass(frozen=True)
class EngineCase:
    """A saved model, and what it must answer."""

    load: LoadEngine
    path: Path
    schema: InputSchema
    rows: np.ndarray
    """Real rows, nulls among them."""
    expected: np.ndarray
    """What the library that fitted the model says of them."""
    tolerance: float = 0.0

    def open(self) -> Engine:
        """The engine."""
        return self.load(self.path, self.schema)


class EngineConformance:
    """Inherit it, and give a fixture ``case``."""

    @pytest.fixture
    def case(self, tmp_path: Path) -> EngineCase:
        """The saved model under test."""
        raise NotImplementedError

    def test_answers_as_the_library_does(self, case: EngineCase) -> None:
        """A batch."""
        answers = np.asarray(case.open().predict(case.rows))
        assert answers.shape == case.expected.shape
        assert np.max(np.abs(answers - case.expected)) <= case.tolerance

    def test_a_row_answers_as_in_a_batch(self, case: EngineCase) -> None:
        """Shape of a batch does not matter."""
        engine = case.open()
        one_by_one = [engine.predict_row(row) for row in case.rows.tolist()]
        assert np.max(np.abs(np.array(one_by_one) - np.asarray(engine.predict(case.rows)))) <= case.tolerance / 10
        assert all(isinstance(answer, float) for answer in one_by_one) or case.expected.ndim == 2

    def test_an_empty_batch(self, case: EngineCase) -> None:
        """No rows, no answers."""
        assert np.asarray(case.open().predict(np.empty((0, len(case.schema.fields))))).shape[0] == 0

    def test_any_order_in_memory(self, case: EngineCase) -> None:
        """Columns side by side, or every other row."""
        engine = case.open()
        expected = np.asarray(engine.predict(case.rows))
        assert np.array_equal(np.asarray(engine.predict(np.asfortranarray(case.rows))), expected)
        assert np.array_equal(np.asarray(engine.predict(case.rows[::2])), expected[::2])

    def test_nulls_throughout(self, case: EngineCase) -> None:
        """A row of nulls is answered."""
        answer = case.open().predict_row([float("nan")] * len(case.schema.fields))
        assert np.all(np.isfinite(answer))

    def test_threads_may_share_it(self, case: EngineCase) -> None:
        """Each gets its own row's answer."""
        engine = case.open()
        expected = [engine.predict_row(row) for row in case.rows[:50].tolist()]
        wrong: list[int] = []

        def ask(start: int) -> None:
            for turn in range(200):
                at = (start + turn) % len(expected)
                if engine.predict_row(case.rows[at].tolist()) != expected[at]:
                    wrong.append(at)

        threads = [Thread(target=ask, args=(start,)) for start in (0, 7, 19)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert not wrong

    def test_explanations_add_up(self, case: EngineCase) -> None:
        """Where it explains, contributions add up to the margin of the answer."""
        explained = case.open().explain(case.rows)
        if explained is None:
            return
        contributions = np.asarray(explained)
        assert contributions.shape == (len(case.rows), len(case.schema.fields) + 1)
        margin = contributions.sum(axis=1)
        assert np.allclose(1 / (1 + np.exp(-margin)), case.expected, atol=1e-9)

    def test_another_file_is_refused(self, case: EngineCase, tmp_path: Path) -> None:
        """Garbage is no model."""
        path = tmp_path / "garbage"
        path.write_bytes(b"this is no model\n" * 20)
        with pytest.raises(StoreError, match="garbage"):
            case.load(path, case.schema)

    def test_another_schema_is_refused(self, case: EngineCase) -> None:
        """A model of other columns can't be opened."""
        with pytest.raises(StoreError):
            case.load(case.path, InputSchema((Field("another"),)))
