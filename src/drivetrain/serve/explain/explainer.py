"""Explaining one endpoint: on request, and in the log."""

from __future__ import annotations

import logging
import time
from collections.abc import Mapping, Sequence
from functools import partial
from typing import Any, Protocol, TypeAlias
from weakref import WeakKeyDictionary

from msgspec import UNSET
from msgspec.structs import replace

from drivetrain.core.errors import FeatureError, NotReady, Overloaded, StoreError
from drivetrain.core.protocols import Blobs
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.call import Call
from drivetrain.serve.explain.answer import Explained, ExplainedRow, explained_row
from drivetrain.serve.explain.lane import Lane
from drivetrain.serve.explain.reasons import Explain, Reasons, reasons_of
from drivetrain.serve.explain.sample import Sample
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.serve.lookup import Lookup
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.serving import Serving
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion
from drivetrain.train.deciding.reading import DecidingEngine

Looked: TypeAlias = tuple[list[list[Any]], tuple[str, ...]]
"""Vectors of feature values, and the views that could not be read."""

_log = logging.getLogger(__name__)


class Plane(Protocol):
    """What explaining needs of an endpoint; :class:`~drivetrain.serve.dataplane.Dataplane` has it."""

    plan: EndpointPlan
    schema: InstanceSchema
    lookup: Lookup
    log: WriteAheadLog
    serving: Serving


class Explainer:
    """Explains what one endpoint's versions answer, beside the event loop.

    Args:
        plane: The endpoint.
        blobs: Where versions keep what they are explained with.
        lane: Where explaining happens.
        settings: Limits, and the share of answers that is explained in the log.
        meter: What is counted.
    """

    def __init__(self, plane: Plane, blobs: Blobs, lane: Lane, settings: ServeSettings, meter: Meter) -> None:
        self.plane = plane
        self._blobs = blobs
        self._lane = lane
        self._seconds = settings.explain_seconds
        self._meter = meter
        self._known: WeakKeyDictionary[LoadedVersion, Explain] = WeakKeyDictionary()
        self._sample = Sample(
            plane.plan.name,
            settings.explain_share,
            lane,
            plane.log,
            meter,
            self._explain_of,
            withheld=plane.plan.withheld,
        )
        self.offer = self._sample.offer
        """Takes answered rows, to explain a share of them in the log; see :meth:`Sample.offer`."""

    async def explain(self, call: Call) -> Explained:
        """The champion's answers to a call, and why; nothing of it is logged.

        Raises:
            NotReady: No version may be served.
            Overloaded: Too many explanations wait, or these took too long.
            FeatureError: A feature can't be computed from this request.
            EngineFailed: The model failed.
            RequestError: The version can't be explained.
            StoreError: The online store can't be read.
        """
        serving = self.plane.serving
        champion = serving.champion
        if champion is None:
            raise NotReady(
                f"endpoint {self.plane.plan.name} has no version to explain",
                found=serving.problems.get("champion", f"no champion of model {self.plane.plan.model}"),
                do="Run the project, or promote a version",
            )
        until = time.monotonic() + self._seconds
        return await self._lane.run(partial(self._explained, champion, call, self._look_up(call), until))

    def close(self) -> None:
        """Finishes what was drawn for the log."""
        self._sample.close()

    def _look_up(self, call: Call) -> Looked:
        plane = self.plane
        try:
            return plane.lookup.vectors(call.rows, call.ats)[0], ()
        except StoreError:
            if plane.plan.features_away == "refuse":
                raise
            _log.exception("endpoint %s explains without its views", plane.plan.name)
            return plane.lookup.without_views(call.rows)[0], plane.lookup.views

    def _explained(self, version: LoadedVersion, call: Call, looked: Looked, until: float) -> Explained:
        """One row after the other: in between, the event loop's thread gets its turn."""
        vectors, away = looked
        names = self.plane.lookup.names
        places = [names.index(field.name) for field in version.record.input_schema.fields]
        rows: list[ExplainedRow] = []
        for vector in vectors:
            if time.monotonic() > until:
                raise Overloaded(
                    "explaining takes too long",
                    found=f"{len(rows)} of {len(vectors)} instances in {self._seconds:g} s",
                    do="Ask for fewer instances, or come again later",
                )
            row, reasons = self._row(version, vector, places)
            rows.append(row)
        self._meter.counters["explained"][self.plane.plan.name, "asked"] += len(rows)
        return Explained(
            explanations=rows,
            unit=reasons.unit,
            method=reasons.method,
            request_id=call.request_id,
            model_version=version.record.version,
            features_away=list(away) or UNSET,
        )

    def _row(
        self, version: LoadedVersion, vector: Sequence[Any], places: Sequence[int]
    ) -> tuple[ExplainedRow, Reasons]:
        try:
            inputs = version.encode(vector)
        except (TypeError, ValueError) as error:
            raise FeatureError(f"a feature value does not suit {version.record.key}: {error}") from error
        [output] = version.predict([inputs])
        reasons = self._explain_of(version)(inputs)
        values = [_known(vector[place]) for place in places]
        row = explained_row(version.record.input_schema, values, inputs, output, reasons)
        if reasons.method == "exact" and isinstance(version.engine, DecidingEngine) and version.engine.calibrates:
            row = replace(row, uncalibrated=version.engine.own.predict_row(inputs))
        return row, reasons

    def _explain_of(self, version: LoadedVersion) -> Explain:
        explain = self._known.get(version)
        if explain is None:
            explain = self._known[version] = reasons_of(version, self._blobs)
        return explain


class Explainers:
    """The explainers of a worker's endpoints, which share one lane.

    Args:
        planes: Endpoint → its dataplane.
        blobs: As for :class:`Explainer`.
        settings: As for :class:`Explainer`.
        meter: As for :class:`Explainer`.
    """

    def __init__(self, planes: Mapping[str, Plane], blobs: Blobs, settings: ServeSettings, meter: Meter) -> None:
        self._lane = Lane(settings.explain_queue)
        self.by_name = {name: Explainer(plane, blobs, self._lane, settings, meter) for name, plane in planes.items()}

    def close(self) -> None:
        """Finishes what was drawn for the log, and ends the thread."""
        for explainer in self.by_name.values():
            explainer.close()
        self._lane.close()


def _known(value: Any) -> Any:  # noqa: ANN401 - a feature's value is of any type
    """The value, ``None`` for NaN: both are how a lookup says null."""
    return None if value != value else value  # noqa: PLR0124 - only NaN differs from itself
