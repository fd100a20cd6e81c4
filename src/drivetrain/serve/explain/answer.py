"""What a caller is told of the reasons; fields are the native protocol's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import msgspec
from msgspec import UNSET, UnsetType

from drivetrain.core.records import Field, InputSchema
from drivetrain.serve.explain.reasons import Method, Reasons
from drivetrain.serve.explain.unit import Unit
from drivetrain.serve.explain.words import sentence, word_sentence
from drivetrain.serve.version import Output


class Word(msgspec.Struct, frozen=True):
    """What one word, or piece, of a text did.

    Attributes:
        word: It, quoted.
        contribution: What it adds to the margin.
        sentence: The same in plain words.
    """

    word: str
    contribution: float
    sentence: str


class Contribution(msgspec.Struct, frozen=True):
    """What one feature did.

    Attributes:
        feature: Its full name.
        value: Its value as it was looked up; null for unknown.
        contribution: What it adds to the margin.
        sentence: The same in plain words.
        error: Standard error of the contribution; left out where it is exact.
    """

    feature: str
    value: Any
    contribution: float
    sentence: str
    error: float | UnsetType = UNSET
    words: list[Word] | UnsetType = UNSET
    """Of a text: those of its words that moved the answer most; left out where the model does not tell."""


class Sum(msgspec.Struct, frozen=True):
    """A margin and what it is the sum of.

    Attributes:
        base: The model's expected margin.
        margin: Base and contributions added up.
        contributions: The greatest first.
    """

    base: float
    margin: float
    contributions: list[Contribution]


class ClassSum(msgspec.Struct, frozen=True, rename={"number": "class"}):
    """The margin of one of several classes; as :class:`Sum`."""

    number: int
    base: float
    margin: float
    contributions: list[Contribution]


class ExplainedRow(msgspec.Struct, frozen=True):
    """One instance: its prediction, and one sum, or one for each class.

    ``uncalibrated`` is what the model says before that is calibrated, and what the margin leads to; left out where it
    is the prediction itself.
    """

    prediction: Output
    base: float | UnsetType = UNSET
    margin: float | UnsetType = UNSET
    contributions: list[Contribution] | UnsetType = UNSET
    classes: list[ClassSum] | UnsetType = UNSET
    uncalibrated: Output | UnsetType = UNSET


class Explained(msgspec.Struct, frozen=True):
    """The answer to one request.

    Attributes:
        explanations: One for each instance, in order.
        unit: What bases, margins and contributions are measured in.
        method: ``exact``, or ``sampled`` with an error beside every contribution.
        request_id: The caller's, or made here.
        model_version: Who answered, and was explained.
        features_away: Views that could not be read, and were taken as unknown because the endpoint says so.
    """

    explanations: list[ExplainedRow]
    unit: Unit
    method: Method
    request_id: str
    model_version: int
    features_away: list[str] | UnsetType = UNSET


def explained_row(
    schema: InputSchema, values: Sequence[Any], inputs: Sequence[float], prediction: Output, reasons: Reasons
) -> ExplainedRow:
    """Reasons with the features' names, values and sentences.

    Args:
        schema: The version's.
        values: Each field's value as it was looked up.
        inputs: The same as the model saw them.
        prediction: What it said.
        reasons: Why.
    """
    several = len(reasons.base) > 1
    sums = []
    for at, base in enumerate(reasons.base):
        output = f"class {at}" if several else ""
        added = reasons.contributions[at]
        errors: Sequence[float | UnsetType] = [UNSET] * len(added) if reasons.errors is None else reasons.errors[at]
        told = [
            Contribution(
                field.name,
                _plain(field, value),
                much,
                sentence(field, value, code, much, reasons.unit, output),
                error,
                _words(reasons, field, at, output),
            )
            for field, value, code, much, error in zip(schema.fields, values, inputs, added, errors, strict=True)
        ]
        told.sort(key=lambda one: (-abs(one.contribution), one.feature))
        sums.append((base, sum(added, base), told))
    if several:
        return ExplainedRow(prediction, classes=[ClassSum(at, *parts) for at, parts in enumerate(sums)])
    return ExplainedRow(prediction, *sums[0])


def _words(reasons: Reasons, field: Field, at: int, output: str) -> list[Word] | UnsetType:
    if field.name not in reasons.words:
        return UNSET
    return [
        Word(word, much, word_sentence(word, much, reasons.unit, output))
        for word, much in reasons.words[field.name][at]
    ]


def _plain(field: Field, value: Any) -> Any:  # noqa: ANN401 - a feature's value is of any type
    return bool(value) if field.type == "boolean" and value is not None else value
