"""Boosted trees as plain numbers: what an adapter that fits them hands to one that serves them."""

from __future__ import annotations

from typing import Literal

import msgspec

Link = Literal["identity", "sigmoid", "softmax", "exp"]
"""From the sum of the trees to the prediction."""


OUTPUTS = "drivetrain.outputs"
"""Key of a graph's metadata: how many numbers an answer has. Of two columns without it the second is the answer."""


class Branch(msgspec.Struct, frozen=True):
    """A node that asks about one feature. A child is another branch's position, or ``~leaf`` (negative)."""

    feature: int
    left: int
    """Where a row goes of which the answer is yes."""
    right: int
    threshold: float = 0.0
    """Yes where the value is at most this, or below it (see :attr:`Trees.strict`)."""
    members: tuple[float, ...] = ()
    """If there are any: yes where the value is one of these category codes (whole numbers), whatever the threshold."""
    null_left: bool = False
    """Whether the answer is yes of a null."""


class Tree(msgspec.Struct, frozen=True):
    """Its first branch is the root; a tree of one leaf has none."""

    branches: tuple[Branch, ...]
    leaves: tuple[float, ...]
    output: int = 0
    """Which of the outputs its leaf is added to."""


class Trees(msgspec.Struct, frozen=True, kw_only=True):
    """An ensemble: the link of (base + the leaf that each tree leads to) × scale."""

    width: int
    """Features of a row."""
    trees: tuple[Tree, ...]
    base: tuple[float, ...]
    """What an output begins with; one number an output."""
    link: Link = "identity"
    scale: float = 1.0
    strict: bool = False
    """Whether a threshold is met by values below it only."""
    bits: Literal[32, 64] = 64
    """Of the floats in which the library that fitted them compares and adds."""
