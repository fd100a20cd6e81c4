"""Alerts in a Slack channel, or in whatever takes Slack's incoming webhooks (Mattermost, Rocket.Chat, Zulip)."""

from __future__ import annotations

from dataclasses import KW_ONLY, dataclass
from typing import Any

from drivetrain.core.records import Severity
from drivetrain.monitor.alerting.message import Message, lines, link, paragraphs
from drivetrain.monitor.alerting.secret import require_named
from drivetrain.monitor.alerting.sinks.post import post
from drivetrain.monitor.alerting.sinks.sink import PATIENCE, Posted, check_address, check_sink, label_of

HEADER, SECTION, BLOCKS = 150, 3000, 50
"""Characters of a header and of a section, and blocks of a message, that Slack takes.

https://docs.slack.dev/reference/block-kit/blocks/header-block, …/section-block, …/messaging/formatting-message-text
"""


@dataclass(frozen=True, repr=False)
class Slack(Posted):
    """A channel's incoming webhook; what happens in one look is one message.

    Attributes:
        url: ``env:NAME`` of the variable that holds the webhook's address: whoever knows it can write to the channel.
        least: The lowest severity told.
        timeout: Seconds to wait for an answer.
        name: What it goes by on pages.
        patience: How long a message is tried before it is given up.
    """

    url: str
    _: KW_ONLY
    least: Severity = "warning"
    timeout: float = 5.0
    name: str = ""
    patience: str = PATIENCE

    def __post_init__(self) -> None:
        if "hooks.slack.com" in self.url:
            require_named(self.url, "the address of a Slack webhook")
        check_address(self.url, "a Slack webhook")
        check_sink(self.least, self.patience)

    @property
    def label(self) -> str:
        """What it goes by."""
        return label_of("slack", self.name, self.url)

    def send(self, message: Message) -> None:
        """Posts a message; raises what :func:`post` raises."""
        post(self.label, self.url, slack_body(message), timeout=self.timeout)


def slack_body(message: Message) -> dict[str, Any]:
    """A message in Slack's blocks, with the same as text for notifications."""
    blocks: list[dict[str, Any]] = [
        {"type": "header", "text": {"type": "plain_text", "text": _cut(message.title, HEADER)}}
    ]
    if message.shared:
        blocks.append(_section(f"*Shared cause:* {escape(message.shared)}"))
    for one in message.told[: BLOCKS - 4]:
        first, *rest = lines(message, one)
        address = link(message, one.alert)
        words = [f"*{escape(first)}*", *(_line(text) for text in rest if not text.startswith("Page: "))]
        if address:
            words.append(f"<{address}|Open the alert>")
        blocks.append(_section("\n".join(words)))
    left = len(message.told) - (BLOCKS - 4)
    if left > 0:
        blocks.append(_section(f"And {left} more; `drivetrain status` lists every one."))
    return {"text": _cut(escape(message.title + "\n" + "\n\n".join(paragraphs(message))), SECTION), "blocks": blocks}


def escape(text: str) -> str:
    """Text in which nothing is a command of Slack's: no link, no mention, no channel.

    Example:
        >>> escape("a < b & <!channel>")
        'a &lt; b &amp; &lt;!channel&gt;'
    """
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def _line(text: str) -> str:
    head, mark, rest = text.partition(": ")
    if head == "More":
        return f"More: `{escape(rest)}`"
    return f"_{escape(head)}:_ {escape(rest)}" if mark else escape(text)


def _section(text: str) -> dict[str, Any]:
    return {"type": "section", "text": {"type": "mrkdwn", "text": _cut(text, SECTION)}}


def _cut(text: str, most: int) -> str:
    """Text of at most so many characters; an escaped sign is not cut in two."""
    if len(text) <= most:
        return text
    kept = text[: most - 1]
    mark = kept.rfind("&")
    return (kept[:mark] if mark > most - 8 and ";" not in kept[mark:] else kept) + "…"
