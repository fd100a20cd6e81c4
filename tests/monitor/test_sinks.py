import json
import logging
import socket
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import Alert
from drivetrain.monitor.sinks import Courier, Sinks, WebhookSink
from drivetrain.monitor.spec import Webhook


def alert(number=1, **more) -> Alert:
    return Alert(**{"id": f"a{number}", "endpoint": "late", "rule": "drift", "message": f"words {number}"} | more)


@pytest.fixture
def receiver():
    """A real web server: answers what it is told to, then 200, and keeps what it got."""
    got, answers, seen = [], [], threading.Event()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self):
            body = self.rfile.read(int(self.headers["Content-Length"]))
            got.append((json.loads(body), dict(self.headers)))
            self.send_response(answers.pop(0) if answers else 200)
            self.end_headers()
            seen.set()

        def log_message(self, format, *arguments):
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        yield f"http://127.0.0.1:{server.server_port}/hook", got, answers
        server.shutdown()
        thread.join()


def closed_port() -> int:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return taken.getsockname()[1]


def test_a_webhook_gets_the_alert_as_json(receiver):
    url, got, _ = receiver
    sinks = Sinks([Webhook(url=url, headers={"Authorization": "Bearer x"})])
    sinks.send(alert())
    sinks.send(alert(2, severity="info"))
    assert sinks.close()
    ((body, headers),) = got
    assert body["message"] == "words 1"
    assert headers["Authorization"] == "Bearer x"
    assert headers["Idempotency-Key"] == "a1:warning:open"


def test_a_receiver_that_fails_is_tried_again_in_order(receiver):
    url, got, answers = receiver
    answers += [500, 503]
    pauses = []
    courier = Courier(WebhookSink(Webhook(url=url)), pause=pauses.append)
    courier.send(alert(1))
    courier.send(alert(2))
    assert courier.close()
    assert [body["id"] for body, _ in got] == ["a1", "a1", "a1", "a2"]
    assert pauses == [1.0, 2.0]


def test_a_receiver_that_is_away_holds_nobody_up_and_is_given_up_in_the_log(caplog):
    url = f"http://127.0.0.1:{closed_port()}/"
    with pytest.raises(DrivetrainError, match="can't be reached"):
        WebhookSink(Webhook(url=url)).send(alert())
    courier = Courier(WebhookSink(Webhook(url=url)), attempts=3, pause=lambda seconds: None)
    courier.send(alert())
    assert courier.close()
    assert "given up after 3 attempts; the alert stays in the catalog: words 1" in caplog.text


def test_a_full_queue_never_waits(caplog):
    hold = threading.Event()

    class Stuck:
        def send(self, alert):
            hold.wait()

    courier = Courier(Stuck(), room=1)
    for number in range(5):
        courier.send(alert(number))
    assert "stays in the catalog only" in caplog.text
    assert not courier.close(0.0)
    hold.set()


def test_the_log_tells_everything(caplog):
    with caplog.at_level(logging.INFO):
        sinks = Sinks()
        sinks.send(alert(severity="critical"))
        sinks.send(alert(2, state="resolved"))
        assert sinks.close()
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "words 1"),
        ("INFO", "resolved: words 2"),
    ]
