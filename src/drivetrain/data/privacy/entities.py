"""Names of people and places in free text, told by an adapter that knows language."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Protocol

from drivetrain.core import plugins
from drivetrain.data.privacy.span import Kind, Span


class Entities(Protocol):
    """Finds them."""

    def find(self, texts: Sequence[str]) -> Iterable[list[tuple[Kind, int, int, float, str]]]:
        """Of each text: kind, first character, after the last, how sure (0 to 1), and why."""
        ...


def entities(model: str) -> Entities:
    """What finds them with a language model.

    Args:
        model: A spaCy model that is installed, such as ``en_core_web_sm``.

    Raises:
        MissingExtra: Presidio, or the model, is not installed.
    """
    found: Entities = plugins.load("entities", "presidio")(model)
    return found


def entity_rows(entities: Entities, texts: Sequence[str]) -> list[tuple[int, Span]]:
    """Names in many texts: the text's number, and the span in its UTF-8."""
    return [
        (place, Span(kind, len(text[:start].encode()), len(text[:end].encode()), score, why))
        for place, (text, found) in enumerate(zip(texts, entities.find(texts), strict=True))
        for kind, start, end, score, why in found
    ]
