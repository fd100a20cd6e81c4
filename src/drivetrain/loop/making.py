"""What a project declares of a model, for the record of a run; and how that differs from what it declared before."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.records.making import Definition, Making
from drivetrain.features.expression import expression_digest, in_words
from drivetrain.loop.model import Model

LABEL = "label"


class Change(msgspec.Struct, frozen=True):
    """Something that is otherwise in one of two; none where it is not there."""

    name: str
    before: str | None
    after: str | None


def declared(model: Model, known_by: Micros | None = None) -> Making:
    """A model as the project declares it now.

    Args:
        model: The model.
        known_by: The moment by which labels had to be known, if there is one.
    """
    return Making(
        definitions=definitions(model), configuration=configuration(model), fit=model.fit_digest(), known_by=known_by
    )


def definitions(model: Model) -> dict[str, Definition]:
    """The label, then every group of features with its features, by full name."""
    found = {LABEL: Definition(model.label.digest, model.label.words)}
    views = {view.name: view for view in model.views}
    for group in model.features:
        found[group.name] = Definition(group.digest, group.description)
        if group.name in views:
            view = views[group.name]
            found |= {
                name: Definition(column.digest, column.words)
                for name, column in zip(view.feature_names, view.columns, strict=True)
            }
    for computed in (group for group in model.computed if group in model.features):
        found |= {
            name: Definition(expression_digest(expression), in_words(expression))
            for name, expression in zip(computed.feature_names, computed.expressions, strict=True)
        }
    return found


def configuration(model: Model) -> dict[str, str]:
    """How a model is fitted, part by part; what is not declared is left out."""
    parts = {
        "trainer": model.trainer,
        "split": model.split,
        "tune": model.tune,
        "weigh": model.weigh,
        "impute": model.impute or None,
        "encode": model.encode or None,
        "select": model.select,
        "calibrate": model.calibrate,
        "threshold": model.deciding.threshold,
        "conformal": model.conformal,
        "text": model.text or None,
        "metric": model.metric,
        "seed": model.seed,
        **{f"baseline {name}": trainer for name, trainer in model.baselines.items()},
    }
    return {
        name: value if isinstance(value, str) else repr(value) for name, value in parts.items() if value is not None
    }


def code_changes(before: Making, after: Making) -> list[Change]:
    """Definitions and parts of the configuration that are otherwise, in words; empty where a fit would do the same."""
    return [*definition_changes(before, after), *_configuration_changes(before, after)]


def definition_changes(before: Making, after: Making) -> list[Change]:
    """Label and features that came, went, or mean something else.

    Of a group, only what its features do not tell: its entity, time to live or times.
    """
    return list(_definition_changes(before.definitions, after.definitions))


def text_changes(before: Mapping[str, str], after: Mapping[str, str]) -> list[Change]:
    """Entries of two mappings that differ, by name."""
    names = dict.fromkeys((*before, *after))
    return [Change(name, before.get(name), after.get(name)) for name in names if before.get(name) != after.get(name)]


def _configuration_changes(before: Making, after: Making) -> list[Change]:
    told = text_changes(before.configuration, after.configuration)
    if told or before.fit == after.fit:
        return told
    return [Change("how it is fitted", f"digest {before.fit}", f"digest {after.fit}")]


def _definition_changes(before: Mapping[str, Definition], after: Mapping[str, Definition]) -> Iterator[Change]:
    changed = {
        name: (before.get(name), after.get(name))
        for name in dict.fromkeys((*before, *after))
        if (before[name].digest if name in before else None) != (after[name].digest if name in after else None)
    }
    for name, (was, now) in changed.items():
        parts = [part for part in changed if part.startswith(f"{name}.")]
        if was is not None and now is not None and parts:
            continue  # its features say what changed
        if was is not None and now is not None and any(part.startswith(f"{name}.") for part in before):
            yield Change(name, "another entity, time to live, times or code", "what it is now")
        elif (was is None or now is None) and parts:
            continue  # came or went with its features
        else:
            yield Change(name, _words(was), _words(now, was))


def _words(definition: Definition | None, other: Definition | None = None) -> str | None:
    """What it is; with its digest where that alone tells it from the other."""
    if definition is None:
        return None
    words = definition.words or f"digest {definition.digest}"
    return f"{words} (another definition that reads alike)" if other is not None and other.words == words else words
