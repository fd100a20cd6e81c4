"""What everything that makes numbers of texts must do."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any, ClassVar

import numpy as np
import pytest

from drivetrain.core.records import Field, InputSchema
from drivetrain.core.settings import StoreSettings
from drivetrain.store.bundle import open_store
from drivetrain.train.text.encoder import Text, TextEncoder
from drivetrain.train.text.kept import FORMATS, keep_reading, open_reading
from drivetrain.train.text.reading import Reading

TEXTS: tuple[str | None, ...] = (
    "see you at home later", "FREE prize, claim it now!", "", None, "free", "a\x00b", "half a \ud83d character",
    "日本語 ok 👍🏽", "word " * 30_000, " \t\n ", "x" * 20_000, "call me when the meeting is on",
)  # fmt: skip
"""Texts of every kind that may come."""


class TextConformance:
    """Inherit it, and give a fixture ``declared``; its feature is ``a.text``."""

    reads_nothing_as_nothing: ClassVar[bool] = False
    """Whether the empty text has no number that is not 0."""

    @pytest.fixture
    def declared(self) -> Text:
        """What is under test, as a model declares it."""
        raise NotImplementedError

    @pytest.fixture
    def encoder(self, declared: Text) -> TextEncoder:
        """What it learned of the texts."""
        return declared.learn([*TEXTS, *TEXTS])

    def test_a_text_has_the_same_numbers_alone_and_among_others(self, encoder: TextEncoder) -> None:
        """To the last bit, whatever stands beside it."""
        together = encoder.matrix(TEXTS)
        assert together.shape == (len(TEXTS), len(encoder.columns))
        assert together.dtype == np.float64
        assert np.isfinite(together).all()
        for text, made in zip(TEXTS, together, strict=True):
            alone = np.zeros(len(encoder.columns))
            encoder.write(text, alone)
            assert np.array_equal(alone, made)
        assert np.array_equal(encoder.matrix(TEXTS[::-1]), together[::-1])

    def test_null_is_as_empty(self, encoder: TextEncoder) -> None:
        """A text that is missing is read, and is nothing more than that."""
        empty, null = encoder.matrix(["", None])
        assert np.array_equal(empty, null)
        assert self.reads_nothing_as_nothing <= (not empty.any())

    def test_no_texts_are_no_rows(self, encoder: TextEncoder) -> None:
        """Of as many columns."""
        assert encoder.matrix([]).shape == (0, len(encoder.columns))

    def test_its_columns_can_be_told_apart(self, encoder: TextEncoder) -> None:
        """Names of a model's columns differ."""
        assert len(set(encoder.columns)) == len(encoder.columns) > 0

    def test_it_is_kept_and_opened_the_same(self, encoder: TextEncoder, tmp_path: Path) -> None:
        """As an artifact of a version, of the same bytes each time."""
        store: Any = open_store(StoreSettings(online_gib=0.01), tmp_path)
        schema = InputSchema((Field("a.text", "text"),))
        reading = Reading(schema, {"a.text": encoder})
        [artifact] = keep_reading(store.blobs, reading)
        assert artifact.format in FORMATS
        assert keep_reading(store.blobs, reading) == (artifact,)
        [again] = open_reading(store.blobs, (artifact,), schema).encoders
        assert again.columns == encoder.columns
        assert np.array_equal(again.matrix(TEXTS), encoder.matrix(TEXTS))
        store.close()

    def test_threads_may_share_it(self, encoder: TextEncoder) -> None:
        """Many at once say what one says."""
        expected = encoder.matrix(TEXTS)
        with ThreadPoolExecutor(4) as pool:
            assert all(np.array_equal(each, expected) for each in pool.map(encoder.matrix, [TEXTS] * 8))

    def test_its_meaning_is_plain_text(self, declared: Text) -> None:
        """A run is known by it."""
        assert "0x" not in repr(declared)
        assert declared.feature == "a.text"
        assert isinstance(declared.read_by, str)
