"""Contributions in words, for whoever the answer is about and is no engineer."""

from __future__ import annotations

from math import exp, isnan

from drivetrain.core.records import Field
from drivetrain.serve.explain.unit import Unit

_SURE = 1e6
"""Factors beyond it are only called large."""

_PLAIN = 1e15


def sentence(field: Field, value: object, encoded: float, contribution: float, unit: Unit, output: str = "") -> str:
    """One plain sentence about one feature of one answer.

    Args:
        field: The feature.
        value: Its value as it was looked up; ``None`` for unknown.
        encoded: The same as the model sees it.
        contribution: What it adds to the margin.
        unit: What that is measured in.
        output: Which of several classes it is about, such as ``class 2``.

    Example:
        >>> sentence(Field("dep_delay"), 42, 42.0, 1.1314, "log-odds")
        'dep_delay is 42: raises the odds by a factor of 3.1.'
        >>> sentence(Field("distance"), None, float("nan"), -3.2, "target")
        'distance is unknown: takes 3.2 off the prediction.'
    """
    return (
        f"{field.description or field.name} is {_said(field, value, encoded)}: {_effect(contribution, unit, output)}."
    )


def word_sentence(word: str, contribution: float, unit: Unit, output: str = "") -> str:
    """One plain sentence about one word of a text; as :func:`sentence`.

    Example:
        >>> word_sentence("'free'", 1.3083, "log-odds")
        "'free' raises the odds by a factor of 3.7."
    """
    return f"{word} {_effect(contribution, unit, output)}."


def _said(field: Field, value: object, encoded: float) -> str:
    if value is None:
        return "unknown"
    if field.type == "category":
        return f"{value}, never seen in training" if isnan(encoded) else str(value)
    if field.type == "text":
        return f"a text of {_number(encoded)} character{'' if encoded == 1 else 's'}"
    if field.type == "boolean":
        return "true" if encoded else "false"
    return _number(encoded)


def _effect(contribution: float, unit: Unit, output: str) -> str:
    up = contribution > 0
    if unit in {"log-odds", "log of the target"}:
        what = "odds" if unit == "log-odds" else "prediction"
        factor = exp(min(abs(contribution), 50.0))
        told = f"more than {_SURE:.0f}" if factor > _SURE else _short(factor, 2)
        changes = told != "1"
        effect = f"{'raises' if up else 'lowers'} the {what}{_of(output)} by a factor of {told}"
    elif unit == "probability":
        told = _short(abs(contribution) * 100, 1)
        changes = told != "0"
        points = f"{told} percentage point{'' if told == '1' else 's'}"
        effect = f"{f'adds {points} to' if up else f'takes {points} off'} the chance{_of(output)}"
    else:
        told = _number(float(f"{abs(contribution):.3g}"))
        changes = contribution != 0
        effect = f"{f'adds {told} to' if up else f'takes {told} off'} the prediction{_of(output)}"
    return effect if changes else "makes no difference"


def _of(output: str) -> str:
    return f" of {output}" if output else ""


def _short(number: float, digits: int) -> str:
    return f"{number:.0f}" if number >= 10 else f"{number:.{digits}f}".rstrip("0").rstrip(".")


def _number(number: float) -> str:
    whole = abs(number) < _PLAIN and (number.is_integer() or abs(number) >= 1e4)
    return f"{number:.0f}" if whole else f"{number:.4g}"
