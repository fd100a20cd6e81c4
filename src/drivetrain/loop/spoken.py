"""What a version's run said of itself, for whoever is told of it elsewhere: parameters, histories, figures, files."""

from __future__ import annotations

from collections.abc import Iterator

import msgspec

from drivetrain.core.records import Evaluation, Metric, ModelVersion, RegisteredVersion, Run
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.refs import resolve

_OURS = ("mlflow.", "drivetrain.")


class Spoken:
    """A version's run.

    Args:
        project: Whose.
        version: The version.
    """

    def __init__(self, project: Definitions, version: ModelVersion) -> None:
        self._store, self._version = project.store, version
        self.run = resolve(project, Run, f"run:{version.run_id}")
        self.evaluation = self._store.catalog.get(Evaluation, version.run_id)
        ref = self.run.inputs.get("registered", "")
        logged = resolve(project, RegisteredVersion, ref).run_id if ref else ""
        self._said_by = logged or self.run.run_id
        """Whose histories are meant: the run itself, or the one that a client logged and registered."""

    def parameters(self) -> dict[str, str]:
        """Name → value, as text."""
        logged = self._store.run_log.parameters([self._said_by])[self._said_by]
        return {**{name: str(value) for name, value in self.run.parameters.items()}, **logged}

    def tags(self) -> dict[str, str]:
        """Name → value, of those that a client set."""
        logged = self._store.run_log.tags([self._said_by])[self._said_by]
        return {name: value for name, value in logged.items() if not name.startswith(_OURS)}

    def metrics(self) -> Iterator[Metric]:
        """Every point of every metric; of one that has no history, its value."""
        known = self._store.run_log.latest([self._said_by])[self._said_by]
        for name in known:
            yield from self._store.run_log.history(self._said_by, name)
        for name, value in self.run.metrics.items():
            if name not in known:
                yield Metric(key=name, value=float(value), at=self.run.at)

    def judged(self) -> Iterator[Metric]:
        """The figures of its evaluation, each called ``test.…``."""
        for name, measure in (self.evaluation.metrics if self.evaluation else {}).items():
            yield Metric(key=f"test.{name}", value=measure.value, at=self._version.at)

    def papers(self) -> dict[str, bytes]:
        """The run's record, its evaluation with the intervals, and the card: path → bytes."""
        found = {"run.json": msgspec.json.format(msgspec.json.encode(self.run), indent=1)}
        if self.evaluation is not None:
            found["evaluation.json"] = msgspec.json.format(msgspec.json.encode(self.evaluation), indent=1)
        if self._version.card is not None:
            found["card.html"] = self._store.blobs.get(self._version.card)
        return found
