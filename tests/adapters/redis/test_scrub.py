"""What was erased is in none of the server's files."""

from __future__ import annotations

from pathlib import Path

import pytest

from drivetrain.adapters.redis import online
from drivetrain.testing.redis import find_binary, running_redis

SECRET = b"erin.weber@example.org"


@pytest.mark.skipif(find_binary() is None, reason="no redis binary")
def test_no_byte_of_what_was_erased_is_in_its_log_or_snapshot():
    options = ("--appendonly", "yes", "--save", "3600 1", "--aof-use-rdb-preamble", "no", "--rdbcompression", "no")
    with running_redis(*options) as server:
        store = online(server.url())
        store.write("history@1", [(SECRET, b"row of " + SECRET), (b"other", b"stays")])
        store.scrub()
        folder = Path(server.socket).parent

        def held(text):
            return [path for path in folder.rglob("*") if path.is_file() and text in path.read_bytes()]

        assert held(SECRET)
        store.delete("history@1", [SECRET])
        store.scrub()
        assert not held(SECRET)
        assert held(b"stays")
        assert store.read("history@1", [SECRET, b"other"]) == [None, b"stays"]
        store.close()
