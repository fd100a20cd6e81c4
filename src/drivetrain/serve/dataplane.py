"""Where every protocol meets: calls come in, features are looked up, the champion answers, the answer is logged."""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, TypeAlias

from msgspec import UNSET
from msgspec.structs import replace

from drivetrain.core.clock import Micros
from drivetrain.core.errors import NotReady, StoreError
from drivetrain.core.protocols import OnlineStore
from drivetrain.core.records import Feedback, Prediction
from drivetrain.core.settings import ServeSettings
from drivetrain.data.treatment import Keys
from drivetrain.serve.answering import Answering, Part
from drivetrain.serve.batching import Batching
from drivetrain.serve.call import Answer, Batch, Call, Facts
from drivetrain.serve.entity import entity_of, entity_positions
from drivetrain.serve.instance import InstanceSchema, Row
from drivetrain.serve.log.commit import GroupCommit
from drivetrain.serve.log.frame import pack
from drivetrain.serve.log.joint import JointWrite
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.log.wal import WriteAheadLog
from drivetrain.serve.lookup import Lookup
from drivetrain.serve.narrow import NarrowLookup, narrowed
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.reading import reads, told
from drivetrain.serve.routing.router import STRAIGHT
from drivetrain.serve.serving import Serving
from drivetrain.serve.shadow import Shadow
from drivetrain.serve.straight import Straight
from drivetrain.serve.telemetry import Meter, Tally
from drivetrain.serve.treating import RequestTreating
from drivetrain.serve.turnstile import Turnstile
from drivetrain.serve.version import LoadedVersion, Output
from drivetrain.serve.work import Work, share

_log = logging.getLogger(__name__)


OfferExplained: TypeAlias = Callable[[LoadedVersion, Batch, Facts, list[Output], Sequence[int]], None]


