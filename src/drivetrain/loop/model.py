"""What is to be learned: the label, what may be known, how it is fitted, and what it must meet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import TypeAlias

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.core.protocols import Trainer
from drivetrain.core.records.task import TaskKind
from drivetrain.data.source import Source
from drivetrain.evaluate.behaviour.spec import Behaviour, Minimum
from drivetrain.evaluate.bias.groups import Protected
from drivetrain.evaluate.bootstrap import Bootstrap
from drivetrain.evaluate.gate import BehaviourGate, FairnessGate, Gate
from drivetrain.evaluate.metrics import metric_for
from drivetrain.features.derived import Computed, DerivedView, read_by
from drivetrain.features.label import Label
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.registry.keep import Keep
from drivetrain.train.deciding.calibrate import Calibrate
from drivetrain.train.deciding.conformal import Conformal
from drivetrain.train.deciding.deciding import Deciding
from drivetrain.train.deciding.threshold import Threshold
from drivetrain.train.encode import TargetEncode
from drivetrain.train.impute import Impute
from drivetrain.train.leakage.leakage import CHECKS, Leakage
from drivetrain.train.rows import Preparing
from drivetrain.train.score import check_suits
from drivetrain.train.select import Select
from drivetrain.train.split import Splitter
from drivetrain.train.text.encoder import Text, check_declared
from drivetrain.train.tune import Tune
from drivetrain.train.weigh import ClassWeights, Reweigh

Group: TypeAlias = FeatureView | RequestFeatures | DerivedView


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as the project declares it; see :meth:`Project.model`."""

    name: str
    label: Label
    features: tuple[Group, ...]
    """Views, request features and derived views, in the order of the model's columns."""
    trainer: Trainer
    split: Splitter
    tune: Tune | None = None
    baselines: Mapping[str, Trainer] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    protected: tuple[Protected, ...] = ()
    weigh: Reweigh | ClassWeights | None = None
    impute: tuple[Impute, ...] = ()
    text: tuple[Text, ...] = ()
    """How texts among its features become numbers."""
    encode: tuple[TargetEncode, ...] = ()
    select: Select | None = None
    leakage: Leakage = field(default_factory=Leakage)
    gates: tuple[Gate, ...] = ()
    metric: str = "average_precision"
    """What stands for the objective; where it does not suit the kind of answers, the kind's own does."""
    bootstrap: Bootstrap = field(default_factory=Bootstrap)
    """How intervals are made when it is judged."""
    seed: int = 0
    description: str = ""
    owner: str = ""
    positive: str = "the answer is yes"
    """What a yes means, to follow "that": ``a flight arrives 15 or more minutes late``."""
    rows: str = "rows"
    """What a row is, in the plural: ``flights``."""
    keep: Keep | None = None
    """Which versions keep their artifacts; what the settings say by default."""
    behaviours: Sequence[Behaviour] = ()
    """What it must do, judged on test rows."""
    limits: tuple[str, ...] = ()
    """When not to use it, in sentences for the card."""
    threshold: float | Threshold | None = None
    """A prediction at or above it is acted on, which is what fairness is measured at: a number, or how one is chosen by
    cost, and then answers say what is decided; by default as many rows are acted on as are positive."""
    calibrate: Calibrate | None = None
    """How its probabilities are made to be those that come true."""
    conformal: Conformal | None = None
    """How often the outcome is to lie inside the interval or the set that each answer comes with."""

    def __post_init__(self) -> None:
        by_cost = self.threshold is None or isinstance(self.threshold, Threshold)
        if not by_cost and not (isinstance(self.threshold, int | float) and 0.0 <= self.threshold <= 1.0):
            raise ProjectError(
                f"the threshold of model {self.name!r} is no probability", found=self.threshold,
                expected="0 to 1, or dt.Threshold(cost={…})",
            )  # fmt: skip

        if self.deciding and getattr(self.split, "valid", True) in {None, 0}:
            raise ProjectError(
                f"model {self.name!r} learns from validation rows how its answers are read, and its split has none",
                found=repr(self.split),
                do="Give the split a validation window, such as valid='14d'",
            )

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
        return Preparing(self.impute, self.weigh, self.text, self.encode, self.select)

    @property
    def deciding(self) -> Deciding:
        """What is learned about reading its answers."""
        threshold = self.threshold if isinstance(self.threshold, Threshold) else None
        return Deciding(self.calibrate, threshold, self.conformal)

    @property
    def beside(self) -> tuple[str, ...]:
        """Columns of the label's table that its rows are told apart by, and that it does not read."""
        named = (*self.slices, *(each.name for each in self.protected), *self.preparing.columns, *self.split.groups)
        named = (*named, *([self.bootstrap.cluster] if self.bootstrap.cluster else []))
        known = {"_entity", *self.feature_names(), *self.request_columns}
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
                repr(self.split),
                self.tune and self.tune.meaning,
                {name: repr(trainer) for name, trainer in self.baselines.items()},
                self.metric,
                self.seed,
                *self.preparing.meaning,
                *self.leakage.meaning,
                *self.deciding.meaning,
            ]
        )

    def metric_of(self, kind: TaskKind) -> str:
        """The metric that stands for the objective, given the kind of its answers."""
        return metric_for(kind, self.metric)

    def check_kind(self, kind: TaskKind) -> None:
        """Makes sure that what is asked of the model can be asked of such answers.

        Raises:
            ProjectError: A gate is on a metric that can't be made from them.
            UsageError: It is tuned for one that can't, or its answers are to be read as such answers can't be.
        """
        self.deciding.check(kind)
        for gate in self.gates:
            gate.on(kind, self.metric_of(kind))
        for name in self.tune.metrics if self.tune else ():
            check_suits(name, kind)

    def bias_digest(self) -> Digest:
        """Of what its training set is looked at for before it is fitted."""
        return digest([[(each.name, dict(each.shares)) for each in self.protected], repr(self.split)])

    def judge_digest(self) -> Digest:
        """Of how the model is judged."""
        drawn = [] if self.bootstrap == Bootstrap() else [self.bootstrap]
        acts = [
            *([self.threshold] if isinstance(self.threshold, int | float) else []),
            *(each.digest for each in self.behaviours),
        ]
        named = [each.name for each in self.protected]
        return digest([list(self.gates), self.slices, named, self.metric, *drawn, *acts])


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
    readable = {*features, *model.request_columns}
    for each in model.behaviours:
        named = each.where.meta.root_names() if isinstance(each, Minimum) else [each.column]
        unknown = sorted(set(named) - readable - set(model.beside if isinstance(each, Minimum) else ()))
        if unknown:
            raise ProjectError(
                f"model {model.name!r} declares a behaviour of what it does not read",
                found=", ".join(unknown),
                expected=f"a feature ({', '.join(features)}) or a field of the request",
            )
    _check_gates(model)
    check_declared(model.name, model.text, features, model.trainer.name)
    if model.text and model.select is not None:
        raise ProjectError(
            f"model {model.name!r} chooses features where some are texts",
            found="select= and text=",
            do="Leave one of them out: the pieces of a text are chosen with most=",
        )
    groups = tuple(group.name for group in model.features)
    meant = {
        "fills": [name for each in model.impute for name in each.features],
        "encodes": [name for each in model.encode for name in each.features],
        "always reads": [name for name in (model.select.always if model.select else ()) if name not in groups],
    }
    for does, name in ((does, name) for does, names in meant.items() for name in names):
        if name not in features:
            raise ProjectError(
                f"model {model.name!r} {does} a feature it does not have",
                found=repr(name),
                expected=f"one of {', '.join(features)}",
            )
    twice = [name for name in meant["encodes"] if meant["encodes"].count(name) > 1]
    if twice:
        raise ProjectError(f"model {model.name!r} encodes a feature twice", found=repr(twice[0]))


