"""What every blob store must do."""

from __future__ import annotations

import io
from abc import ABC, abstractmethod

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.core.errors import StoreError
from drivetrain.core.hashing import digest_bytes
from drivetrain.core.protocols import Blobs


class BlobsConformance(ABC):
    """Inherit, name the class ``Test…``, and say how to make an empty store."""

    @abstractmethod
    def fresh(self) -> Blobs:
        """An empty store."""

    @pytest.fixture
    def blobs(self) -> Blobs:
        """An empty store."""
        return self.fresh()

    @pytest.mark.parametrize("data", [b"", b"\0", b"model", bytes(range(256)) * 5000])
    def test_gives_back_what_was_kept(self, blobs: Blobs, data: bytes) -> None:
        """The bytes, under the digest of the bytes."""
        digest = blobs.put(data)
        assert digest == digest_bytes(data)
        assert blobs.get(digest) == data
        assert blobs.path(digest).read_bytes() == data
        assert blobs.has(digest)

    def test_keeps_what_a_file_holds(self, blobs: Blobs) -> None:
        """From where it stands to its end, however much that is; the same bytes as bytes are the same blob."""
        data = bytes(range(256)) * 10_000
        file = io.BytesIO(b"before" + data)
        file.seek(6)
        digest = blobs.put_file(file)
        assert (digest, file.tell()) == (digest_bytes(data), 6 + len(data))
        assert blobs.get(digest) == data
        assert blobs.put_file(io.BytesIO(data)) == blobs.put(data) == digest

    def test_keeps_the_same_bytes_once(self, blobs: Blobs) -> None:
        """A second time changes nothing."""
        assert blobs.put(b"one") == blobs.put(b"one")
        assert blobs.get(digest_bytes(b"one")) == b"one"

    @pytest.mark.parametrize("digest", [digest_bytes(b"never kept"), "", "../../etc/passwd", "0" * 31, "G" * 32])
    def test_names_what_is_not_there(self, blobs: Blobs, digest: str) -> None:
        """Whatever is asked for, the answer is a plain error."""
        assert not blobs.has(digest)
        with pytest.raises(StoreError, match="no blob"):
            blobs.get(digest)
        with pytest.raises(StoreError, match="no blob"):
            blobs.path(digest)

    def test_takes_away_what_it_is_told_to_and_nothing_else(self, blobs: Blobs) -> None:
        """Once; what was taken away can be kept again."""
        one, other = blobs.put(b"one"), blobs.put(b"other")
        assert blobs.remove(one)
        assert not blobs.remove(one)
        assert not blobs.remove("../../etc/passwd")
        assert not blobs.has(one)
        assert blobs.get(other) == b"other"
        assert blobs.put(b"one") == one
        assert blobs.get(one) == b"one"

    def test_keeps_any_bytes(self) -> None:
        """Many blobs side by side, none mistaken for another."""
        blobs = self.fresh()

        @settings(max_examples=20, deadline=None)
        @given(st.lists(st.binary(max_size=50), max_size=8))
        def check(pieces: list[bytes]) -> None:
            digests = [blobs.put(piece) for piece in pieces]
            assert [blobs.get(digest) for digest in digests] == pieces

        check()
