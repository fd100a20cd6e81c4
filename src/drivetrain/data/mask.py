"""A value as it may be shown to people who must not know it."""

from __future__ import annotations


def masked(text: str) -> str:
    """A value that may be shown: first and last letter stand, shape and length too.

    Example:
        >>> masked("ada@example.org")
        'a**@*******.**g'
    """
    inner = "".join("*" if letter.isalnum() else letter for letter in text)
    return inner if len(text) < 5 else text[0] + inner[1:-1] + text[-1]
