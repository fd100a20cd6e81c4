"""Transformers before an estimator: which columns they take for numbers, which for texts."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.loop.adopt.calls import unwrapped
from drivetrain.loop.adopt.values import Made, Many, Text, Value, names_of

_OF_TEXTS = ("Encoder", "Binarizer", "Hasher", "Vectorizer")


def columns_of(before: Sequence[Made]) -> tuple[list[str], list[str], bool]:
    """Columns by what a ``ColumnTransformer`` does with them.

    Returns:
        Texts, numbers, and whether other columns pass too (or nothing is said).
    """
    texts: list[str] = []
    numbers: list[str] = []
    passes = True
    for made in before:
        name = made.path.rpartition(".")[2]
        if name == "ColumnTransformer":
            steps = made.given.get("transformers", made.given.get("0"))
            parts = (
                [step.items[1:3] for step in steps.items if isinstance(step, Many)] if isinstance(steps, Many) else []
            )
        elif name == "make_column_transformer":
            parts = [step.items[:2] for step in made.given.values() if isinstance(step, Many)]
        else:
            continue
        rest = made.given.get("remainder", Text("drop"))
        passes = not (isinstance(rest, Text) and rest.value == "drop")
        for part in parts:
            names = names_of(part[1]) if len(part) > 1 else None
            if names is None:
                passes = True
                continue
            (texts if _of_texts(part[0]) else numbers).extend(names)
    return texts, numbers, passes


def _of_texts(step: Value) -> bool:
    last, before = unwrapped(step)
    made = [*before, *([last] if last else [])]
    return any(one.path.rpartition(".")[2].endswith(_OF_TEXTS) for one in made)
