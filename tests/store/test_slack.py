"""Deleted rows leave LMDB's file: found again by their bytes where nothing is done, and not after a scrub."""

from __future__ import annotations

import random
import threading

import pytest

from drivetrain.core.errors import StoreError
from drivetrain.store import slack
from drivetrain.store.online import LmdbOnline


def key(number):
    return f"subject-{number:05d}".encode()


def rows(numbers, size):
    return [(key(n), (b"secret-%05d-" % n) * (size(n) // 13 + 1)) for n in numbers]


def size_of(number):
    return (20, 300, 2500, 9000, 40_000)[number % 5]


def held(folder):
    return (folder / "data.mdb").read_bytes()


@pytest.mark.parametrize("seed", range(3))
def test_what_is_deleted_is_gone_and_what_is_not_is_there(tmp_path, seed):
    dice = random.Random(seed)
    online = LmdbOnline(tmp_path / "online", gib=0.2)
    everything = list(range(500))
    online.write("a", rows(everything, size_of))
    online.write("b", rows(range(100), lambda _: 50))
    for _ in range(3):  # rows are replaced, so that pages are freed and filled again
        some = dice.sample(everything, 200)
        online.write("a", rows(some, lambda n: size_of(n + dice.randrange(5))))
    gone = dice.sample(everything, 150)
    online.delete("a", [key(n) for n in gone])
    online.delete("b", [key(n) for n in gone])
    before = held(tmp_path / "online")
    assert any(b"secret-%05d" % n in before for n in gone)
    online.scrub()
    after = held(tmp_path / "online")
    assert not [n for n in gone if key(n) in after or b"secret-%05d" % n in after]
    left = [n for n in everything if n not in set(gone)]
    assert all(online.read("a", [key(n)])[0].startswith(b"secret-%05d" % n) for n in left)
    assert sorted(online.keys("a")) == [key(n) for n in left]
    online.write("a", rows(gone, size_of))  # the cleared pages are used again
    assert sorted(online.keys("a")) == [key(n) for n in everything]
    assert all(
        row == wanted
        for (_, wanted), row in zip(rows(gone, size_of), online.read("a", [key(n) for n in gone]), strict=True)
    )
    online.close()


def test_others_read_and_write_meanwhile(tmp_path):
    online = LmdbOnline(tmp_path / "online", gib=0.1)
    online.write("a", rows(range(300), size_of))
    stop, wrong = threading.Event(), []

    def work():
        number = 1000
        while not stop.is_set():
            number = 1000 + (number + 1) % 200
            online.write("a", rows([number], size_of))
            if online.read("a", [key(7)])[0] is None or online.read("a", [key(number)])[0] is None:
                wrong.append(number)

    worker = threading.Thread(target=work)
    worker.start()
    try:
        for number in range(100, 110):
            online.delete("a", [key(number)])
            online.scrub()
    finally:
        stop.set()
        worker.join()
    assert wrong == []
    online.scrub()
    assert not [number for number in range(100, 110) if key(number) in held(tmp_path / "online")]
    online.close()


def test_a_reader_of_an_old_moment_is_waited_for_and_then_named(tmp_path, monkeypatch):
    monkeypatch.setattr(slack, "_WAIT_SECONDS", 0.1)
    online = LmdbOnline(tmp_path / "online", gib=0.1)
    online.write("a", rows(range(50), size_of))
    online.delete("a", [key(n) for n in range(25)])
    with online._shared.environment.begin() as reader:
        first = reader.cursor()
        first.first()
        with pytest.raises(StoreError, match="old moment"):
            online.scrub()
    online.scrub()
    assert key(3) not in held(tmp_path / "online")
    online.close()


@pytest.mark.parametrize("seed", range(200))
def test_keys_that_part_pages_lose_what_is_gone_and_part_them_after_every_byte(seed):
    dice = random.Random(seed)
    before, gone, after = sorted(
        {bytes(dice.choice(b"\x00ab\xff") for _ in range(dice.randrange(1, 7))) for _ in range(9)}
    )[2:5]
    key = bytearray(gone)
    for place, value in slack._separators([(0, gone, before, after)]):
        key[place] = value
        assert before < bytes(key) <= after
    assert list(slack._separators([(0, after, before, after)])) == []


@pytest.mark.parametrize("seed", range(50))
def test_no_key_of_a_neighbourhood_stays_as_it_was(seed):
    dice = random.Random(seed)
    before, gone, after = (b"ec%04d" % n for n in sorted(dice.sample(range(30), 3)))
    key = bytearray(gone)
    for place, value in slack._separators([(0, gone, before, after)]):
        key[place] = value
    assert bytes(key) != gone


def test_an_empty_store_has_nothing_to_clear(tmp_path):
    online = LmdbOnline(tmp_path / "online", gib=0.1)
    online.scrub()
    assert online.spaces() == {}
    online.close()
