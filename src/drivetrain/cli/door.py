"""What stands between a command and the terminal: errors in plain words, JSON, exit codes, progress."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec
from rich.console import Console

from drivetrain.core.errors import DrivetrainError

out = Console(highlight=False, soft_wrap=True)
err = Console(stderr=True, highlight=False, soft_wrap=True)


@contextmanager
def plain_errors(*, as_json: bool) -> Iterator[None]:
    """Turns what drivetrain raises into one message and its exit code; an interrupt into 130."""
    try:
        yield
    except DrivetrainError as error:
        if as_json:
            show_json({"error": {"message": str(error), "kind": type(error).__name__}})
        else:
            err.print(f"[bold red]✗[/] {_escape(str(error))}")
        raise SystemExit(error.exit_code) from None
    except KeyboardInterrupt:
        raise SystemExit(130) from None


def show_json(value: Any) -> None:  # noqa: ANN401 - whatever a command answers
    """Writes one JSON document to stdout."""
    sys.stdout.write(msgspec.json.format(msgspec.json.encode(value, enc_hook=str), indent=2).decode() + "\n")
    sys.stdout.flush()


def _escape(text: str) -> str:
    return text.replace("[", r"\[")
