"""What is to be learned: the label, what may be known, how it is fitted, and what it must meet."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

from drivetrain.core.errors import ProjectError
from drivetrain.core.hashing import Digest, code_digest, digest
from drivetrain.core.protocols import Trainer
from drivetrain.evaluate.gate import Gate
from drivetrain.features.label import Label
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.train.split import TimeSplit
from drivetrain.train.tune import Tune


@dataclass(frozen=True, kw_only=True)
class Model:
    """A model as the project declares it; see :meth:`Project.model`."""

    name: str
    label: Label
    views: tuple[FeatureView, ...]
    requests: tuple[RequestFeatures, ...]
    trainer: Trainer
    split: TimeSplit
    tune: Tune | None = None
    baselines: Mapping[str, Trainer] = field(default_factory=dict)
    slices: tuple[str, ...] = ()
    protected: tuple[str, ...] = ()
    gates: tuple[Gate, ...] = ()
    metric: str = "average_precision"
    seed: int = 0
    description: str = ""
    owner: str = ""

    @property
    def definitions(self) -> dict[str, Digest]:
        """View or request-feature name → digest of its definition."""
        return {view.name: view.digest for view in self.views} | {
            request.name: request.digest for request in self.requests
        }

    def feature_names(self) -> tuple[str, ...]:
        """Full names of the features, in the model's order."""
        from_views = [name for view in self.views for name in view.feature_names]
        from_requests = [name for request in self.requests for name in request.feature_names]
        return tuple(from_views + from_requests)

    def data_digest(self) -> Digest:
        """Of what the training set is made of."""
        return digest([self.label.digest, self.definitions])

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
            ]
        )

    def judge_digest(self) -> Digest:
        """Of how the model is judged."""
        return digest([list(self.gates), self.slices, self.protected, self.metric])


FeatureSpec = FeatureView | RequestFeatures | Callable[..., object]


def split_features(features: tuple[FeatureSpec, ...]) -> tuple[tuple[FeatureView, ...], tuple[RequestFeatures, ...]]:
    """Views and request features apart, each in the order declared.

    Raises:
        ProjectError: Something in the list is neither.
    """
    views = tuple(feature for feature in features if isinstance(feature, FeatureView))
    requests = tuple(feature for feature in features if isinstance(feature, RequestFeatures))
    for feature in features:
        if not isinstance(feature, FeatureView | RequestFeatures):
            raise ProjectError(
                "a model's features must be feature views or request features",
                found=repr(feature),
                do="Declare it with project.feature_view(…) or @project.request_features",
            )
    return views, requests


def steps_code(*functions: Callable[..., object]) -> Digest:
    """Digest of the code behind a step."""
    return digest([code_digest(function) for function in functions])
