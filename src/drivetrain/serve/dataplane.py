"""Where every protocol meets: calls come in, features are looked up, the champion answers, the answer is logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from msgspec import UNSET

from drivetrain.core.clock import now
from drivetrain.core.errors import FeatureError, NotReady, ProjectError, StoreError
from drivetrain.core.protocols import OnlineStore
from drivetrain.core.records import Feedback, Prediction
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.batching import Batching
from drivetrain.serve.call import Answer, Batch, Call, Facts
from drivetrain.serve.instance import InstanceSchema, Row
from drivetrain.serve.log.commit import GroupCommit
from drivetrain.serve.log.frame import embed, pack
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.serve.lookup import Lookup
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.serving import Serving
from drivetrain.serve.shadow import Shadow
from drivetrain.serve.telemetry import Meter
from drivetrain.serve.version import LoadedVersion, Output

_log = logging.getLogger(__name__)


class Dataplane:
    """One endpoint in one worker.

    Args:
        plan: The endpoint.
        online: Where its views' rows are.
        settings: Limits and durability.
        folder: The server's log folder.
        meter: What is counted.
    """

    def __init__(
        self, plan: EndpointPlan, online: OnlineStore, settings: ServeSettings, folder: Path, meter: Meter
    ) -> None:
        self.plan = plan
        self.schema = InstanceSchema(plan.fields)
        self.lookup = Lookup(plan, online)
        self.log = WriteAheadLog(folder / plan.name, settings.durability)
        self.serving = Serving()
        self._meter = meter
        self._entity = _entity_positions(plan)
        self._shadow = Shadow(plan.name, self.log, meter, limit=max(settings.queue, settings.max_rows))
        self._commit = GroupCommit(self.log.sync) if settings.durability == "disk" else None
        self._batching = Batching(self.score)

    async def predict(self, call: Call) -> Answer:
        """The champion's answer, once it is in the log.

        A request is scored at once if that is fastest; where rows cost less together (request features, a model that
        prefers batches) it joins whatever else is waiting at that moment.

        Raises:
            NotReady: No version may be served, or the log can't be written.
            FeatureError: A feature can't be computed from this request.
            EngineFailed: The model failed.
            StoreError: The online store or the log can't be used; nothing was acknowledged.
        """
        champion = self.serving.champion
        if champion is not None and (self.lookup.needs_frames or champion.gathers):
            answer = await self._batching.join(call)
        else:
            answer = self.score([call])[0]
        if self._commit is not None:
            await self._commit.wait()
        return answer

    def score(self, calls: Sequence[Call]) -> list[Answer]:
        """Answers for calls that are scored together and logged in one write; raises as :meth:`predict`."""
        serving = self.serving
        champion = serving.champion
        if champion is None:
            raise NotReady(
                f"endpoint {self.plan.name} has no version to answer with",
                found=serving.problems.get("champion", f"no champion of model {self.plan.model}"),
                do="Run the project, or promote a version",
            )
        batch = Batch(calls)
        vectors, ages, away = self._look_up(batch)
        inputs = self._encode(champion, vectors)
        outputs = champion.predict(inputs)
        facts = Facts(vectors, ages, [self._entity_of(row) for row in batch.rows])
        self._write(champion, batch, facts, inputs, outputs)
        self._count(champion, inputs, facts.ages)
        if serving.shadow is not None:
            self._shadow.offer(serving.shadow, batch, facts)
        return _share(calls, outputs, champion, away)

    def _look_up(self, batch: Batch) -> tuple[list[list[Any]], list[list[float]], tuple[str, ...]]:
        """Feature values and ages, and the views that could not be read."""
        try:
            return *self.lookup.vectors(batch.rows, batch.ats), ()
        except StoreError:
            if self.plan.features_away == "refuse":
                raise
            _log.exception("endpoint %s answers without its views", self.plan.name)
            self._meter.counters["features_away"][(self.plan.name,)] += len(batch.rows)
            return *self.lookup.without_views(batch.rows), self.lookup.views

    async def feedback(self, labels: Sequence[Feedback]) -> int:
        """Keeps labels that came; how many.

        Raises:
            StoreError: The log can't be written; nothing was kept.
        """
        self._append(b"".join(map(pack, labels)))
        self._meter.counters["feedback"][(self.plan.name,)] += len(labels)
        if self._commit is not None:
            await self._commit.wait()
        return len(labels)

    def close(self) -> None:
        """Finishes shadow work and closes the log."""
        self._shadow.close()
        if self._commit is not None:
            self._commit.close()
        self.log.close()

    def _encode(self, champion: LoadedVersion, vectors: Sequence[Sequence[Any]]) -> list[list[float]]:
        try:
            return [champion.encode(vector) for vector in vectors]
        except (TypeError, ValueError) as error:
            raise FeatureError(f"a feature value does not suit {champion.record.key}: {error}") from error

    def _entity_of(self, row: Row) -> str:
        """The text by which feedback may name the row; as ``features.label`` writes it for training rows."""
        values = [row[at] for at in self._entity]
        return "" if None in values else "|".join([str(value) for value in values])

    def _write(
        self,
        champion: LoadedVersion,
        batch: Batch,
        facts: Facts,
        inputs: Sequence[list[float]],
        outputs: Sequence[Output],
    ) -> None:
        logged = now()
        clock = time.perf_counter_ns()
        record = champion.record
        frames = [
            pack(
                Prediction(
                    request_id=call.request_id,
                    row=row,
                    endpoint=self.plan.name,
                    at=call.ats[row],
                    logged_at=logged,
                    model=record.model,
                    version=record.version,
                    role="champion",
                    entity=entity,
                    request=embed(call.raws[row]),
                    values=values,
                    ages=ages,
                    prediction=output,
                    latency_us=(clock - call.started) // 1_000,
                )
            )
            for (call, row), entity, values, ages, output in zip(
                batch.places, facts.entities, inputs, facts.ages, outputs, strict=True
            )
        ]
        self._append(b"".join(frames))

    def _append(self, frames: bytes) -> None:
        try:
            self.log.append(frames)
        except StoreError:
            self._meter.counters["log_refused"][(self.plan.name,)] += 1
            raise

    def _count(self, champion: LoadedVersion, inputs: Sequence[list[float]], ages: Sequence[list[float]]) -> None:
        self._meter.counters["batches"][(self.plan.name,)] += 1
        self._meter.predicted(self.plan.name, "champion", champion.record, len(inputs))
        for values, aged in zip(inputs, ages, strict=True):
            self._meter.looked_up(self.plan.name, champion.names, values, self.lookup.views, aged)


def _entity_positions(plan: EndpointPlan) -> list[int]:
    fields = {field.name: (at, field.type) for at, field in enumerate(plan.fields)}
    for name in plan.entity:
        if name not in fields or fields[name][1] not in {"string", "int"}:
            raise ProjectError(
                f"endpoint {plan.name!r} can't name its predictions by {name}",
                found=fields[name][1] if name in fields else "no such field",
                expected="a string or int field of the request",
            )
    return [fields[name][0] for name in plan.entity]


def _share(
    calls: Sequence[Call], outputs: Sequence[Output], champion: LoadedVersion, away: tuple[str, ...]
) -> list[Answer]:
    answers: list[Answer] = []
    at = 0
    for call in calls:
        until = at + len(call.rows)
        answers.append(
            Answer(
                predictions=list(outputs[at:until]),
                request_id=call.request_id,
                model_version=champion.record.version,
                features_away=list(away) or UNSET,
            )
        )
        at = until
    return answers
