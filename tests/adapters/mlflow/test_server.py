"""What is sent to an MLflow server, and what is made of its answers: a stand-in writes all of it down."""

from __future__ import annotations

import base64
import io
import json
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from drivetrain.adapters.mlflow import connection
from drivetrain.adapters.mlflow.layout import in_yaml
from drivetrain.adapters.mlflow.server import MlflowServer
from drivetrain.core.errors import RefusedError, SettingsError, StoreError, UnknownName, UsageError
from serve.test_tls import certify

ROOT = "mlflow-artifacts:/3/r1/artifacts"


class StandIn(BaseHTTPRequestHandler):
    """Answers what it was told to, and keeps what it was asked."""

    protocol_version = "HTTP/1.1"

    def _any(self) -> None:
        body = self.rfile.read(int(self.headers.get("content-length") or 0))
        self.server.asked.append((self.command, self.path, self.headers.get("authorization"), body))
        status, said = self.server.answers.pop(0) if self.server.answers else (200, b"{}")
        self.send_response(status)
        if 300 <= status < 400:
            self.send_header("location", "http://elsewhere.example/")
        self.send_header("content-length", str(len(said)))
        self.end_headers()
        self.wfile.write(said)

    do_GET = do_POST = do_PUT = do_PATCH = _any  # noqa: N815 - http.server's names

    def log_message(self, *_: object) -> None:
        """Says nothing."""


@contextmanager
def stand_in(tls: tuple[str, str] | None = None) -> Iterator[ThreadingHTTPServer]:
    server = ThreadingHTTPServer(("127.0.0.1", 0), StandIn)
    server.asked, server.answers = [], []
    if tls:
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(*tls)
        server.socket = context.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,))
    thread.start()
    try:
        yield server
    finally:
        server.shutdown()
        server.server_close()
        thread.join()


@pytest.fixture
def peer(monkeypatch):
    monkeypatch.setattr(connection, "_WAIT", 0.001)
    with stand_in() as server:
        server.address = f"http://127.0.0.1:{server.server_port}"
        yield server


@pytest.mark.parametrize(
    ("variables", "header"),
    [
        ({}, None),
        ({"MLFLOW_TRACKING_TOKEN": "t0"}, "Bearer t0"),
        (
            {"MLFLOW_TRACKING_USERNAME": "ö", "MLFLOW_TRACKING_PASSWORD": "p:w"},
            f"Basic {base64.b64encode('ö:p:w'.encode()).decode()}",
        ),
    ],
)
def test_who_asks_is_told_by_the_environment(peer, monkeypatch, variables, header):
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    server = MlflowServer(f"{peer.address}/behind/a/path/")
    server.get("runs/get", {"run_id": "a b"})
    server.call("POST", "runs/log-batch", {"run_id": "r"})
    server.send(ROOT, "ü/a b.txt", io.BytesIO(b"\x00data"))
    assert [one[:3] for one in peer.asked] == [
        ("GET", "/behind/a/path/api/2.0/mlflow/runs/get?run_id=a+b", header),
        ("POST", "/behind/a/path/api/2.0/mlflow/runs/log-batch", header),
        ("PUT", "/behind/a/path/api/2.0/mlflow-artifacts/artifacts/3/r1/artifacts/%C3%BC/a%20b.txt", header),
    ]
    assert json.loads(peer.asked[1][3]) == {"run_id": "r"}
    assert peer.asked[2][3] == b"\x00data"
    server.close()


def test_no_password_goes_over_an_open_line_or_stays_in_an_address(monkeypatch):
    with pytest.raises(UsageError, match="an address with a password in it") as told:
        MlflowServer("https://me:secret@host:5000")
    assert "secret" not in str(told.value)
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0")
    with pytest.raises(SettingsError, match="anybody on the way can read it"):
        MlflowServer("http://mlflow.example:5000")
    for bad in ("mlflow.example", "ftp://host", "http://", "http://host:port", "databricks"):
        with pytest.raises(UsageError, match=r"not the address|not a port"):
            MlflowServer(bad)


