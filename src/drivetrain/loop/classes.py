"""Privacy classes that a model's fields, features and predictions inherit from the columns of its sources."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec

from drivetrain.data.column import PRIVATE, Privacy
from drivetrain.data.source import Source
from drivetrain.features.inherit import UNDECLARED, privacy_of, strictest, view_features
from drivetrain.loop.model import Model


class Classes(msgspec.Struct, frozen=True, kw_only=True):
    """What values may be used for.

    Attributes:
        fields: Field of a request → its class: the strictest of any column of that name, or that it is looked up in.
        features: Feature → its class: the strictest of what it reads.
        prediction: Class of what the model says: ``personal`` where it reads what is sensitive or secret, for it may
            tell of that; else ``internal``, as a figure that the model made.
    """

    fields: Mapping[str, Privacy]
    features: Mapping[str, Privacy]
    prediction: Privacy

    @property
    def shown(self) -> dict[str, Privacy]:
        """Class of each name that a trace shows."""
        return {**self.fields, **self.features, "prediction": self.prediction}

    @property
    def personal(self) -> frozenset[str]:
        """Fields, features and ``prediction``, as far as they are personal, sensitive or secret."""
        return frozenset(name for name, privacy in self.shown.items() if privacy in PRIVATE)


def classes_of(model: Model) -> Classes:
    """The classes of a model's fields, features and predictions."""
    origins = [model.label.source, *(view.source for view in model.views)]
    sources = [origin for origin in origins if isinstance(origin, Source)]
    fields = {
        name: strictest(privacy_of([name], source.contract.columns) for source in sources)
        for name in (*model.request_columns, *model.label.source.key)
    }
    features: dict[str, Privacy] = {}
    for view in model.views:
        if isinstance(view.source, Source):
            columns = view.source.contract.columns
            for key, column in zip(view.entity.keys, view.key_columns, strict=True):
                fields[key] = strictest([fields[key], privacy_of([column], columns)])
            features |= {info.name: info.privacy for info in view_features(view, view.source)}
    for group in model.computed:
        for name, expr in zip(group.feature_names, group.expressions, strict=True):
            reads = expr.meta.root_names()
            features[name] = strictest(features.get(read) or fields.get(read, UNDECLARED) for read in reads)
    return Classes(fields=fields, features=features, prediction=_of_prediction(features))


def _of_prediction(features: Mapping[str, Privacy]) -> Privacy:
    return "personal" if {"sensitive", "secret"} & set(features.values()) else "internal"
