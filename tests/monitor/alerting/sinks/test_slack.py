"""What goes to Slack, against the limits that its documentation states.

https://docs.slack.dev/reference/block-kit/blocks/header-block (plain_text of at most 150 characters),
https://docs.slack.dev/reference/block-kit/blocks/section-block (text of 1 to 3000 characters),
https://docs.slack.dev/reference/block-kit/blocks (at most 50 in a message),
https://docs.slack.dev/messaging/formatting-message-text (``&``, ``<`` and ``>`` as entities)
"""

import re

import pytest
from jsonschema import validate

from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.sinks.slack import Slack, slack_body
from monitor.alerting.receivers import receiving
from monitor.alerting.windows import alert, message

SCHEMA = {
    "type": "object",
    "required": ["text", "blocks"],
    "additionalProperties": False,
    "properties": {
        "text": {"type": "string", "minLength": 1, "maxLength": 40_000},
        "blocks": {
            "type": "array",
            "minItems": 1,
            "maxItems": 50,
            "items": {
                "oneOf": [
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["type", "text"],
                        "properties": {
                            "type": {"const": "header"},
                            "text": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "type": {"const": "plain_text"},
                                    "text": {"type": "string", "minLength": 1, "maxLength": 150},
                                },
                            },
                        },
                    },
                    {
                        "type": "object",
                        "additionalProperties": False,
                        "required": ["type", "text"],
                        "properties": {
                            "type": {"const": "section"},
                            "text": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "type": {"const": "mrkdwn"},
                                    "text": {"type": "string", "minLength": 1, "maxLength": 3000},
                                },
                            },
                        },
                    },
                ]
            },
        },
    },
}


@pytest.mark.parametrize("words", ["short", "<!channel> & <@U1> " * 400, "&" * 5000])
@pytest.mark.parametrize("count", [1, 46, 300])
def test_any_message_is_one_that_slack_takes(words, count):
    body = slack_body(message(*(Told(alert(f"a{at}", message=words, cause="one"), "opened") for at in range(count))))
    validate(body, SCHEMA)
    for block in body["blocks"][1:]:
        text = block["text"]["text"].replace("|Open the alert>", "").replace("<https://trains.example/alerts/", "")
        assert not re.search(r"[<>]", text), "nothing of an alert is a command of Slack's"
        assert not re.search(r"&(?!amp;|lt;|gt;)", text), "no sign is cut in two"


def test_it_is_posted(monkeypatch):
    with receiving() as receiver:
        monkeypatch.setenv("SLACK_URL", receiver.url)
        sink = Slack("env:SLACK_URL")
        sink.send(message())
    assert sink.label == "slack SLACK_URL"
    (body,) = receiver.got
    validate(body, SCHEMA)
    assert body["blocks"][0]["text"]["text"] == "[flights] warning – opened: drift on late"