def test_tls_trusts_the_authority_that_is_named_and_no_other(monkeypatch, tmp_path):
    monkeypatch.setenv("MLFLOW_TRACKING_TOKEN", "t0")
    certificate, key = certify(tmp_path, "host")
    with stand_in((certificate, key)) as peer:
        address = f"https://127.0.0.1:{peer.server_port}"
        with pytest.raises(StoreError, match="is not trusted"):
            MlflowServer(address).get("experiments/search")
        assert peer.asked == []
        monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", certificate)
        server = MlflowServer(address)
        assert server.get("experiments/search") == {}
        server.close()
    monkeypatch.setenv("MLFLOW_TRACKING_SERVER_CERT_PATH", key)
    with pytest.raises(SettingsError, match="can't be used"):
        MlflowServer(address)


def test_away_for_a_moment_it_is_asked_again_and_then_told(peer):
    server = MlflowServer(peer.address)
    peer.answers[:] = [(503, b""), (429, b""), (200, b'{"a": 1}')]
    assert server.get("x") == {"a": 1}
    assert len(peer.asked) == 3
    peer.answers[:] = [(503, b"busy")] * 5
    with pytest.raises(StoreError, match="answers 503"):
        server.get("x")
    server.close()


def test_refusals_are_told_in_the_servers_words(peer):
    server = MlflowServer(peer.address)
    said = json.dumps({"error_code": "INVALID_PARAMETER_VALUE", "message": "Bad filter.\nTraceback"}).encode()
    for status, kind, words in (
        (400, RefusedError, "refuses: Bad filter"),
        (401, RefusedError, "does not let us in"),
        (404, UnknownName, "has no such thing: Bad filter"),
        (500, StoreError, "refuses: Bad filter"),
        (302, StoreError, "sends us elsewhere"),
    ):
        peer.answers[:] = [(status, said)]
        with pytest.raises(kind, match=words) as told:
            server.get("runs/search")
        assert "Traceback" not in str(told.value)
        server.close()
    peer.answers[:] = [(200, b"<html>")]
    with pytest.raises(StoreError, match="is no MLflow server"):
        server.get("x")
    peer.answers[:] = [(404, b"{}")]
    assert server.find("x") is None
    server.close()


def test_files_are_listed_as_deep_as_they_lie_and_no_deeper_than_any(peer):
    server = MlflowServer(peer.address)
    peer.answers[:] = [
        (200, b'{"files": [{"path": "a", "is_dir": true}, {"path": "b.txt", "file_size": "3"}]}'),
        (200, b'{"files": [{"path": "a/c.bin", "file_size": 5}]}'),
    ]
    assert sorted(server.files(ROOT)) == [("a/c.bin", 5), ("b.txt", 3)]
    assert peer.asked[1][1].endswith("?path=3%2Fr1%2Fartifacts%2Fa")
    peer.answers[:] = [(200, b'{"files": [{"path": "a", "is_dir": true}]}')] * 100
    with pytest.raises(StoreError, match="more files than are taken in"):
        list(server.files(ROOT))
    with pytest.raises(RefusedError, match="does not keep these files itself"):
        list(server.files("s3://bucket/3"))
    server.close()


def test_a_file_that_comes_again_is_not_added_to_what_came_before(peer):
    server, into = MlflowServer(peer.address), io.BytesIO(b"what was there before, and longer")
    peer.answers[:] = [(200, b"new")]
    server.fetch(ROOT, "a", into)
    assert into.getvalue() == b"new"
    server.close()


texts = st.text(st.characters(exclude_categories=["Cs", "Cc"]), max_size=20)
leaves = st.none() | st.booleans() | st.integers(-(2**40), 2**40) | texts
trees = st.recursive(leaves, lambda inner: st.lists(inner, max_size=3) | st.dictionaries(texts, inner, max_size=3))


@given(st.dictionaries(texts | st.sampled_from(["null", "y", "No", "1e5"]), trees, max_size=4))
def test_what_is_written_is_what_yaml_reads(said):
    assert yaml.safe_load(in_yaml(said)) == said
