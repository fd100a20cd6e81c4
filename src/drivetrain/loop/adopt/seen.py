"""What was seen while a program was read."""

from __future__ import annotations

from dataclasses import dataclass, field

from drivetrain.loop.adopt.values import Column, Computed, Made, Mapped, Read, Rows, Scalar, Text, Value


@dataclass(frozen=True)
class Fit:
    """A fit: of what, to what.

    Attributes:
        model: The object that was fitted.
        rows: Its features.
        label: What it learns to tell.
        told: How that is computed.
    """

    model: Made
    rows: Rows | None
    label: Column | None
    told: Computed | None = None


@dataclass
class Seen:
    """Everything that a draft is made of.

    Attributes:
        reads: Files and tables, in the order in which they are read.
        fits: Fits, in order.
        splits: How rows were parted, as the program writes it; the time they were parted by, if it was time.
        metrics: Functions and names of metrics.
        times: Columns that are read or handled as moments.
        texts: Columns that are handled as categories or text.
        numbers: Columns that are scaled or computed with.
        columns: Every column that is named, in order.
        tensors: What is made a tensor of: features and labels of a network.
        networks: Networks that are made.
        losses: Losses that a network is trained by.
        by_time: Whether rows are parted by time.
        notes: What reading could not tell.
    """

    reads: list[Read] = field(default_factory=list)
    fits: list[Fit] = field(default_factory=list)
    splits: list[str] = field(default_factory=list)
    metrics: list[str] = field(default_factory=list)
    times: dict[str, None] = field(default_factory=dict)
    texts: dict[str, None] = field(default_factory=dict)
    numbers: dict[str, None] = field(default_factory=dict)
    columns: dict[str, None] = field(default_factory=dict)
    tensors: list[tuple[Rows | Column, Computed | None]] = field(default_factory=list)
    networks: list[Made] = field(default_factory=list)
    losses: list[str] = field(default_factory=list)
    by_time: bool = False
    notes: list[str] = field(default_factory=list)

    def note(self, text: str) -> None:
        """Says what could not be told, once."""
        if text not in self.notes:
            self.notes.append(text)


def parameters_of(given: dict[str, Value]) -> tuple[dict[str, Scalar], list[str]]:
    """Arguments that are plain, and the names of those that are not."""
    flat: dict[str, Value] = {}
    for name, value in given.items():
        flat |= value.items if isinstance(value, Mapped) and name in {"**", "params"} else {name: value}
    plain = {name: value.value for name, value in flat.items() if isinstance(value, Text) and not name.isdecimal()}
    return plain, [name for name in flat if name not in plain and not name.isdecimal()]
