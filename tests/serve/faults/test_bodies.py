"""Bodies too large, cut short, no text, too deep, of other types: 4xx in every protocol, and nobody suffers."""

from __future__ import annotations

import json
import socket

import pytest

from serve.faults import house
from serve.faults.bodies import Asked, bad, exchange, good, send, wrong_tensors
from serve.process import running

MOST = 100_000


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("bodies")
    house.make(folder).close()
    with running(folder, target="serve.faults.house:application", max_bytes=MOST, body_seconds=5.0) as started:
        yield started


@pytest.mark.parametrize("protocol", good())
def test_a_body_that_does_not_fit_is_refused_plainly(server, protocol):
    one = good()[protocol]
    assert send(server, one)[0] == 200, send(server, one)
    connection = server.client()
    accepted = []
    for name, body in bad(one):
        status, told = exchange(connection, one._replace(body=body))
        assert status < 500, (name, status, told)
        assert b"Traceback (most" not in told
        if status == 200:
            accepted.append(name)
        else:
            assert json.loads(told), name
    connection.close()
    # What became no other request by being changed, such as a null where null is allowed, or a bool for a label.
    assert len(accepted) <= 12, accepted
    if "CSV" not in protocol:  # whose every text is a table
        broken = ("UTF-8", "deep", "NaN", "Infinity", "half", "nothing")
        assert not [name for name in accepted if any(word in name for word in broken)]
    assert send(server, one)[0] == 200


@pytest.mark.parametrize("binary", [False, True])
def test_a_tensor_that_does_not_fit_is_refused_plainly(server, binary):
    one = good()["V2 binary" if binary else "V2"]
    connection = server.client()
    for name, body in wrong_tensors():
        status, told = exchange(connection, one._replace(body=body))
        assert 400 <= status < 500, (name, status, told)
        assert json.loads(told)["error"]
    connection.close()


@pytest.mark.parametrize("protocol", good())
def test_a_body_that_is_too_large_is_refused(server, protocol):
    one = good()[protocol]
    for framing in ("content-length: 5000000000\r\n", "transfer-encoding: chunked\r\n"):
        with socket.create_connection(("127.0.0.1", server.port), timeout=30) as caller:
            head = f"POST {one.path} HTTP/1.1\r\nhost: x\r\n{framing}"
            head += "".join(f"{name}: {value}\r\n" for name, value in one.headers.items())
            caller.sendall(head.encode() + b"\r\n")
            if "chunked" in framing:
                piece = b"%x\r\n%s\r\n" % (10_000, b" " * 10_000)
                caller.sendall(piece * (2 * MOST // 10_000) + b"0\r\n\r\n")
            assert caller.recv(65536).startswith(b"HTTP/1.1 413")
    assert send(server, one)[0] == 200


def test_many_bodies_at_once_do_not_disturb_one_another(server):
    lines = [server.client() for _ in range(20)]
    for turn in range(5):
        for at, line in enumerate(lines):
            path = "/v1/endpoints/plain/predict" if at % 2 else "/v1/features/plane/push"
            line.request("POST", path, b"[" * 30_000 if turn % 2 else b"\xff")
        assert {line.getresponse().read()[:9] for line in lines} == {b'{"error":'}
    for line in lines:
        line.close()
    assert send(server, Asked(*good()["native"]))[0] == 200
