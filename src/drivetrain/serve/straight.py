"""The straight road: a call that the champion answers whole, where nobody chooses and nobody listens in; most do that.

What is logged and counted is what :class:`~drivetrain.serve.dataplane.Dataplane` logs and counts for a batch of the one
call. All that is the same for every call is bound once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from drivetrain.core.clock import Micros
from drivetrain.serve.answering import Part
from drivetrain.serve.call import Call
from drivetrain.serve.entity import entity_of
from drivetrain.serve.log.frame import pack_prediction
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.telemetry import Tally
from drivetrain.serve.version import LoadedVersion


class Straight:
    """What is known beforehand of the calls that one champion answers.

    Args:
        plan: The endpoint.
        champion: Who answers.
        entity: Positions of the fields that name what a row is about.
        keeping: What the log keeps of a request.
        tally: What its answers count for.
    """

    def __init__(
        self, plan: EndpointPlan, champion: LoadedVersion, entity: Sequence[int], keeping: Keeping, tally: Tally
    ) -> None:
        self.champion = champion
        self.count = tally.count
        self._who = plan.name, champion.record.model, champion.number
        self._entity = entity
        self._keeping = keeping
        self._names = champion.names
        self._all_kept = not keeping.blank(champion.names)

    def frames(self, call: Call, logged: Micros, part: Part, ages: Sequence[Sequence[float]]) -> bytes:
        """The log's frames of an answered call.

        Args:
            call: The call.
            logged: The moment they are logged at.
            part: What the champion was given, and said.
            ages: Of each row's values, in the order of the views.
        """
        request_id, keeping, entity, raws, inputs = call.request_id, self._keeping, self._entity, call.raws, part.inputs
        whole, all_kept = keeping.whole, self._all_kept
        if not (whole or keeping.keeps(request_id)):
            return b""
        endpoint, model, number = self._who
        latency = (time.perf_counter_ns() - call.started) // 1_000
        frames = []
        for row, output in enumerate(part.outputs):
            fields = (
                request_id,
                row,
                endpoint,
                call.ats[row],
                logged,
                model,
                number,
                "champion",
                entity_of(entity, call.rows[row]) if entity else "",
                bytes(raws[row]) if whole else keeping.request(raws[row]),
                inputs[row] if all_kept else keeping.values(self._names, inputs[row]),
                ages[row],
                output,
                latency,
                "",
                "",
                1.0,
                0,
                keeping.weight,
            )
            frames.append(pack_prediction(fields))
        return b"".join(frames)
