"""Every error drivetrain raises on purpose.

    DrivetrainError                 exit code 1
    ├── UsageError                  exit code 2: the caller can mend the call
    │   ├── SettingsError           a setting that does not parse or contradicts another
    │   ├── ProjectError            project.py does not load, or declares something impossible
    │   ├── UnknownName             a name nothing goes by
    │   ├── NameTaken               a name that something goes by already
    │   └── MissingExtra            an optional library that is not installed
    ├── RefusedError                a rule said no
    │   ├── ContractBreach          a contract with policy "fail" met rows that break it
    │   ├── GateRefused             a gate said no to a model version
    │   └── SignatureRefused        a model version is not what was signed, or nobody signed it
    ├── SourceError                 raw rows can't be read
    │   └── SourceAway              they can't be read now: trying again may help
    ├── FeatureError                a feature can't be computed as declared
    ├── TrainingError               a fit can't be made from what it was given
    ├── SinkAway                    nobody takes an alert now: it is kept and told later
    ├── StoreError                  state can't be read or written
    │   ├── CorruptBlob             bytes that do not match their digest
    │   ├── Conflict                somebody else changed the record first
    │   └── LeaseLost               a lease ran out, or another holder has it
    └── RequestError                a request the endpoint can't take (HTTP 4xx)
        ├── NotFound                404
        ├── Overloaded              429
        └── NotReady                503

A message says what was found, what was expected, and what to do next.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar


class DrivetrainError(Exception):
    """Something drivetrain can say plainly.

    Args:
        what: The sentence that names the thing and what is wrong with it, without a final stop.
        found: What was there.
        expected: What should have been there.
        do: The next step for whoever reads it.
    """

    exit_code: ClassVar[int] = 1

    def __init__(self, what: str, *, found: object = None, expected: object = None, do: str | None = None) -> None:
        self.what = what
        self.found = found
        self.expected = expected
        self.do = do
        super().__init__(what, found, expected, do)

    def __reduce__(self) -> tuple[Callable[..., object], tuple[object, ...]]:
        return _rebuilt, (type(self), self.__dict__)

    def __str__(self) -> str:
        parts = [self.what.rstrip(".")]
        if self.found is not None:
            parts.append(f"found {self.found}")
        if self.expected is not None:
            parts.append(f"expected {self.expected}")
        sentence = "; ".join(parts) + "."
        return f"{sentence} {self.do.rstrip('.')}." if self.do else sentence


def _rebuilt(kind: type[DrivetrainError], state: dict[str, object]) -> DrivetrainError:
    """An error that crosses to another process: its constructor takes what pickle can't pass on."""
    error = kind.__new__(kind, state["what"], state["found"], state["expected"], state["do"])
    error.__dict__.update(state)
    return error


class UsageError(DrivetrainError):
    """The call itself is wrong; nothing was done."""

    exit_code = 2


class SettingsError(UsageError):
    """A setting that does not parse or contradicts another."""


class ProjectError(UsageError):
    """The project file does not load, or declares something impossible."""


class UnknownName(UsageError):
    """A name nothing goes by."""


class NameTaken(UsageError):
    """A name that something goes by already."""


class MissingExtra(UsageError):
    """An optional library that is not installed."""


class RefusedError(DrivetrainError):
    """A rule said no."""


class ContractBreach(RefusedError):
    """A contract with policy ``fail`` met rows that break it."""


class GateRefused(RefusedError):
    """A gate said no to a model version."""


class SignatureRefused(RefusedError):
    """A model version is not what was signed, or nobody signed it."""


class SourceError(DrivetrainError):
    """Raw rows can't be read."""


class SourceAway(SourceError):
    """Raw rows can't be read now; trying again may help.

    Args:
        what: As for every error.
        found: What was there.
        expected: What should have been there.
        do: The next step for whoever reads it.
        after: Seconds that whoever is asked wants to be left alone, if it said so.
    """

    def __init__(
        self,
        what: str,
        *,
        found: object = None,
        expected: object = None,
        do: str | None = None,
        after: float | None = None,
    ) -> None:
        super().__init__(what, found=found, expected=expected, do=do)
        self.after = after


class FeatureError(DrivetrainError):
    """A feature can't be computed as declared."""


class TrainingError(DrivetrainError):
    """A fit can't be made from what it was given."""


class SinkAway(DrivetrainError):
    """Nobody takes an alert now; it is kept and told later.

    Args:
        what: As for every error.
        found: What was there.
        expected: What should have been there.
        do: The next step for whoever reads it.
        after: Seconds that whoever is told wants to be left alone, if it said so.
    """

    def __init__(
        self,
        what: str,
        *,
        found: object = None,
        expected: object = None,
        do: str | None = None,
        after: float | None = None,
    ) -> None:
        super().__init__(what, found=found, expected=expected, do=do)
        self.after = after


class StoreError(DrivetrainError):
    """State can't be read or written."""


class CorruptBlob(StoreError):
    """Bytes that do not match their digest."""


class Conflict(StoreError):
    """Somebody else changed the record first."""


class LeaseLost(StoreError):
    """A lease ran out, or another holder has it."""


class RequestError(DrivetrainError):
    """A request the endpoint can't take.

    Args:
        what: As for every error.
        field: Path of the offending field, for example ``instances[0].carrier``.
        found: What was there.
        expected: What should have been there.
        do: The next step for whoever reads it.
    """

    status: ClassVar[int] = 422

    def __init__(
        self,
        what: str,
        *,
        field: str | None = None,
        found: object = None,
        expected: object = None,
        do: str | None = None,
    ) -> None:
        super().__init__(what, found=found, expected=expected, do=do)
        self.field = field


class NotFound(RequestError):
    """No endpoint, model or record by that name."""

    status = 404


class Overloaded(RequestError):
    """More is waiting than the endpoint may hold."""

    status = 429


class NotReady(RequestError):
    """The endpoint has no version it may serve."""

    status = 503