class Dataplane:
    """One endpoint in one worker.

    Args:
        plan: The endpoint.
        online: Where its views' rows are.
        settings: Limits and durability.
        folder: The server's log folder.
        meter: What is counted.
        keys: Keys that fields of a request are treated with.

    Raises:
        ProjectError: Its predictions would be named by what may not be kept.
        SettingsError: A key is not where it was said to be.
    """

    def __init__(
        self,
        plan: EndpointPlan,
        online: OnlineStore,
        settings: ServeSettings,
        folder: Path,
        meter: Meter,
        keys: Keys | None = None,
    ) -> None:
        self.plan = plan
        self._treating = RequestTreating(plan, keys)
        self.schema = InstanceSchema(plan.fields, self._treating.row if self._treating else None)
        self.lookup = Lookup(plan, online)
        self._online = online
        self._read: tuple[frozenset[str], NarrowLookup | None] = frozenset(), None
        self.log = WriteAheadLog(folder / plan.name, settings.durability)
        self.serving = Serving()
        self.offer_explained: OfferExplained | None = None
        """Takes answers of which some are to be explained in the log."""
        self.keeping = Keeping(plan.withheld, settings.log_share, self._treating)
        self._meter = meter
        self._own = (plan.name,)  # the label of its counters
        self._batches = meter.counters["batches"]
        self._tallies: dict[tuple[int, str], Tally] = {}
        self._entity = entity_positions(plan)
        self._shadow = Shadow(
            plan.name, self.log, meter, keeping=self.keeping, limit=max(settings.queue, settings.max_rows)
        )
        self.in_company: Callable[[], bool] = bool
        """Tells whether other requests are under way, which may be logged in one write."""
        self._joint = None if settings.durability == "memory" else JointWrite(self.log.append)
        self._commit = GroupCommit(self.log.sync) if settings.durability == "disk" else None
        self._answering = Answering(plan, self._stood_in)
        self._turnstile = Turnstile()
        self._batching = Batching(self.score, self.score_in_time)
        self._as_asked = self.lookup.names == self.schema.names
        self._bound_to: Serving | None = None
        self._straight: Straight | None = None

    async def predict(self, call: Call) -> Answer:
        """The answer of whoever the policy names, once it is in the log.

        A request is scored at once if that is fastest; where rows cost less together (request features, a model that
        prefers batches) it joins whatever else is waiting at that moment. Where the endpoint has a deadline, models run
        beside the event loop, and what comes meanwhile is their next batch.

        Raises:
            NotReady: No version may be served, or the log can't be written.
            FeatureError: A feature can't be computed from this request.
            EngineFailed: The model failed, and nobody stood in for it.
            StoreError: The online store or the log can't be used; nothing was acknowledged.
        """
        serving = self.serving
        if serving is not self._bound_to:
            self._bind(serving)
        straight, champion = self._straight, serving.champion
        if straight is not None and self.offer_explained is None and not straight.champion.heavy(len(call.rows)):
            answer = await self._go_straight(straight, serving, call)
        elif self.plan.deadline is not None:
            answer = await self._batching.join_in_time(call)
        elif champion is not None and (self._lookup_of(serving).needs_frames or champion.gathers):
            answer = await self._batching.join(call)
        elif champion is not None and champion.heavy(len(call.rows)):
            await self._turnstile.pass_through()
            answer = self.score([call])[0]
        else:
            answer = await self._score_alone(call)
        if self._commit is not None:
            await self._commit.wait()
        return answer

    def score(self, calls: Sequence[Call]) -> list[Answer]:
        """Answers for calls that are scored together and logged in one write; raises as :meth:`predict`."""
        work = self._begin(calls)
        parts = self._asked(work)
        self._append(self._frames(work, parts))
        return self._finish(work, parts)

    async def _score_alone(self, call: Call) -> Answer:
        """As :meth:`score` for one call, which may share the write with others."""
        work = self._begin([call])
        parts = self._asked(work)
        await self._keep(self._frames(work, parts))
        return self._finish(work, parts)[0]

    def _asked(self, work: Work) -> list[Part]:
        return [
            self._answering.answer(work.serving, version, places, work.vectors(places))
            for version, places in work.asked
        ]

    def _bind(self, serving: Serving) -> None:
        """Finds out whether calls go straight to the champion: nothing to gather, choose or hurry, no listener."""
        champion = serving.champion
        alone = serving.router is None and serving.shadow is None and self.plan.deadline is None
        if champion is None or not alone or self._lookup_of(serving).needs_frames or champion.gathers:
            self._straight = None
        else:
            tally = self._tally(champion, "champion")
            self._straight = Straight(self.plan, champion, self._entity, self.keeping, tally)
        self._bound_to = serving

    async def _go_straight(self, straight: Straight, serving: Serving, call: Call) -> Answer:
        """What :meth:`_score_alone` answers, with less to carry."""
        champion = straight.champion
        vectors, ages, away = self._look_up(serving, call.rows, call.ats)
        part = self._answering.answer(serving, champion, range(len(vectors)), vectors)
        if part.failed:
            batch = Batch([call])
            facts = Facts(vectors, ages, [entity_of(self._entity, row) for row in batch.rows])
            work = Work(serving, batch, facts, away, [STRAIGHT] * len(vectors), [])
            await self._keep(self._frames(work, [part]))
            return self._finish(work, [part])[0]
        await self._keep(straight.frames(call, self.log.moment(), part, ages))
        self._batches[self._own] += 1
        straight.count(part.inputs, ages)
        if champion.decides is None:
            return Answer(part.outputs, call.request_id, champion.number, features_away=list(away) or UNSET)
        follows = told(reads(part) or ())
        return Answer(part.outputs, call.request_id, champion.number, features_away=list(away) or UNSET, **follows)

    def _tally(self, version: LoadedVersion, role: str) -> Tally:
        key = version.record.version, role
        if key not in self._tallies:
            self._tallies[key] = Tally(self._meter, self.plan.name, role, version.record, self.lookup.views)
        return self._tallies[key]

    async def score_in_time(self, calls: Sequence[Call]) -> list[Answer]:
        """As :meth:`score`, with the endpoint's deadline."""
        work = self._begin(calls)
        started = min(call.started for call in calls)
        parts = [
            await self._answering.answer_in_time(work.serving, version, places, work.vectors(places), started)
            for version, places in work.asked
        ]
        self._append(self._frames(work, parts))
        return self._finish(work, parts)

    def _begin(self, calls: Sequence[Call]) -> Work:
        """What has to be known before a model is asked, and which."""
        serving = self.serving
        champion = serving.champion
        if champion is None:
            raise NotReady(
                f"endpoint {self.plan.name} has no version to answer with",
                found=serving.problems.get("champion", f"no champion of model {self.plan.model}"),
                do="Run the project, or promote a version",
            )
        batch = Batch(calls)
        vectors, ages, away = self._look_up(serving, batch.rows, batch.ats)
        facts = Facts(vectors, ages, [entity_of(self._entity, row) for row in batch.rows])
        if serving.router is None:
            return Work(serving, batch, facts, away, [STRAIGHT] * len(vectors), [(champion, range(len(vectors)))])
        route = serving.router.route
        routes = [
            route(call.request_id, place, row) for (call, place), row in zip(batch.places, batch.rows, strict=True)
        ]
        asked: dict[LoadedVersion, list[int]] = {}
        for at, way in enumerate(routes):
            asked.setdefault(serving.arms.get(way.version, champion), []).append(at)
        return Work(serving, batch, facts, away, routes, list(asked.items()))

    def _finish(self, work: Work, parts: Sequence[Part]) -> list[Answer]:
        """Counts what was answered and is in the log, and lets the shadow see it."""
        self._count(work, parts)
        if self.offer_explained is not None:
            for part in parts:
                if part.failed != part.version.record.version:  # a declared default is no model's answer
                    self.offer_explained(part.version, work.batch, work.facts, part.outputs, part.places)
        if work.serving.shadow is not None:
            self._shadow.offer(work.serving.shadow, work.batch, work.facts)
        return share(work, parts)

    def _stood_in(self, version: int, rows: int) -> None:
        self._meter.counters["stood_in"][self.plan.name, str(version)] += rows

    def reading(self, versions: Iterable[LoadedVersion]) -> NarrowLookup | None:
        """What looks up what versions read; none where that is all that the endpoint declares."""
        read = frozenset(name for version in versions for name in version.names)
        if not read:
            return None
        if read != self._read[0]:
            plan = narrowed(self.plan, read)
            self._read = read, None if plan is self.plan else NarrowLookup(self.lookup, plan, self._online)
        return self._read[1]

    def _lookup_of(self, serving: Serving) -> Lookup | NarrowLookup:
        return serving.lookup or self.lookup

    def _look_up(
        self, serving: Serving, rows: Sequence[Row], ats: Sequence[Micros]
    ) -> tuple[Sequence[Sequence[Any]], list[list[float]], tuple[str, ...]]:
        """Feature values and ages, and the views that could not be read."""
        if self._as_asked:
            return rows, [[]] * len(rows), ()
        try:
            vectors, ages = self._lookup_of(serving).vectors(rows, ats)
        except StoreError:
            if self.plan.features_away == "refuse":
                raise
            _log.exception("endpoint %s answers without its views", self.plan.name)
            self._meter.counters["features_away"][self._own] += len(rows)
            lookup = self._lookup_of(serving)
            return *lookup.without_views(rows), lookup.views
        return vectors, ages, ()

    async def feedback(self, labels: Sequence[Feedback]) -> int:
        """Keeps labels that came; how many.

        Raises:
            RequestError: One is named by values that are treated, and has too few or too many; nothing was kept.
            StoreError: The log can't be written; nothing was kept.
        """
        self._append(b"".join(pack(self._stamped(label, at)) for at, label in enumerate(labels)))
        self._meter.counters["feedback"][self._own] += len(labels)
        if self._commit is not None:
            await self._commit.wait()
        return len(labels)

    def _stamped(self, label: Feedback, place: int) -> Feedback:
        """The label as logged at this moment; one that names no moment of its own came at it, too."""
        moment = self.log.moment()
        entity = label.entity
        if self._treating and entity:
            entity = self._treating.entity(entity, f"feedback[{place}].entity")
        return replace(label, logged_at=moment, at=moment if label.at == label.logged_at else label.at, entity=entity)

    def left_alone(self) -> list[int]:
        """Versions that failed too often and are not asked for a while."""
        return self._answering.left_alone()

    def close(self) -> None:
        """Finishes shadow work and closes the log."""
        self._shadow.close()
        self._answering.close()
        if self._commit is not None:
            self._commit.close()
        self.log.close()

    def _frames(self, work: Work, parts: Sequence[Part]) -> bytes:
        """The log's frames of what was answered."""
        logged = self.log.moment()
        clock = time.perf_counter_ns()
        champion = work.serving.champion
        frames = []
        for version, places, inputs, outputs, failed in parts:
            record = version.record
            for at, values, output in zip(places, inputs, outputs, strict=True):
                call, row = work.batch.places[at]
                way = work.routes[at]
                # What an experiment is judged by is never left out.
                if not way.experiment and not self.keeping.keeps(call.request_id):
                    continue
                frames.append(
                    pack(
                        Prediction(
                            request_id=call.request_id,
                            row=row,
                            endpoint=self.plan.name,
                            at=call.ats[row],
                            logged_at=logged,
                            model=record.model,
                            version=record.version,
                            role="champion" if version is champion else "challenger",
                            entity=work.facts.entities[at],
                            request=self.keeping.request(call.raws[row]),
                            values=self.keeping.values(version.names, values),
                            ages=work.facts.ages[at],
                            prediction=output,
                            latency_us=(clock - call.started) // 1_000,
                            experiment=way.experiment,
                            arm=way.arm,
                            probability=way.probability,
                            failed=failed or (way.version if way.version not in (0, record.version) else 0),
                            weight=1.0 if way.experiment else self.keeping.weight,
                        )
                    )
                )
        return b"".join(frames)

    async def _keep(self, frames: bytes) -> None:
        """Appends frames, with those of others who are under way at this moment; raises as :meth:`predict`."""
        if self._joint is None or not self.in_company():
            self._append(frames)
            return
        try:
            await self._joint.append(frames)
        except StoreError:
            self._meter.counters["log_refused"][self._own] += 1
            raise

    def _append(self, frames: bytes) -> None:
        try:
            self.log.append(frames)
        except StoreError:
            self._meter.counters["log_refused"][self._own] += 1
            raise

    def _count(self, work: Work, parts: Sequence[Part]) -> None:
        counters = self._meter.counters
        self._batches[self._own] += 1
        for version, places, inputs, _, _ in parts:
            role = "champion" if version is work.serving.champion else "challenger"
            self._tally(version, role).count(inputs, [work.facts.ages[at] for at in places])
        if work.serving.router is not None:
            for way in work.routes:
                counters["routed"][self.plan.name, way.experiment, way.arm] += 1
