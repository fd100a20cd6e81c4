"""Webhooks against a real web server, and every way it may fail."""

import logging

import msgspec
import pytest

from drivetrain.core.errors import SinkAway
from drivetrain.core.records import Alert
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.secret import hide, reveal
from drivetrain.monitor.alerting.sinks.log import tell_log
from drivetrain.monitor.alerting.sinks.webhook import Webhook
from monitor.alerting.receivers import closed_port, receiving
from monitor.alerting.windows import alert, message


def test_a_webhook_gets_a_look_as_one_document(monkeypatch):
    monkeypatch.setenv("HOOK_TOKEN", "hunter2")
    with receiving() as receiver:
        sent = message(Told(alert("a"), "opened"), Told(alert("b", state="resolved"), "resolved"))
        Webhook(receiver.url, headers={"Authorization": "env:HOOK_TOKEN"}).send(sent)
    (body,), (headers,) = receiver.got, receiver.headers
    assert [one["event"] for one in body["alerts"]] == ["opened", "resolved"]
    assert msgspec.convert(body["alerts"][0]["alert"], Alert) == alert("a")
    assert body["alerts"][0]["link"] == "https://trains.example/alerts/a"
    assert body["title"] == sent.title
    assert headers["Authorization"] == "hunter2"
    assert headers["Idempotency-Key"] == "a:opened:warning+b:resolved:warning"


@pytest.mark.parametrize(
    ("status", "headers", "after"), [(500, {}, None), (429, {"Retry-After": "7"}, 7.0), (404, {}, None)]
)
def test_an_answer_that_is_an_error_is_said_without_the_address(status, headers, after):
    with receiving() as receiver:
        receiver.answers.append((status, headers))
        with pytest.raises(SinkAway) as raised:
            Webhook(receiver.url).send(message())
    assert raised.value.after == after
    assert f"HTTP {status}" in str(raised.value)
    assert "s3cret" not in str(raised.value)


def test_a_receiver_that_is_away_is_said_without_the_address():
    url = f"http://127.0.0.1:{closed_port()}/T0/s3cret-path"
    with pytest.raises(SinkAway, match="can't be reached") as raised:
        Webhook(url).send(message())
    assert "s3cret" not in str(raised.value)


def test_an_address_in_a_variable_is_read_when_it_is_used(monkeypatch):
    hook = Webhook("env:HOOK")
    assert hook.label == "webhook HOOK"
    with pytest.raises(SinkAway, match="HOOK is not set"):
        hook.send(message())
    monkeypatch.setenv("HOOK", "file:///etc/passwd")
    with pytest.raises(SinkAway, match="no web address"):
        hook.send(message())
    with receiving() as receiver:
        monkeypatch.setenv("HOOK", receiver.url)
        hook.send(message())
    assert len(receiver.got) == 1


def test_an_address_that_can_not_be_parsed_is_no_crash_and_no_leak(monkeypatch):
    monkeypatch.setenv("HOOK", "http://exa mple/s3cret path\n")
    with pytest.raises(SinkAway) as raised:
        Webhook("env:HOOK").send(message())
    assert "s3cret" not in str(raised.value)


def test_secrets_are_hidden_the_longest_first():
    assert hide("a http://h/abcd abcd", ["abcd", "http://h/abcd"]) == "a ••• •••"
    assert reveal("env:A", {"A": "x"}) == "x"
    assert reveal("plain") == "plain"


def test_the_log_tells_everything(caplog):
    with caplog.at_level(logging.INFO, "drivetrain.alerts"):
        tell_log(
            [
                Told(alert("1", severity="critical"), "opened"),
                Told(alert("2", state="resolved"), "resolved"),
                Told(alert("3"), "still open"),
            ]
        )
    assert [(record.levelname, record.message) for record in caplog.records] == [
        ("ERROR", "words of 1"),
        ("INFO", "resolved: words of 2"),
        ("WARNING", "still open: words of 3"),
    ]
