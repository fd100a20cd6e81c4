"""Good requests of every protocol, spoiled at random by seed: no 5xx, and no memory that is not given back."""

from __future__ import annotations

import logging
import random
from collections import Counter

from serve.faults import house
from serve.faults.bodies import LENGTH, Asked, exchange, good
from serve.faults.scale import sized
from serve.faults.workers import resident, workers
from serve.process import running

_log = logging.getLogger(__name__)

REQUESTS = sized(4_000, 100_000)
MEBIBYTES = sized(12.0, 16.0)
_ODD = [b"null", b"-1", b"1e308", b"1e999", b"NaN", b"9223372036854775808", b'"\\u0000"', b'"\\ud800"', b"[]", b"{}",
        b'""', b"true", b"\xff", b"\x00", b",", b'"', b"[[[[", b"}", b"0.1e-400", b'"' + b"x" * 500 + b'"']  # fmt: skip


def spoiled(chance: random.Random, one: Asked) -> Asked:
    """A request with a few mutations."""
    body, headers = bytearray(one.body), dict(one.headers)
    for _ in range(chance.choice([0, 1, 1, 1, 2, 3, 8])):
        at = chance.randrange(len(body) + 1)
        to = min(len(body), at + chance.choice([1, 1, 2, 5, 20]))
        what = chance.randrange(6)
        if what == 0 and at < len(body):
            body[at] ^= 1 << chance.randrange(8)
        elif what == 1:
            del body[at:to]
        elif what == 2:
            body[at:at] = body[at:to] * chance.choice([1, 2, 50])
        elif what == 3:
            body[at:to] = chance.choice(_ODD)
        elif what == 4:
            body[at:at] = chance.randbytes(chance.randrange(1, 9))
        else:
            _replace_a_value(chance, body)
    if chance.random() < 0.05:
        headers[LENGTH] = str(chance.choice([-1, 0, 1, len(body) // 2, len(body) + 1, 10**19]))
    if chance.random() < 0.05:
        headers["content-type"] = chance.choice(["text/csv", "application/json", "odd", "text/csv; header=absent"])
    if chance.random() < 0.03:
        headers["content-encoding"] = chance.choice(["gzip", "deflate", "br"])
    return one._replace(body=bytes(body), headers=headers)


def _replace_a_value(chance: random.Random, body: bytearray) -> None:
    """What lies between a colon and the next comma or bracket becomes something odd."""
    colons = [at for at, byte in enumerate(body) if byte == ord(":")]
    if colons:
        at = chance.choice(colons) + 1
        to = next((end for end in range(at, len(body)) if body[end] in b",]}"), len(body))
        body[at:to] = chance.choice(_ODD)


def test_no_request_is_the_servers_fault_and_no_memory_is_kept(tmp_path):
    house.make(tmp_path).close()
    protocols = list(good().values())
    statuses: Counter[int] = Counter()
    with running(tmp_path, target="serve.faults.house:application", max_bytes=100_000) as server:
        connection = server.client()
        warm = 0.0
        for number in range(REQUESTS):
            if number == REQUESTS // 4:
                warm = resident(workers(server))
            asked = spoiled(random.Random(number), protocols[number % len(protocols)])
            status, told = exchange(connection, asked)
            statuses[status] += 1
            assert status < 500, (number, asked, told)
        growth = resident(workers(server)) - warm
        for name, one in good().items():
            assert exchange(connection, one)[0] == 200, name
        connection.close()
    _log.info("%s, memory +%.1f MiB after the first quarter", dict(statuses), growth)
    assert statuses[200] > REQUESTS // 20
    assert statuses[422] + statuses[400] > REQUESTS // 4
    assert growth < MEBIBYTES
