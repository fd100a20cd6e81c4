"""Environments that a process shares, whatever moment its garbage is collected at."""

from __future__ import annotations

import subprocess
import sys

from drivetrain.store.online import LmdbOnline


def test_a_store_that_is_collected_while_another_is_opened_holds_nothing_up(tmp_path):
    """The finalizer of one runs inside the opening of the next, on the same thread."""
    code = f"""
import weakref
from pathlib import Path
from drivetrain.store import environments
from drivetrain.store.online import LmdbOnline

first = LmdbOnline(Path({str(tmp_path)!r}) / "one", gib=0.1)
plain = Path.mkdir
def mkdir(path, *more, **options):
    first.close()
    plain(path, *more, **options)
Path.mkdir = mkdir
second = LmdbOnline(Path({str(tmp_path)!r}) / "two", gib=0.1)
third = LmdbOnline(Path({str(tmp_path)!r}) / "one", gib=0.1)
third.write("a", [(b"k", b"v")])
assert third.read("a", [b"k"]) == [b"v"]
"""
    assert subprocess.run([sys.executable, "-c", code], check=False, timeout=60).returncode == 0


def test_the_last_to_let_go_closes_it(tmp_path):
    one, other = (LmdbOnline(tmp_path / "online", gib=0.1) for _ in range(2))
    one.close()
    one.close()
    other.write("a", [(b"k", b"v")])
    assert other.read("a", [b"k"]) == [b"v"]
    other.close()
    again = LmdbOnline(tmp_path / "online", gib=0.1)
    assert again.read("a", [b"k"]) == [b"v"]
    again.close()
