"""What a worker must know of an endpoint; assembled above, so that serving knows no project."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Literal, TypeAlias

from drivetrain.data.column import Privacy
from drivetrain.data.treatment import Treatment
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
        privacy: Its privacy class.
        treat: What is done to its values before anything is made of them, as to the column that they stand for.
        kept: Type of its values after that, as features read them; none where it is ``type``.
    """

    name: str
    type: FieldType
    nullable: bool = False
    description: str = ""
    privacy: Privacy = "internal"
    treat: Treatment | None = None
    kept: FieldType | None = None

    @property
    def read_as(self) -> FieldType:
        """Type in which features read it."""
        return self.kept or self.type


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
        keep_sensitive: Whether the log keeps what is ``sensitive``; what is ``secret`` it never does.
        features: Feature → its class; ``internal`` where it is not named.
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
    keep_sensitive: bool = False
    features: Mapping[str, Privacy] = field(default_factory=dict)
    description: str = ""

    @property
    def withheld(self) -> frozenset[str]:
        """Fields and features whose values the log does not keep."""
        classes = {one.name: one.privacy for one in self.fields} | dict(self.features)
        return unkept(classes, keep_sensitive=self.keep_sensitive)


def unkept(classes: Mapping[str, Privacy], *, keep_sensitive: bool) -> frozenset[str]:
    """Of names and their classes, those whose values are not written down with predictions."""
    return frozenset(
        name
        for name, privacy in classes.items()
        if privacy == "secret" or (privacy == "sensitive" and not keep_sensitive)
    )
