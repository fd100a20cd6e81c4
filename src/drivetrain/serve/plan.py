"""What a worker must know of an endpoint; assembled above, so that serving knows no project."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from drivetrain.data.column import Privacy
from drivetrain.features.derived import Computed
from drivetrain.features.view import FeatureView

FieldType: TypeAlias = Literal["string", "int", "float", "bool", "time", "date"]
FeaturesAway: TypeAlias = Literal["refuse", "null"]
Fallback: TypeAlias = Literal["previous"] | float | None


@dataclass(frozen=True, slots=True)
class RequestField:
    """One field that every instance of a request holds.

    Attributes:
        name: Its name in the request.
        type: ``time`` is ISO 8601 text (no zone means UTC), ``date`` is ``YYYY-MM-DD``.
        nullable: Whether ``null`` may stand for unknown.
        description: For people.
        privacy: Its privacy class; the log does not keep what is ``secret``.
    """

    name: str
    type: FieldType
    nullable: bool = False
    description: str = ""
    privacy: Privacy = "internal"


@dataclass(frozen=True, slots=True, kw_only=True)
class EndpointPlan:
    """One endpoint as a worker serves it.

    Attributes:
        name: The name callers use.
        model: The model whose champion answers.
        fields: What an instance must hold: inputs of the request features and derived views, keys of the views'
            entities, and the fields of ``entity``.
        views: Views read from the online store.
        requests: Features computed from the request, and derived ones, each after what it reads.
        entity: Fields that name what the prediction is about, so that feedback can name it; as text they are joined by
            ``|``.
        features_away: What happens while the online store can't be read: ``refuse`` answers 503, ``null`` predicts as
            if nothing were known of any entity, and says so in the answer.
        deadline: Seconds after a request's arrival at which whoever has not answered is given up; none waits.
        fallback: What answers where the champion fails or misses the deadline: the champion before it, or a number.
        description: For people.
    """

    name: str
    model: str
    fields: tuple[RequestField, ...]
    views: tuple[FeatureView, ...] = ()
    requests: tuple[Computed, ...] = ()
    entity: tuple[str, ...] = ()
    features_away: FeaturesAway = "refuse"
    deadline: float | None = None
    fallback: Fallback = None
    description: str = ""
