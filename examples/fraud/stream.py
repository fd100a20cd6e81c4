"""Payments as they are made: each is scored over HTTP, then pushed; outcomes are pushed when they become known.

A payment is scored as of the moment before it (``at`` is its time less a microsecond), so that neither its own push nor
that of another payment of the same second can count in its score, whatever the order they arrive in.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Iterator
from datetime import timedelta
from heapq import merge
from typing import Any, TypeAlias

import numpy as np
import polars as pl

from drivetrain.core.progress import Progress
from drivetrain.loop.client import Client
from drivetrain.loop.project import Project

TASK = "stream payments"
AGAIN = 25
"""Of so many payments one is scored once more after its own push: the answer must be the same."""
BEFORE = timedelta(microseconds=1)
_TOLD = 100

Row: TypeAlias = dict[str, Any]


class Stream:
    """Plays payments and outcomes against a project's server, in the order they become known, call after call.

    Args:
        project: Its endpoints score, its views are pushed to.
        client: Calls its server.

    Attributes:
        payments: Those scored, by number, in order.
        scores: Endpoint → its scores of them.
        again: How many payments were scored once more after their own push.
        changed: Payments that then got another score, by number.
        outcomes: How many outcomes were pushed.
        took: Kind of call → how long each took as its caller saw it, seconds.
        seconds: From the first call to the last.
    """

    def __init__(self, project: Project, client: Client) -> None:
        self._client = client
        self._fields = {
            name: [field["name"] for field in client.describe(name)["request"]] for name in project.endpoints
        }
        self._views: dict[str, list[str]] = defaultdict(list)
        for view in project.views.values():
            self._views[view.source.name].append(view.name)
        self.payments: list[int] = []
        self.scores: dict[str, list[float]] = {name: [] for name in project.endpoints}
        self.again = 0
        self.changed: list[int] = []
        self.outcomes = 0
        self.took: dict[str, list[float]] = defaultdict(list)
        self.seconds = 0.0

    def play(self, transactions: pl.DataFrame, outcomes: pl.DataFrame, progress: Progress) -> None:
        """Plays rows as the project's tables would have them; ``time`` and ``known_at`` say in which order."""
        progress.start(TASK, transactions.height)
        began = time.perf_counter()
        for source, row in _in_order(transactions, outcomes):
            if source == "outcomes":
                self._push(source, row)
                self.outcomes += 1
                continue
            said = {name: self._score(name, row) for name in self.scores}
            self._push(source, row)
            self.payments.append(row["transaction_id"])
            for name, score in said.items():
                self.scores[name].append(score)
            if len(self.payments) % AGAIN == 0:
                self.again += 1
                if said != {name: self._score(name, row) for name in self.scores}:
                    self.changed.append(row["transaction_id"])
            if len(self.payments) % _TOLD == 0:
                progress.advance(TASK, _TOLD, note=f"{row['time']:%d %b %H:%M}, {len(self.payments):,} payments")
        self.seconds += time.perf_counter() - began
        progress.finish(TASK, f"{len(self.payments):,} scored by {len(self.scores)} endpoints and pushed")

    def milliseconds(self, call: str, share: float) -> float:
        """How long the given share of calls of a kind took at most."""
        return float(np.quantile(self.took[call], share)) * 1_000

    def _score(self, endpoint: str, row: Row) -> float:
        instance = {name: row[name] for name in self._fields[endpoint]}
        began = time.perf_counter()
        answer = self._client.predict(endpoint, [instance], at=row["time"] - BEFORE)
        self.took[f"score by {endpoint}"].append(time.perf_counter() - began)
        score: float = answer["predictions"][0]
        return score

    def _push(self, source: str, row: Row) -> None:
        for view in self._views[source]:
            began = time.perf_counter()
            self._client.call("POST", f"/v1/features/{view}/push", {"events": [row]})
            self.took[f"push to {view}"].append(time.perf_counter() - began)


def _in_order(transactions: pl.DataFrame, outcomes: pl.DataFrame) -> Iterator[tuple[str, Row]]:
    """Payments and outcomes, by source, in the order they become known; of equal moments outcomes first."""
    paid = (
        (row["time"], 1, "transactions", row)
        for row in transactions.sort("time", "transaction_id").iter_rows(named=True)
    )
    told = ((row["known_at"], 0, "outcomes", row) for row in outcomes.sort("known_at").iter_rows(named=True))
    for *_, source, row in merge(told, paid, key=lambda event: event[:2]):
        yield source, row
