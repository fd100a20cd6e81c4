"""Processes that die: a snippet runs in a child that is killed with SIGKILL, and tells what it had acknowledged.

The snippet calls :func:`armed` when its set-up is done; from then on the count or the clock runs::

    ending = run_killed('''
    from drivetrain.testing.kill import armed
    armed()
    for number in range(1000):
        work(number)
        print(number)      # an acknowledgement: a whole line that reached the parent
    ''', lines=7)
    assert ending.killed and everything_in(ending.lines)_is_there()
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

_ORDER = "DRIVETRAIN_TESTING_KILL"
_ARMED = "\x01armed"
_STEPS = "\x01steps "


@dataclass(frozen=True)
class Ending:
    """How a child ended."""

    lines: tuple[str, ...]
    """Whole lines it printed before it died."""
    killed: bool
    """Whether it was killed; else it came to its end."""
    steps: int = 0
    """How many steps it took after :func:`armed`; only known of one that came to its end with ``steps`` given."""


def run_killed(
    code: str,
    *arguments: str,
    steps: int | None = None,
    fsyncs: int | None = None,
    lines: int | None = None,
    seconds: float | None = None,
) -> Ending:
    """Runs Python code in a child and kills it.

    Args:
        code: The snippet; ``sys.argv[1:]`` are the arguments.
        *arguments: For the snippet.
        steps: Dies by its own hand at this many calls and returns, of Python or C functions, after :func:`armed`: the
            same instant every time.
        fsyncs: Dies by its own hand just before its nth ``os.fsync`` or ``os.fdatasync`` after :func:`armed`.
        lines: Is killed when this many lines have arrived.
        seconds: Is killed this long after :func:`armed`.

    Returns:
        What it printed, and whether it came to its end first.

    Raises:
        AssertionError: It failed by itself; the message is its traceback.
    """
    order = {name: value for name, value in (("steps", steps), ("fsyncs", fsyncs)) if value is not None}
    environment = {**os.environ, _ORDER: json.dumps(order), "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    printed: list[str] = []
    found = 0
    with subprocess.Popen(  # noqa: S603 - our own interpreter on the test's own code
        [sys.executable, "-u", "-c", code, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env=environment,
    ) as child:
        errors: list[str] = []
        assert child.stdout is not None and child.stderr is not None  # noqa: PT018 - both are pipes, see above
        drain = threading.Thread(target=errors.extend, args=(child.stderr,))
        drain.start()
        timer = threading.Timer(seconds or 0.0, child.kill)
        for line in child.stdout:
            if not line.endswith("\n"):
                break
            if line.startswith(_ARMED) and seconds is not None:
                timer.start()
            elif line.startswith(_STEPS):
                found = int(line.removeprefix(_STEPS))
            elif not line.startswith(_ARMED):
                printed.append(line.removesuffix("\n"))
                if len(printed) == lines:
                    child.kill()
        status = child.wait()
        timer.cancel()
        drain.join()
    assert status in {0, -signal.SIGKILL}, "".join(errors)
    return Ending(tuple(printed), killed=status != 0, steps=found)


def armed() -> None:
    """Called by the child when its set-up is done: from here on it may die."""
    order: dict[str, int] = json.loads(os.environ.get(_ORDER, "{}"))
    _say(_ARMED)
    if "fsyncs" in order:
        countdown = _Countdown(order["fsyncs"])
        os.fsync = countdown.before(os.fsync)
        os.fdatasync = countdown.before(os.fdatasync)
    if "steps" in order:
        countdown = _Countdown(order["steps"])
        threading.setprofile(countdown.step)
        sys.setprofile(countdown.step)


def disarmed() -> None:
    """Called by a child that lived to its end: says how many steps it took, so that a test can choose among them."""
    counting = sys.getprofile()
    sys.setprofile(None)
    countdown = getattr(counting, "__self__", None)
    if isinstance(countdown, _Countdown):
        _say(f"{_STEPS}{countdown.taken}")


class _Countdown:
    """Kills its own process at the nth event."""

    def __init__(self, at: int) -> None:
        self._at = at
        self.taken = 0

    def step(self, *_: object) -> None:
        self.taken += 1
        if self.taken == self._at:
            os.kill(os.getpid(), signal.SIGKILL)

    def before(self, function: Callable[..., Any]) -> Callable[..., Any]:
        def counted(*arguments: object) -> object:
            self.step()
            return function(*arguments)

        return counted


def _say(line: str) -> None:
    sys.stdout.write(line + "\n")
    sys.stdout.flush()