def check_allowed(model: Model) -> None:
    """Makes sure that what a model allows to leak is there.

    Raises:
        ProjectError: A name stands for no feature, view or check.
    """
    known = (*model.feature_names(), *(view.name for view in model.views))
    for name in model.leakage.allow:
        if name not in (*known, *CHECKS):
            raise ProjectError(
                f"model {model.name!r} allows what it does not have to leak",
                found=repr(name),
                expected=f"one of {', '.join(known)}; or a check: {', '.join(CHECKS)}",
            )


def _check_gates(model: Model) -> None:
    protected = [each.name for each in model.protected]
    for gate in model.gates:
        asked = gate.column.split(" × ") if isinstance(gate, FairnessGate) and gate.column is not None else []
        if isinstance(gate, FairnessGate) and (not protected or set(asked) - set(protected)):
            raise ProjectError(
                f"model {model.name!r} has a gate on fairness for what it does not protect",
                found=gate.column or "no protected attribute",
                expected=f"one of {', '.join(protected)}" if protected else None,
                do='Declare it: protected=["sex"]',
            )
        if isinstance(gate, BehaviourGate) and not model.behaviours:
            raise ProjectError(
                f"model {model.name!r} has a gate on behaviours and declares none",
                do='For example: behaviours=[dt.invariance("carrier")]',
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
