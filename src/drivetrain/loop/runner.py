"""Runs steps once each: content-addressed, committed atomically, resumed after a kill."""

from __future__ import annotations

import os
import socket
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, field

from msgspec.structs import replace

from drivetrain.core.clock import now
from drivetrain.core.errors import DrivetrainError, StoreError
from drivetrain.core.hashing import Digest, digest
from drivetrain.core.notebook import shown
from drivetrain.core.progress import Progress, watcher
from drivetrain.core.protocols import Catalog, Lease, Leases
from drivetrain.core.records import Link, Step
from drivetrain.loop.node import Node, Outputs, in_order
from drivetrain.store.leases import heartbeat

LEASE = "run"
LEASE_SECONDS = 6.0


@dataclass(frozen=True)
class Ran:
    """What came of one step."""

    name: str
    cached: bool
    outputs: Outputs
    seconds: float


@dataclass(frozen=True)
class Outcome:
    """What came of a run."""

    steps: tuple[Ran, ...]
    seconds: float
    refused: tuple[str, ...] = field(default=())
    """Reasons why a version that was trained may not serve."""

    _repr_html_ = shown

    @property
    def did(self) -> tuple[Ran, ...]:
        """The steps that really ran."""
        return tuple(step for step in self.steps if not step.cached)

    def output(self, step: str, name: str) -> str:
        """The ref that a step put out under a name."""
        return next(ran.outputs[name] for ran in self.steps if ran.name == step)


def identity(node: Node, environment: Digest, outputs: Mapping[str, Outputs]) -> Step:
    """The record a step would have, with its key, before it runs."""
    inputs = {need: digest(outputs[need]) for need in node.needs}
    inputs |= node.outside()
    key = digest([node.name, node.code, node.parameters, environment, inputs])
    return Step(
        digest=key,
        name=node.name,
        code=node.code,
        parameters=node.parameters,
        environment=environment,
        inputs=inputs,
    )


def holder() -> str:
    """Who this process is to others that want the same lease."""
    return f"{socket.gethostname()}:{os.getpid()}"


def take_lease(leases: Leases, name: str, seconds: float = LEASE_SECONDS) -> Lease:
    """The lease, waiting for the last holder's to expire if it was killed.

    Raises:
        StoreError: Somebody is alive and holds it.
    """
    deadline = time.monotonic() + seconds + 1.0
    while (lease := leases.acquire(name, holder(), seconds)) is None:
        if time.monotonic() > deadline:
            raise StoreError(
                f"another process is working on {name!r} in this project",
                do="Wait for it to finish, or stop it",
            )
        time.sleep(0.1)
    return lease


@contextmanager
def holding(leases: Leases, name: str, seconds: float = LEASE_SECONDS) -> Iterator[Lease]:
    """A lease for as long as the block lasts.

    Raises:
        StoreError: Somebody is alive and holds it.
        LeaseLost: It was lost meanwhile.
    """
    lease = take_lease(leases, name, seconds)
    with heartbeat(leases, lease, seconds):
        yield lease


def run_nodes(
    nodes: Mapping[str, Node],
    *,
    catalog: Catalog,
    leases: Leases,
    environment: Digest,
    progress: Progress | None = None,
    given: Mapping[str, Outputs] | None = None,
) -> tuple[Ran, ...]:
    """Brings every node up to date, each once, in order.

    A step whose key is in the catalog as done is not run again. A step that raises is recorded as failed and ends the
    run; everything done before it stays done.

    Args:
        nodes: What to bring up to date.
        catalog: Where steps are recorded.
        leases: Where the right to work is had.
        environment: Digest of what code runs in.
        progress: Who watches.
        given: Outputs of steps that the nodes need and that are not among them: they are taken as they stand.

    Raises:
        DrivetrainError: What the failing step raised.
        StoreError: Another process is running this project.
    """
    watching = watcher(progress)
    outputs: dict[str, Outputs] = dict(given or {})
    ran: list[Ran] = []
    with ExitStack() as held:
        alone = False
        for node in in_order(nodes):
            step = identity(node, environment, outputs)
            known = _done(catalog, step)
            if known is None and not alone:
                held.enter_context(holding(leases, LEASE))
                alone = True
                known = _done(catalog, step)  # whoever held the lease before may have run it
            cached = known is not None
            known = known or _execute(node, step, catalog, outputs, watching)
            ran.append(Ran(node.name, cached=cached, outputs=known.outputs, seconds=known.seconds))
            outputs[node.name] = known.outputs
    return tuple(ran)


def _done(catalog: Catalog, step: Step) -> Step | None:
    known = catalog.get(Step, step.key)
    return known if known is not None and known.status == "done" else None


def _execute(node: Node, step: Step, catalog: Catalog, outputs: Mapping[str, Outputs], progress: Progress) -> Step:
    began, clock = now(), time.perf_counter()
    catalog.commit(replace(step, at=began))
    try:
        made = node.action({need: outputs[need] for need in node.needs}, progress)
    except DrivetrainError as error:
        catalog.commit(replace(step, at=began, status="failed", error=str(error), finished=now()))
        raise
    done = replace(step, at=began, status="done", outputs=made, seconds=time.perf_counter() - clock, finished=now())
    lineage = [Link(done.ref, ref, name) for name, ref in made.items()]
    lineage += [Link(ref, done.ref, f"{need}.{name}") for need in node.needs for name, ref in outputs[need].items()]
    catalog.commit(done, links=lineage)
    return done
