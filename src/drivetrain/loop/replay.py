"""Months of traffic in minutes: raw rows arrive, callers ask, labels come when they are known, monitors look."""

from __future__ import annotations

import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby
from queue import SimpleQueue
from typing import Any

import polars as pl
from msgspec.structs import replace

from drivetrain.core.clock import DAY, MINUTE, SECOND, Micros, datetime_of, iso, micros_of, now
from drivetrain.core.errors import UnknownName, UsageError
from drivetrain.core.ids import derived_id
from drivetrain.core.progress import Progress
from drivetrain.core.records import Decision, Policy, Replay
from drivetrain.loop.client import Client
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint, Traffic
from drivetrain.loop.observed import observed_labels
from drivetrain.loop.serving_plan import serve_settings
from drivetrain.registry.aliases import current

PATIENCE = 30.0
"""Seconds to wait for a server that is starting, reloading or being restarted."""
LABELS_A_CALL = 2_000
CALLERS = 8
BOARD = 30 * MINUTE
"""Instances asked within the same half hour come in one call, as from one departures board."""


@dataclass(frozen=True)
class Call:
    """One request: instances asked within the same minutes, each as of its own moment."""

    id: str
    instances: list[dict[str, Any]]
    ats: list[datetime]


class Player:
    """Plays one traffic against one endpoint.

    Every request carries an id made of its content, so that one sent again after a kill is the same request.

    Args:
        project: Whose endpoint it is.
        endpoint: Which one; not needed where there is one.
        bring: Ingests what has arrived and updates online features.
        look: One tick of the monitors as of a moment.
    """

    def __init__(
        self,
        project: Definitions,
        endpoint: str | None,
        *,
        bring: Callable[[], object],
        look: Callable[[Micros], list[Decision]],
    ) -> None:
        self._project = project
        self._endpoint = project.find_endpoint(endpoint)
        self._traffic = _traffic(self._endpoint)
        settings = serve_settings(project)
        self._client = Client(settings, patience=PATIENCE)
        self._clients: SimpleQueue[Client] = SimpleQueue()
        for _ in range(CALLERS):
            self._clients.put(Client(settings, patience=PATIENCE))
        self._bring = bring
        self._look = look

    def play(self, since: Micros, until: Micros, progress: Progress) -> Replay:
        """Plays ``[since, until)`` day by day, from where an earlier call was stopped.

        Raises:
            UsageError: The time ends before it starts.
            NotReady: No server answers.
        """
        if until <= since:
            raise UsageError("a replay must end after it starts", found=f"{datetime_of(since)} to {datetime_of(until)}")
        catalog = self._project.store.catalog
        name = self._endpoint.name
        fresh = Replay(endpoint=name, since=since, until=until, done=since, at=now())
        state = replace(catalog.get(Replay, fresh.key) or fresh, until=until)
        self._client.describe(name)
        task = f"replay {name}"
        progress.start(task, total=(until - since) // DAY)
        progress.advance(task, (state.done - since) // DAY)
        ahead = ThreadPoolExecutor(1)
        arriving = ahead.submit(self._arrive, state.done, min(state.done + DAY, until))
        while state.done < until:
            began = time.perf_counter()
            day, end = state.done, min(state.done + DAY, until)
            arriving.result()
            arriving = ahead.submit(self._arrive, end, min(end + DAY, until))
            requests, instances, labels = self._day(day, end)
            arriving.result()
            state = replace(
                state,
                done=end,
                requests=state.requests + requests,
                instances=state.instances + instances,
                labels=state.labels + labels,
                seconds=state.seconds + time.perf_counter() - began,
            )
            decisions = self._look(end)
            catalog.commit(state)
            if decisions:
                self._await_aliases(self._endpoint)
            words = f"{datetime_of(day):%d %b}: {state.instances:,} predictions, {state.labels:,} labels"
            progress.advance(task, 1, note=f"{words}; {decisions[-1].what}" if decisions else words)
        progress.finish(task, f"{state.instances:,} predictions, {state.labels:,} labels")
        ahead.shutdown()
        self._client.close()
        while not self._clients.empty():
            self._clients.get().close()
        return state

    def _arrive(self, since: Micros, until: Micros) -> None:
        """Lets the rows of a day arrive; while the day before is still asked about, as reads go by availability."""
        if since < until:
            self._traffic.deliver(since, until)
            self._bring()

    def _day(self, since: Micros, until: Micros) -> tuple[int, int, int]:
        calls = _calls(self._traffic.requests(since, until))
        with ThreadPoolExecutor(CALLERS) as callers:
            for _ in callers.map(self._call, calls):
                pass
        requests, instances = len(calls), sum(len(call.instances) for call in calls)
        labels = observed_labels(self._project, self._endpoint.model, since, until)
        for piece in labels.iter_slices(LABELS_A_CALL):
            self._client.feedback(self._endpoint.name, piece.to_dicts())
        return requests, instances, labels.height

    def _call(self, call: Call) -> None:
        client = self._clients.get()
        try:
            client.predict(self._endpoint.name, call.instances, at=call.ats, request_id=call.id)
        finally:
            self._clients.put(client)

    def _await_aliases(self, endpoint: Endpoint) -> None:
        """Waits until the server answers with the versions that the catalog names, by the policy it names."""
        wanted = current(self._project.store, endpoint.model.name)
        policy = self._project.store.catalog.get(Policy, endpoint.name)
        if policy is not None and policy.mode != "champion":
            wanted["policy"] = policy.at
        deadline = time.monotonic() + PATIENCE
        while time.monotonic() < deadline:
            workers = self._client.describe(endpoint.name)["workers"]
            if all(
                worker.get(role) == wanted.get(role) for worker in workers for role in ("champion", "shadow", "policy")
            ):
                return
            time.sleep(0.05)


def replayed(project: Definitions, state: Replay, began: Micros) -> dict[str, Any]:
    """What a replay came to, in figures and in words."""
    decisions = [
        decision
        for decision in project.store.catalog.find(Decision)
        if state.since <= decision.at < state.until + DAY and decision.what not in {"alert", "ingest", "register"}
    ]
    rate = state.instances / state.seconds if state.seconds else 0.0
    counts = f"{state.instances:,} predictions in {state.requests:,} requests, {state.labels:,} labels"
    return {
        "endpoint": state.endpoint,
        "since": iso(state.since),
        "until": iso(state.until),
        "requests": state.requests,
        "instances": state.instances,
        "labels": state.labels,
        "seconds": state.seconds,
        "wall_seconds": (now() - began) / SECOND,
        "decisions": [
            {"at": iso(decision.at), "what": decision.what, "because": decision.because} for decision in decisions[::-1]
        ],
        "words": f"{counts}; {rate:,.0f} predictions a second with everything else; {len(decisions)} decisions.",
    }


def _traffic(endpoint: Endpoint) -> Traffic:
    if endpoint.traffic is None:
        raise UnknownName(
            f"endpoint {endpoint.name!r} has no traffic to replay",
            do="Declare it: project.endpoint(…, traffic=dt.Traffic(requests=…, deliver=…))",
        )
    return endpoint.traffic


def _calls(requests: pl.DataFrame) -> list[Call]:
    """Requests as calls, in the order of their moments."""
    ordered = requests.with_columns(pl.col("at").cast(pl.Datetime("us", "UTC"))).sort("at", maintain_order=True)
    calls: list[Call] = []
    boards = groupby(ordered.to_dicts(), key=lambda row: micros_of(row["at"]) // BOARD)
    for board, rows in boards:
        instances = list(rows)
        ats = [row.pop("at") for row in instances]
        calls.append(Call(derived_id("replay", str(board), repr(instances)), instances, ats))
    return calls
