"""What every engine must do."""

from __future__ import annotations

import time
from concurrent.futures import ThreadPoolExecutor
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
    fixed_width: bool = True
    """Whether the file says how many columns it reads; else only the schema does."""

    def open(self, threads: int = 1) -> Engine:
        """The engine."""
        return self.load(self.path, self.schema, threads)

    @property
    def width(self) -> int:
        """Columns of its rows."""
        return len(self.schema.fields)


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
        half = np.asarray(engine.predict(np.ascontiguousarray(case.rows[::2])))
        assert np.array_equal(np.asarray(engine.predict(case.rows[::2])), half)

    def test_nulls_throughout(self, case: EngineCase) -> None:
        """A row of nulls is answered."""
        answer = case.open().predict_row([float("nan")] * len(case.schema.fields))
        assert np.all(np.isfinite(answer))

    @pytest.mark.parametrize("size", [1, 2, 64])
    def test_batches_of_any_size_answer_alike(self, case: EngineCase, size: int) -> None:
        """A row's answer does not depend on the rows beside it, their number, or how many came before."""
        engine = case.open()
        whole = np.asarray(engine.predict(case.rows))
        parts = [np.asarray(engine.predict(case.rows[at : at + size])) for at in range(0, len(case.rows), size)]
        assert all(part.shape[1:] == whole.shape[1:] for part in parts)
        assert np.max(np.abs(np.concatenate(parts) - whole)) <= case.tolerance / 10

    def test_a_null_is_a_null_wherever_it_stands(self, case: EngineCase) -> None:
        """One column at a time: NaN reaches the model in a row as in a batch, and is answered."""
        rows = np.repeat(case.rows[:1], case.width, axis=0)
        rows[np.diag_indices(case.width)] = np.nan
        engine = case.open()
        batch = np.asarray(engine.predict(rows))
        assert np.isfinite(batch).all()
        one_by_one = np.array([engine.predict_row(row) for row in rows.tolist()])
        assert np.max(np.abs(one_by_one - batch)) <= case.tolerance / 10

    @pytest.mark.parametrize("more", [-1, 1])
    def test_rows_of_another_width_are_refused(self, case: EngineCase, more: int) -> None:
        """A batch in plain words; a row at least never with an answer."""
        engine = case.open()
        with pytest.raises(StoreError, match="rows of another shape"):
            engine.predict(np.zeros((2, case.width + more)))
        with pytest.raises(StoreError, match="rows of another shape"):
            engine.predict(np.zeros(case.width))
        with pytest.raises(Exception):  # noqa: B017, PT011 - a row is checked by whatever packs it
            engine.predict_row([1.0] * (case.width + more))

    def test_answers_on_one_thread(self, case: EngineCase) -> None:
        """The process works no more than the thread that asks."""
        engine = case.open()
        rows = np.ascontiguousarray(case.rows[np.arange(3_000) % len(case.rows)])
        engine.predict(rows)
        own, all_of_them = time.thread_time(), time.process_time()
        until = time.perf_counter() + 0.2
        while time.perf_counter() < until:
            engine.predict(rows)
            engine.predict_row(rows[0].tolist())
        own, all_of_them = time.thread_time() - own, time.process_time() - all_of_them
        assert all_of_them <= 1.2 * own + 0.02, f"{all_of_them:.3f} s of work in all, {own:.3f} s of them its own"

    def test_more_threads_answer_alike(self, case: EngineCase) -> None:
        """How many threads a batch is computed on does not show."""
        two = np.asarray(case.open(2).predict(case.rows))
        assert np.max(np.abs(two - np.asarray(case.open(1).predict(case.rows)))) <= case.tolerance / 10

    def test_a_thread_of_its_own_is_answered_alike(self, case: EngineCase) -> None:
        """Opened on one thread, as a reload does, and asked on others, batches at once."""
        engine = case.open()
        expected = np.asarray(engine.predict(case.rows))
        with ThreadPoolExecutor(3) as pool:
            answers = list(pool.map(lambda _: np.asarray(engine.predict(case.rows)), range(12)))
        assert all(np.array_equal(answer, expected) for answer in answers)

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
        assert np.allclose(1 / (1 + np.exp(-margin)), case.expected, atol=max(1e-9, case.tolerance))

    def test_another_file_is_refused(self, case: EngineCase, tmp_path: Path) -> None:
        """Garbage is no model."""
        path = tmp_path / "garbage"
        path.write_bytes(b"this is no model\n" * 20)
        with pytest.raises(StoreError, match="garbage"):
            case.load(path, case.schema)

    @pytest.mark.parametrize("share", [0.0, 0.1, 0.5, 0.99])
    def test_a_file_cut_short_is_refused(self, case: EngineCase, share: float, tmp_path: Path) -> None:
        """In plain words, whatever the library says of it."""
        data = case.path.read_bytes()
        path = tmp_path / f"cut{case.path.suffix}"
        path.write_bytes(data[: int(len(data) * share)])
        with pytest.raises(StoreError) as refused:
            case.load(path, case.schema)
        assert "cut" in str(refused.value)
        assert "Traceback" not in str(refused.value)
        assert "\n" not in str(refused.value)

    def test_another_schema_is_refused(self, case: EngineCase) -> None:
        """A model of other columns can't be opened, be they fewer or more."""
        with pytest.raises(StoreError):
            case.load(case.path, InputSchema((Field("another"),)))
        if case.fixed_width:
            with pytest.raises(StoreError):
                case.load(case.path, InputSchema((*case.schema.fields, Field("another"))))
