"""Who answers: the version that the route names, the champion in its place, a fallback in the champion's.

A version that fails, gives what is no number, or misses the deadline is stood in for, and the log says for whom: a
caller is not to suffer from a canary, and what a canary did not answer is evidence against it.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Generator, Sequence
from functools import partial
from typing import Any, NamedTuple, TypeAlias

from drivetrain.core.errors import FeatureError
from drivetrain.serve.breaker import Breaker
from drivetrain.serve.deadline import Deadline
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.refusal import EngineFailed
from drivetrain.serve.serving import Serving
from drivetrain.serve.version import LoadedVersion, Output

Vectors: TypeAlias = Sequence[Sequence[Any]]


class Part(NamedTuple):
    """Rows of a batch that one version answered.

    Attributes:
        version: Who answered.
        places: Which rows.
        inputs: What it was given, row by row.
        outputs: What it said.
        failed: Version that should have answered; 0 where nobody failed, ``version``'s own number where the endpoint's
            default is the answer.
    """

    version: LoadedVersion
    places: Sequence[int]
    inputs: list[list[float]]
    outputs: list[Output]
    failed: int = 0


class _Asked(NamedTuple):
    version: LoadedVersion
    inputs: list[list[float]]


_Steps: TypeAlias = Generator[_Asked, list[Output], Part]


class Answering:
    """The versions of one endpoint, asked in turn.

    Args:
        plan: The endpoint.
        stood_in: Told the number of a version whenever others answer in its place, and for how many rows.
    """

    def __init__(self, plan: EndpointPlan, stood_in: Callable[[int, int], None]) -> None:
        self._name = plan.name
        self._default = plan.fallback if isinstance(plan.fallback, float) else None
        self._seconds = plan.deadline
        self._stood_in = stood_in
        self._breakers: defaultdict[int, Breaker] = defaultdict(Breaker)
        self._threads: dict[int, Deadline[list[Output]]] = {}

    def answer(self, serving: Serving, version: LoadedVersion, places: Sequence[int], vectors: Vectors) -> Part:
        """Asks a version, and others where it fails.

        Raises:
            EngineFailed: Nobody could answer.
            FeatureError: A value does not suit the version.
        """
        breaker = self._breakers[version.number]
        problem = None
        if not breaker.failures:  # nearly always; what follows is for the rest
            try:
                inputs = list(map(version.encode, vectors))
            except (TypeError, ValueError) as error:
                raise _unsuited(version, error) from error
            try:
                outputs = version.predict(inputs)
            except EngineFailed as error:
                breaker.failed()
                problem = error
            else:
                return Part(version, places, inputs, outputs)
        steps = self._steps(serving, version, places, vectors, problem)
        on: Callable[[], _Asked] = partial(next, steps)
        while True:
            try:
                asked = on()
            except StopIteration as done:
                part: Part = done.value
                return part
            try:
                on = partial(steps.send, asked.version.predict(asked.inputs))
            except EngineFailed as error:
                on = partial(steps.throw, error)

    async def answer_in_time(
        self, serving: Serving, version: LoadedVersion, places: Sequence[int], vectors: Vectors, started: int
    ) -> Part:
        """As :meth:`answer`, each version on a thread of its own and none beyond the deadline.

        Args:
            serving: As for :meth:`answer`.
            version: As for :meth:`answer`.
            places: As for :meth:`answer`.
            vectors: As for :meth:`answer`.
            started: When the earliest request came; the monotonic clock, nanoseconds.
        """
        steps = self._steps(serving, version, places, vectors)
        on: Callable[[], _Asked] = partial(next, steps)
        while True:
            try:
                asked = on()
            except StopIteration as done:
                part: Part = done.value
                return part
            left = (self._seconds or 0.0) - (time.perf_counter_ns() - started) / 1e9
            thread = self._thread(asked.version.record.version)
            try:
                on = partial(steps.send, await thread.run(partial(asked.version.predict, asked.inputs), left))
            except EngineFailed as error:
                # Whoever stands in after the deadline gets as long again: a late answer beats none.
                started = time.perf_counter_ns()
                on = partial(steps.throw, error)

    def left_alone(self) -> list[int]:
        """Versions whose breaker is open."""
        return [number for number, breaker in list(self._breakers.items()) if breaker.is_open]

    def close(self) -> None:
        """Lets the threads end."""
        for thread in self._threads.values():
            thread.close()

    def _steps(
        self,
        serving: Serving,
        version: LoadedVersion,
        places: Sequence[int],
        vectors: Vectors,
        problem: EngineFailed | None = None,
    ) -> _Steps:
        """Asks those who may answer, one after the other; where there is a problem, the version was asked already."""
        asked = problem is not None
        wanted = version.record.version
        inputs: list[list[float]] = []
        for candidate in dict.fromkeys((version, serving.champion, serving.fallback)):
            if candidate is None or (asked and candidate is version):
                continue
            number = candidate.record.version
            breaker = self._breakers[number]
            if not breaker.lets_through():
                problem = problem or EngineFailed(
                    f"{candidate.record.key} has failed too often and is left alone for a while",
                    do="Ask whoever owns the model",
                )
                continue
            inputs = encoded(candidate, vectors)
            try:
                outputs = yield _Asked(candidate, inputs)
            except EngineFailed as error:
                breaker.failed()
                problem = problem or error
                continue
            breaker.succeeded()
            if candidate is version:
                return Part(version, places, inputs, outputs)
            self._stood_in(wanted, len(places))
            return Part(candidate, places, inputs, outputs, wanted)
        if self._default is None:
            raise problem or EngineFailed(f"endpoint {self._name} has nobody to answer")
        self._stood_in(wanted, len(places))
        return Part(version, places, encoded(version, vectors), [self._default] * len(places), wanted)

    def _thread(self, number: int) -> Deadline[list[Output]]:
        if number not in self._threads:
            self._threads[number] = Deadline(f"engine-{self._name}-v{number}")
        return self._threads[number]


def encoded(version: LoadedVersion, vectors: Vectors) -> list[list[float]]:
    """A version's input rows.

    Raises:
        FeatureError: A value does not suit it.
    """
    try:
        return list(map(version.encode, vectors))
    except (TypeError, ValueError) as error:
        raise _unsuited(version, error) from error


def _unsuited(version: LoadedVersion, error: Exception) -> FeatureError:
    return FeatureError(f"a feature value does not suit {version.record.key}: {error}")
