"""Guardrails between the looks of a watch: a canary that fails, or is slow, is ended within seconds.

A look of the watch compacts logs, takes in sources and may train a version; what broke meanwhile would wait for the
next one. So a thread beside it follows the write-ahead logs of endpoints with a canary, and counts what a guardrail
counts. Where one looks broken or doubted, the canary is judged as the watch judges it, on the whole log.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

import polars as pl

from drivetrain.core import clock
from drivetrain.core.errors import DrivetrainError, StoreError
from drivetrain.core.records import Decision, Guardrail, Policy, Prediction, Rollout
from drivetrain.experiment.canary import BY_ANSWER, State, counts_against, state_of_rate
from drivetrain.experiment.policies import CANARY
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.routing import answers_of, follow_policy
from drivetrain.monitor.alerting.sinks.log import log
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.compact import alone, moved
from drivetrain.serve.log.segment import segments
from drivetrain.serve.log.tail import Tail

PAUSE = 0.5
"""Seconds between two looks at what is new in the logs."""
AWAY = 5.0
"""The same after one that failed: what is away is not asked as often."""
PARTING = 10.0
"""Seconds that a process which ends waits for a decision that is under way."""
REMEMBERED = 10_000
"""Newest answers of a canary among which a request that is sent again is recognised."""
_KEY = ("request_id", "row", "role")
_WORSE: dict[State, int] = {"kept": 0, "open": 0, "doubted": 1, "broken": 2}


class Ward:
    """One canary, and how its guardrails on errors and slow answers stand by what is logged so far.

    Args:
        project: Whose endpoint it is.
        endpoint: The endpoint.
        policy: Its policy.
        rollout: The policy's.
    """

    def __init__(self, project: Definitions, endpoint: Endpoint, policy: Policy, rollout: Rollout) -> None:
        self._project = project
        self._endpoint = endpoint
        self._policy = policy
        self._rollout = rollout
        self._rails = watched_rails(rollout)
        self._known = 0
        self._begin()

    def worse(self) -> bool:
        """Whether a guardrail stands worse than when the canary was last judged; reads what is new in the log."""
        entries = self._tail.read()
        if entries is None:
            self._begin()
        else:
            for entry in entries:
                if isinstance(entry, Prediction) and self._counts(entry) and self._is_new(entry):
                    self._of += 1
                    for place, rail in enumerate(self._rails):
                        self._bad[place] += (
                            entry.failed != 0 if rail.metric == "errors" else entry.latency_us > rail.micros
                        )
        return self._standing() > self._known

    def judged(self) -> None:
        """The canary was judged on the whole log: only what is worse than that is worth another look.

        What came while it was judged nobody has judged, though the tables have it by now.
        """
        seen = self._standing()
        self._begin()
        self._known = min(seen, self._standing())

    def _standing(self) -> int:
        counted = zip(self._rails, self._bad, strict=True)
        return max(_WORSE[state_of_rate(rail, self._rollout, bad, self._of)] for rail, bad in counted)

    def _counts(self, entry: Prediction) -> bool:
        """As :func:`answers_of` has it."""
        return (
            entry.arm == CANARY
            and entry.experiment == self._policy.experiment
            and entry.role != "shadow"
            and entry.at >= self._rollout.began
            and (not self._policy.overrides or entry.probability < 1.0)
        )

    def _is_new(self, entry: Prediction) -> bool:
        """Whether it is no request sent again: the tables keep the first answer alone."""
        key = entry.request_id, entry.row, entry.role
        if key in self._seen:
            return False
        self._seen[key] = None
        if len(self._seen) > REMEMBERED:
            del self._seen[next(iter(self._seen))]
        return True

    def _begin(self) -> None:
        """Counts what the tables hold; the log is read from there on.

        Nobody compacts in between, and one version of the table says both: what it holds, and up to where.
        """
        project, name = self._project, self._endpoint.name
        folder: Path = project.log_folder / name
        table, tables = predictions_table(name), project.store.tables
        begin: dict[str, int | None] = {}
        with alone(folder) if folder.is_dir() else nullcontext():
            if folder.is_dir():
                moved(project.store, name, folder)
            version = tables.version(table)
            begin = {path.stem: tables.transaction(table, path.stem, version) for path in segments(folder)}
        self._tail = Tail(folder, {stem: at for stem, at in begin.items() if at is not None})
        self._of, self._bad = 0, [0] * len(self._rails)
        self._seen: dict[tuple[str, int, str], None] = {}
        answers = answers_of(project, self._endpoint, self._policy, version)
        if answers is not None:
            mine = answers.filter(pl.col("arm") == CANARY)
            found = mine.select(
                pl.len(), *(counts_against(rail).sum().alias(str(at)) for at, rail in enumerate(self._rails))
            )
            self._of, *self._bad = map(int, found.collect().row(0))
            newest = mine.select("logged_at", *_KEY).top_k(REMEMBERED, by="logged_at").sort("logged_at")
            self._seen = dict.fromkeys(newest.select(_KEY).collect().iter_rows())


def watched_rails(rollout: Rollout) -> tuple[Guardrail, ...]:
    """Guardrails of a canary that an answer alone can break."""
    return tuple(rail for rail in rollout.guardrails if rail.metric in BY_ANSWER)


class Guard:
    """Looks at what is new of every canary; without one, at nothing but whether the catalog has changed.

    What goes wrong with one endpoint keeps nobody from looking at the others; that one is tried again a little later.

    Args:
        project: Whose endpoints.

    Attributes:
        problems: Endpoint → what went wrong with it the last time.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project
        self._revision = -1
        self._wards: dict[str, tuple[Policy, Ward]] = {}
        self._waits: dict[str, float] = {}
        self.problems: dict[str, Exception] = {}

    def look(self) -> list[Decision]:
        """One look; what was decided by it."""
        self._follow()
        decisions: list[Decision] = []
        for name, (_, ward) in [*self._wards.items()]:
            with self._apart(name):
                if ward.worse():
                    endpoint = self._project.endpoints[name]
                    decisions += follow_policy(self._project, endpoint, clock.now(), growing=False)
                    ward.judged()
        return decisions

    @contextmanager
    def _apart(self, name: str) -> Iterator[None]:
        """Keeps what goes wrong in the block to one endpoint; its ward begins anew, for what it counted may lack."""
        try:
            yield
        except Exception as error:  # noqa: BLE001 - the guard must outlive a mistake; it is told and tried again
            self.problems[name] = error
            self._waits[name] = time.monotonic() + AWAY
            self._wards.pop(name, None)
        else:
            self.problems.pop(name, None)
            self._waits.pop(name, None)

    def _follow(self) -> None:
        """Takes up canaries that began or moved, and lets go of those that ended."""
        catalog = self._project.store.catalog
        revision = catalog.revision()
        if revision == self._revision and not self._waits:
            return
        found: dict[str, tuple[Policy, Ward]] = {}
        names: set[str] = set()
        for policy in catalog.find(Policy):
            name, rollout = policy.endpoint, policy.rollout
            if policy.mode != "canary" or rollout is None or not watched_rails(rollout):
                continue
            if name not in self._project.endpoints:
                continue
            names.add(name)
            known = self._wards.get(name)
            if known is not None and known[0] == policy:
                found[name] = known
            elif time.monotonic() >= self._waits.get(name, 0.0):
                with self._apart(name):
                    found[name] = policy, Ward(self._project, self._project.endpoints[name], policy, rollout)
        self._wards, self._revision = found, revision
        for name in self._waits.keys() - names:
            del self._waits[name], self.problems[name]


