"""Secrets of sinks: named in the project as ``env:NAME``, read when they are used, and kept out of every message."""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Mapping

from drivetrain.core.errors import ProjectError, SinkAway

_NAMED = re.compile(r"env:[A-Za-z_][A-Za-z0-9_]*")
_HIDDEN = "•••"
_SHORTEST = 4
"""Characters from which on a text is taken for the secret itself."""


def named(text: str) -> bool:
    """Whether a text names an environment variable.

    Example:
        >>> named("env:SLACK_URL"), named("hunter2")
        (True, False)
    """
    return _NAMED.fullmatch(text) is not None


def require_named(text: str, what: str) -> None:
    """Refuses a secret that stands in the project itself.

    Raises:
        ProjectError: It does; the message does not repeat it.
    """
    if not named(text):
        raise ProjectError(
            f"{what} is a secret, and a secret does not belong into the project's code",
            expected="the name of an environment variable, such as env:ALERTS_SECRET",
        )


def reveal(text: str, environment: Mapping[str, str] | None = None) -> str:
    """The secret that a text names; any other text as it is.

    Raises:
        SinkAway: The variable is not set.
    """
    if not named(text):
        return text
    variable = text.removeprefix("env:")
    value = (os.environ if environment is None else environment).get(variable, "")
    if not value:
        raise SinkAway(f"the environment variable {variable} is not set", do="Set it where the watch runs")
    return value


def hide(message: str, secrets: Iterable[str]) -> str:
    """A message without the secrets that may have got into it.

    Example:
        >>> hide("can't reach https://hooks.example/T0/s3cret", ["https://hooks.example/T0/s3cret"])
        "can't reach •••"
    """
    for secret in sorted(secrets, key=len, reverse=True):
        if len(secret) >= _SHORTEST:
            message = message.replace(secret, _HIDDEN)
    return message
