"""Following the log: whole frames once each, whatever is half written, and a word when a segment has gone."""

from __future__ import annotations

import msgspec
import pytest

from drivetrain.core.records import Feedback
from drivetrain.serve.log import tail as tailing
from drivetrain.serve.log.frame import MAGIC, pack
from drivetrain.serve.log.tail import Tail
from drivetrain.serve.log.wal import WriteAheadLog


def entry(number):
    return Feedback(endpoint="late", label=float(number), at=number, logged_at=number, entity=f"e{number}")


def labels(found):
    return [int(one.label) for one in found]


def test_each_entry_is_read_once_as_it_comes(tmp_path):
    log, tail = WriteAheadLog(tmp_path), Tail(tmp_path, {})
    assert tail.read() == []
    log.append(pack(entry(1)) + pack(entry(2)))
    assert labels(tail.read()) == [1, 2]
    assert tail.read() == []
    log.append(pack(entry(3)))
    log.close()
    log.append(pack(entry(4)))
    assert labels(tail.read()) == [3, 4], "of the segment that ended, and of the next one"


def test_it_begins_where_the_tables_end(tmp_path):
    log = WriteAheadLog(tmp_path)
    log.append(pack(entry(1)))
    [path] = tmp_path.glob("*.wal")
    tail = Tail(tmp_path, {path.stem: path.stat().st_size})
    log.append(pack(entry(2)))
    assert labels(tail.read()) == [2]


def test_a_frame_on_its_way_waits_and_damage_is_passed_over(tmp_path):
    whole, later = pack(entry(1)), pack(entry(2))
    path = tmp_path / "a.wal"
    path.write_bytes(MAGIC + whole + later[:9])
    tail = Tail(tmp_path, {})
    assert labels(tail.read()) == [1]
    assert tail.read() == []
    path.write_bytes(MAGIC + whole + later)
    assert labels(tail.read()) == [2]
    path.write_bytes(MAGIC + whole + later + b"?" * 50 + pack(entry(3)))
    assert labels(tail.read()) == [3]


def test_much_is_read_piece_by_piece(tmp_path, monkeypatch):
    monkeypatch.setattr(tailing, "_MOST", 3 * len(pack(entry(10))))
    log, tail = WriteAheadLog(tmp_path), Tail(tmp_path, {})
    log.append(b"".join(pack(entry(number)) for number in range(10, 18)))
    found = []
    while more := tail.read():
        assert len(more) <= 3
        found += labels(more)
    assert found == list(range(10, 18))


def test_a_large_frame_is_read_whole_and_no_byte_of_it_is_tried(tmp_path, monkeypatch):
    """A frame of 5 MiB, whole or on its way, is told by its header: to try every byte of it takes seconds."""
    monkeypatch.setattr(tailing, "scan", lambda *_: pytest.fail("nothing is damaged"))
    large = pack(msgspec.structs.replace(entry(2), entity="x" * (5 * 1024 * 1024)))
    path, begin = tmp_path / "a.wal", MAGIC + pack(entry(1))
    path.write_bytes(begin + large[: 3 * 1024 * 1024])
    tail = Tail(tmp_path, {})
    assert labels(tail.read()) == [1]
    assert tail.read() == []
    path.write_bytes(begin + large[: 4 * 1024 * 1024 + 5_000])
    assert tail.read() == []
    path.write_bytes(begin + large + pack(entry(3)))
    found = []
    while more := tail.read():
        found += labels(more)
    assert found == [2, 3]


def test_a_length_that_lies_holds_up_only_until_more_is_there(tmp_path):
    """What a header announces is waited for; once it is there and is no frame, what follows is found."""
    path = tmp_path / "a.wal"
    lie = (400).to_bytes(4, "little") + b"????" + b"P"
    path.write_bytes(MAGIC + pack(entry(1)) + lie + pack(entry(2)))
    tail = Tail(tmp_path, {})
    assert labels(tail.read()) == [1]
    path.write_bytes(path.read_bytes() + b"".join(pack(entry(number)) for number in range(3, 20)))
    assert labels(tail.read()) == list(range(2, 20))


def test_a_segment_that_has_gone_is_said(tmp_path):
    log, tail = WriteAheadLog(tmp_path), Tail(tmp_path, {})
    log.append(pack(entry(1)))
    assert labels(tail.read()) == [1]
    log.close()
    for path in tmp_path.glob("*.wal"):
        path.unlink()
    assert tail.read() is None
