"""What is to be learned: the label, what may be known, how it is fitted, and what it must meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.core.protocols import Trainer
from drivetrain.data.source import Source
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.gate import Gate
from drivetrain.features.derived import Computed, DerivedView, read_by
from drivetrain.features.label import Label
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.train.impute import Impute
from drivetrain.train.rows import Preparing
from drivetrain.train.split import TimeSplit
from drivetrain.train.tune import Tune
from drivetrain.train.weigh import Reweigh

Group: TypeAlias = FeatureView | RequestFeatures | DerivedView


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as the project declares it; see :meth:`Project.model`."""

    name: str
    label: Label
    features: tuple[Group, ...]
    """Views, request features and derived views, in the order of the model's columns."""
    trainer: Trainer
    split: TimeSplit
    tune: Tune | None = None
    baselines: Mapping[str, Trainer] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    protected: tuple[Protected, ...] = ()
    weigh: Reweigh | None = None
    impute: tuple[Impute, ...] = ()
    gates: tuple[Gate, ...] = ()
    metric: str = "average_precision"
    seed: int = 0
    description: str = ""
    owner: str = ""
    positive: str = "the answer is yes"
    """What a yes means, to follow "that": ``a flight arrives 15 or more minutes late``."""
    rows: str = "rows"
    """What a row is, in the plural: ``flights``."""
    limits: tuple[str, ...] = ()
    """When not to use it, in sentences for the card."""

    _repr_html_ = shown

    @property
    def views(self) -> tuple[FeatureView, ...]:
        """The views it reads: its own, and those that its derived views read."""
        return tuple(group for group in read_by(self.features) if isinstance(group, FeatureView))

    @property
    def requests(self) -> tuple[RequestFeatures, ...]:
        """The features of the request that it reads: its own, and those that its derived views read."""
        return tuple(group for group in read_by(self.features) if isinstance(group, RequestFeatures))

    @property
    def derived(self) -> tuple[DerivedView, ...]:
        """The derived views it reads, each after those that it reads itself."""
        return tuple(group for group in read_by(self.features) if isinstance(group, DerivedView))

    @property
    def computed(self) -> tuple[Computed, ...]:
        """The request features and derived views it reads, each after those that it reads itself."""
        return tuple(group for group in read_by(self.features) if not isinstance(group, FeatureView))

    @property
    def definitions(self) -> dict[str, Digest]:
        """View or request-feature name → digest of its definition, for those whose features are the model's columns."""
        return {group.name: group.digest for group in self.features}

    @property
    def request_columns(self) -> tuple[str, ...]:
        """What a request holds: inputs of the request features and derived views, then keys of the views' entities."""
        inputs = [name for group in self.computed for name in group.inputs]
        keys = [key for view in self.views for key in view.entity.keys]
        return tuple(dict.fromkeys([*inputs, *keys]))

    @property
    def preparing(self) -> Preparing:
        """What is done to rows before a fit reads them."""
        return Preparing(self.impute, self.weigh)

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns of the label's table that its rows are told apart by, and that it does not read."""
        named = (*self.slices, *(each.name for each in self.protected), *self.preparing.columns)
        known = {*self.feature_names(), *self.request_columns}
        return tuple(dict.fromkeys(name for name in named if name not in known))

    def feature_names(self) -> tuple[str, ...]:
        """Full names of the features, in the model's order."""
        return tuple(name for group in self.features for name in group.feature_names)

    def data_digest(self) -> Digest:
        """Of what the training set is made of."""
        return digest([self.label.digest, self.definitions, *([self.beside] if self.beside else [])])

    def fit_digest(self) -> Digest:
        """Of how the model is fitted."""
        return digest(
            [
                repr(self.trainer),
                self.split,
                self.tune,
                {name: repr(trainer) for name, trainer in self.baselines.items()},
                self.metric,
                self.seed,
                *self.preparing.meaning,
            ]
        )

    def bias_digest(self) -> Digest:
        """Of what its training set is looked at for before it is fitted."""
        return digest([[(each.name, dict(each.shares)) for each in self.protected], self.split])

    def judge_digest(self) -> Digest:
        """Of how the model is judged."""
        return digest([list(self.gates), self.slices, [each.name for each in self.protected], self.metric])


def checked_features(name: str, features: Sequence[object]) -> tuple[Group, ...]:
    """The features of a model, each a view, request features, or a derived view.

    Raises:
        ProjectError: Something in the list is neither, or there is nothing.
    """
    for feature in features:
        if not isinstance(feature, Group):
            raise ProjectError(
                f"the features of model {name!r} must be feature views or request features",
                found=repr(feature),
                do="Declare it with project.feature_view(…) or @project.request_features",
            )
    groups = tuple(feature for feature in features if isinstance(feature, Group))
    if not groups:
        raise ProjectError(f"model {name!r} has no features")
    return groups


def check_columns(model: Model) -> None:
    """Makes sure that what a model names is there: the columns its rows are told apart by, the features it fills.

    Raises:
        ProjectError: A name stands for nothing.
    """
    source = model.label.source
    contract = source.contract.columns if isinstance(source, Source) else {}
    features = model.feature_names()
    for column in model.beside:
        if "." in column or (contract and column not in contract):
            raise ProjectError(
                f"model {model.name!r} tells rows apart by a column it does not have",
                found=repr(column),
                expected=f"a feature ({', '.join(features)}), a field of the request, or a column of {source.name!r}",
            )
    for name in (name for each in model.impute for name in each.features):
        if name not in features:
            raise ProjectError(
                f"model {model.name!r} fills a feature it does not have",
                found=repr(name),
                expected=f"one of {', '.join(features)}",
            )


def check_treated_alike(model: Model) -> None:
    """Refuses a model whose label's rows name an entity otherwise than a view's table does: nothing would be found.

    Raises:
        ProjectError: A key is a pseudonym in one of them and not in the other, or one under another key.
    """
    rows = model.label.source
    for view in model.views:
        if not isinstance(rows, Source) or not isinstance(view.source, Source):
            continue
        for key, column in zip(view.entity.keys, view.key_columns, strict=True):
            here, there = rows.contract.columns.get(key), view.source.contract.columns.get(column)
            means = [None if one is None or one.treat is None else one.treat.meaning for one in (here, there)]
            if means[0] != means[1]:
                raise ProjectError(
                    f"model {model.name!r} looks {key!r} of {rows.name!r} up in {column!r} of {view.source.name!r}",
                    found="two columns that are treated otherwise, so that none would be found",
                    do="Declare the same treat= for both",
                )
