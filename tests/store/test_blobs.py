from __future__ import annotations

import itertools
import os
import re
import stat

import pytest

from drivetrain.core.errors import CorruptBlob, StoreError
from drivetrain.core.hashing import digest_bytes
from drivetrain.store.blobs import FileBlobs
from drivetrain.store.memory import MemoryBlobs
from drivetrain.testing.blobs import BlobsConformance


class TestMemoryBlobs(BlobsConformance):
    def fresh(self):
        return MemoryBlobs()


class TestFileBlobs(BlobsConformance):
    @pytest.fixture(autouse=True)
    def folder(self, tmp_path):
        self.paths = (tmp_path / str(number) for number in itertools.count())

    def fresh(self):
        return FileBlobs(next(self.paths))


@pytest.mark.parametrize("damage", [b"", b"mode", b"model!", b"modem"])
def test_damaged_bytes_are_named_by_digest_and_path(tmp_path, damage):
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(b"model")
    path = blobs.path(digest)
    path.write_bytes(damage)
    for read in (blobs.get, blobs.path):
        with pytest.raises(CorruptBlob, match=digest) as caught:
            read(digest)
        assert str(path) in str(caught.value)


def test_keeping_the_bytes_again_mends_damage(tmp_path):
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(b"model")
    blobs.path(digest).write_bytes(b"junk")
    assert blobs.put(b"model") == digest
    assert blobs.get(digest) == b"model"


def test_bytes_are_on_disk_before_they_have_their_name(tmp_path, monkeypatch):
    blobs = FileBlobs(tmp_path)
    happened = []
    real_fsync, real_replace = os.fsync, os.replace

    def fsync(handle):
        happened.append("file" if stat.S_ISREG(os.fstat(handle).st_mode) else "folder")
        assert ("rename" in happened) == any(path.is_file() for path in tmp_path.glob("??/??/*"))
        real_fsync(handle)

    def replace(self, target):
        happened.append("rename")
        real_replace(self, target)

    monkeypatch.setattr(os, "fsync", fsync)
    monkeypatch.setattr("pathlib.Path.replace", replace)
    blobs.put(b"model")
    assert happened == ["file", "folder", "folder", "rename", "folder"]


def test_fans_out_two_levels(tmp_path):
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(b"model")
    assert blobs.path(digest) == tmp_path / digest[:2] / digest[2:4] / digest


def test_sweeps_what_killed_writers_left_a_day_ago(tmp_path):
    blobs = FileBlobs(tmp_path)
    old, young = tmp_path / "aside" / "old", tmp_path / "aside" / "young"
    for path in (old, young):
        path.write_bytes(b"half")
    os.utime(old, (1, 1))
    FileBlobs(tmp_path)
    assert not old.exists()
    assert young.exists()
    assert blobs.get(blobs.put(b"model")) == b"model"


def test_a_place_that_is_a_file_is_named(tmp_path):
    (tmp_path / "blobs").write_text("not a folder")
    with pytest.raises(StoreError, match=re.escape(str(tmp_path / "blobs"))):
        FileBlobs(tmp_path / "blobs")


def test_an_unreadable_blob_is_named(tmp_path, monkeypatch):
    blobs = FileBlobs(tmp_path)
    digest = blobs.put(b"model")

    def refuse(*_, **__):
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr("pathlib.Path.read_bytes", refuse)
    monkeypatch.setattr("pathlib.Path.open", refuse)
    for read in (blobs.get, blobs.path):
        with pytest.raises(StoreError, match=f"{digest_bytes(b'model')}.*Permission denied"):
            read(digest)
