"""The commands that ask the endpoint, where it takes tokens and speaks TLS."""

from __future__ import annotations

import json
import threading
import time
from contextlib import closing, contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from tests.loop.shop import ORDER, command, copy_shop, serving
from tests.serve.test_tls import certify

from drivetrain.core.errors import NotReady, RequestError
from drivetrain.core.settings import ServeSettings
from drivetrain.loop.client import Client
from drivetrain.loop.project import Project


def test_predict_brings_its_token_over_tls(made_shop, tmp_path, monkeypatch):
    folder = copy_shop(made_shop, tmp_path / "shop")
    certify(folder, "own")
    toml = folder / "drivetrain.toml"
    files = 'tls_certificate = "own.pem"\ntls_key = "own.key"\ntls_ca = "own.pem"\naccess_log = "access.jsonl"\n'
    toml.write_text(toml.read_text().replace("[serve]\n", f'[serve]\ntokens = "on"\n{files}'))
    monkeypatch.chdir(folder)
    project = Project.load(folder)
    made = project.tokens.create("web", ["predict", "read"])
    monkeypatch.setenv("DRIVETRAIN_TOKEN", made.token)
    with serving(folder):
        told = json.loads(command(folder, "predict", json.dumps(ORDER), "--json").stdout)
        assert told["model_version"] == 1
        monkeypatch.chdir(tmp_path)
        assert project.predict(None, [ORDER])["model_version"] == 1
        monkeypatch.setenv("DRIVETRAIN_TOKEN", "dt_none")
        with pytest.raises(RequestError, match="not known"):
            project.predict(None, [ORDER])
    project.store.close()
    lines = [json.loads(line) for line in (folder / "access.jsonl").read_text().splitlines()]
    assert {line["token"] for line in lines if line["route"] == "predict" and line["status"] == 200} == {made.id}


@contextmanager
def answering(*answers):
    """A server that gives these answers, one after the other, and notes when it was asked; the last one for good."""
    left, asked = list(answers), []

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def do_POST(self):
            asked.append(time.monotonic())
            self.rfile.read(int(self.headers["content-length"]))
            status, headers, body = left.pop(0) if len(left) > 1 else left[0]
            self.send_response(status)
            for name, value in {**headers, "content-length": str(len(body))}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    try:
        yield ServeSettings(port=server.server_address[1]), asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


BUSY = (429, {"retry-after": "1"}, b'{"error": {"message": "more wait than may"}}')


def test_a_busy_server_is_asked_again_when_it_says():
    done = (200, {}, b'{"predictions": [1.0]}')
    with answering(BUSY, done) as (settings, asked), closing(Client(settings, patience=5)) as client:
        assert client.predict("late", [{}]) == {"predictions": [1.0]}
    assert asked[1] - asked[0] >= 1


def test_patience_that_would_end_first_is_not_waited_out():
    with (
        answering(BUSY) as (settings, asked),
        closing(Client(settings, patience=0.5)) as client,
        pytest.raises(NotReady, match="more wait than may"),
    ):
        client.predict("late", [{}])
    assert len(asked) == 1


@pytest.mark.parametrize(
    ("body", "words"),
    [(b'{"error": "said in a text"}', "said in a text"), (b"<html>", "no JSON"), (b"{}", "the endpoint answered 400")],
)
def test_a_refusal_of_any_shape_is_told(body, words):
    with (
        answering((400, {}, body)) as (settings, _),
        closing(Client(settings)) as client,
        pytest.raises(RequestError, match=words),
    ):
        client.call("POST", "/v2/models/late/infer", {})