class GuardThread:
    """A guard that looks by itself, every half second.

    Args:
        project: Whose endpoints.
        tell: Called with every decision.
    """

    def __init__(self, project: Definitions, tell: Callable[[Decision], None]) -> None:
        self._guard = Guard(project)
        self._tell = tell
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._work, name="guardrails", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Lets a decision that is under way end."""
        self._over.set()
        self._thread.join(PARTING)

    def _work(self) -> None:
        said: dict[str, str] = {}
        while not self._over.wait(AWAY if "" in said else PAUSE):
            problems: dict[str, Exception] = {}
            try:
                for decision in self._guard.look():
                    self._tell(decision)
                problems |= self._guard.problems
            except Exception as error:  # noqa: BLE001 - the guard must outlive a mistake; it is logged and tried again
                problems[""] = error
            told = {name: _in_words(name, error) for name, error in problems.items()}
            for name, words in told.items():
                if said.get(name) != words:
                    known = isinstance(problems[name], DrivetrainError)
                    log.warning("%s", words, exc_info=None if known else problems[name])
            said = told


def _in_words(name: str, error: Exception) -> str:
    what = f"guardrails of {name}" if name else "guardrails"
    if isinstance(error, StoreError):
        return f"{what} wait, for the store is away: {error}"
    if isinstance(error, DrivetrainError):
        return f"{what} can't be looked at: {error}"
    return f"{what} can't be looked at, and are tried again: {type(error).__name__}"


@contextmanager
def guarding(project: Definitions, tell: Callable[[Decision], None]) -> Iterator[GuardThread]:
    """Guards canaries beside the block."""
    thread = GuardThread(project, tell)
    try:
        yield thread
    finally:
        thread.close()
