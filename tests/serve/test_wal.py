from __future__ import annotations

import os
import subprocess
import sys
import threading

import pytest

from drivetrain.core.errors import StoreError
from drivetrain.serve.log.frame import MAGIC, Frame, pack, scan
from drivetrain.serve.log.segment import finished, segments
from drivetrain.serve.log.wal import WriteAheadLog
from serve.records import feedback

FRAME = pack(feedback())


def frames_in(folder):
    return sum(isinstance(piece, Frame) for path in segments(folder) for piece in scan(path.read_bytes(), len(MAGIC)))


@pytest.mark.parametrize("durability", ["process", "disk"])
def test_what_was_appended_is_in_the_file_at_once(tmp_path, durability):
    log = WriteAheadLog(tmp_path, durability)
    log.append(FRAME * 3)
    assert frames_in(tmp_path) == 3
    log.sync()
    log.close()


def test_memory_is_written_when_flushed(tmp_path):
    log = WriteAheadLog(tmp_path, "memory")
    log.append(FRAME)
    assert frames_in(tmp_path) == 0
    log.flush()
    assert frames_in(tmp_path) == 1
    log.append(FRAME)
    log.close()
    assert frames_in(tmp_path) == 2


def test_nothing_logged_leaves_no_file(tmp_path):
    log = WriteAheadLog(tmp_path / "plain")
    log.flush()
    log.sync()
    log.close()
    assert not (tmp_path / "plain").exists()


def test_segments_end_by_size_and_by_age(tmp_path):
    log = WriteAheadLog(tmp_path, segment_bytes=len(MAGIC) + 2 * len(FRAME))
    for _ in range(5):
        log.append(FRAME)
    assert len(segments(tmp_path)) == 3
    old = WriteAheadLog(tmp_path / "old", segment_seconds=0.0)
    old.append(FRAME)
    old.flush()
    old.append(FRAME)
    assert len(segments(tmp_path / "old")) == 2
    assert frames_in(tmp_path) == 5
    log.close()
    old.close()


def test_a_segment_is_finished_once_its_writer_closed_it_or_died(tmp_path):
    log = WriteAheadLog(tmp_path)
    log.append(FRAME)
    (path,) = segments(tmp_path)
    with finished(path) as over:
        assert not over
    log.close()
    with finished(path) as over:
        assert over
    code = (
        "import os, sys; from pathlib import Path; from drivetrain.serve.log.wal import WriteAheadLog\n"
        f"WriteAheadLog(Path({str(tmp_path / 'dead')!r})).append({FRAME!r}); os.kill(os.getpid(), 9)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == -9
    (path,) = segments(tmp_path / "dead")
    assert frames_in(tmp_path / "dead") == 1
    with finished(path) as over:
        assert over


def test_a_disk_that_takes_half_a_frame_keeps_none_of_it(tmp_path, monkeypatch):
    log = WriteAheadLog(tmp_path)
    log.append(FRAME)
    write = os.write
    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
    with pytest.raises(StoreError, match=r"took .* of .* bytes.*Free or mend the disk"):
        log.append(FRAME)
    monkeypatch.undo()
    log.append(FRAME)
    (path,) = segments(tmp_path)
    assert path.read_bytes() == MAGIC + FRAME * 2
    log.close()


def test_half_a_frame_that_stays_ends_the_segment(tmp_path, monkeypatch):
    log = WriteAheadLog(tmp_path)
    log.append(FRAME)
    write = os.write

    def refuse(*_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "write", lambda file, data: write(file, data[: len(data) // 2]))
    monkeypatch.setattr(os, "ftruncate", refuse)
    with pytest.raises(StoreError):
        log.append(FRAME)
    monkeypatch.undo()
    log.append(FRAME)
    assert len(segments(tmp_path)) == 2
    assert frames_in(tmp_path) == 2
    log.close()


def test_a_failed_sync_ends_the_segment_and_says_so(tmp_path, monkeypatch):
    log = WriteAheadLog(tmp_path, "disk")
    log.append(FRAME)

    def refuse(_):
        raise OSError(5, "Input/output error")

    monkeypatch.setattr(os, "fdatasync", refuse)
    with pytest.raises(StoreError, match="Input/output error"):
        log.sync()
    monkeypatch.undo()
    log.append(FRAME)
    log.sync()
    assert len(segments(tmp_path)) == 2
    log.close()


def test_moments_follow_one_another_though_the_clock_goes_back(tmp_path, monkeypatch):
    log = WriteAheadLog(tmp_path)
    monkeypatch.setattr("drivetrain.serve.log.wal.now", iter([100, 100, 40, 41, 200]).__next__)
    assert [log.moment() for _ in range(5)] == [100, 101, 102, 103, 200]


def test_a_folder_that_can_not_be_made_is_named(tmp_path):
    (tmp_path / "plain").write_text("a file")
    with pytest.raises(StoreError, match="plain"):
        WriteAheadLog(tmp_path / "plain").append(FRAME)


def test_threads_never_mix_frames_and_syncs_survive_rotation(tmp_path):
    log = WriteAheadLog(tmp_path, "disk", segment_bytes=4096)

    def work():
        for _ in range(200):
            log.append(FRAME)
            log.sync()

    threads = [threading.Thread(target=work) for _ in range(4)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    log.close()
    assert frames_in(tmp_path) == 800
