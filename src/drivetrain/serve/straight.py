"""The straight road: a call that the champion answers whole, where nobody chooses and nobody listens in; most do that.

What is logged and counted is what :class:`~drivetrain.serve.dataplane.Dataplane` logs and counts for a batch of the one
call. All that is the same for every call is bound once.
"""

from __future__ import annotations

import time
from collections.abc import Sequence

from drivetrain.serve.call import Call
from drivetrain.serve.instance import Row
from drivetrain.serve.log.frame import pack_prediction
from drivetrain.serve.log.keeping import Keeping
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.telemetry import Tally
from drivetrain.serve.version import LoadedVersion, Output


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
        self.number = champion.record.version
        self.count = tally.count
        self._who = plan.name, champion.record.model, self.number
        self._entity = entity
        self._keeping = keeping

    def frames(
        self,
        call: Call,
        logged: int,
        inputs: Sequence[Sequence[float]],
        ages: Sequence[Sequence[float]],
        outputs: Sequence[Output],
    ) -> bytes:
        """The log's frames of an answered call.

        Args:
            call: The call.
            logged: The moment they are logged at.
            inputs: The champion's input, row by row.
            ages: Of each row's values, in the order of the views.
            outputs: What the champion said.
        """
        if not (self._keeping.whole or self._keeping.keeps(call.request_id)):
            return b""
        latency = (time.perf_counter_ns() - call.started) // 1_000
        if len(outputs) == 1:
            return self._frame(call, 0, (logged, latency), inputs[0], ages[0], outputs[0])
        return b"".join(
            self._frame(call, row, (logged, latency), inputs[row], ages[row], output)
            for row, output in enumerate(outputs)
        )

    def _frame(
        self,
        call: Call,
        row: int,
        times: tuple[int, int],
        values: Sequence[float],
        ages: Sequence[float],
        output: Output,
    ) -> bytes:
        endpoint, model, number = self._who
        logged, latency = times
        raw, keeping = call.raws[row], self._keeping
        return pack_prediction(
            (
                call.request_id,
                row,
                endpoint,
                call.ats[row],
                logged,
                model,
                number,
                "champion",
                entity_of(self._entity, call.rows[row]) if self._entity else "",
                bytes(raw) if keeping.whole else keeping.request(raw),
                values,
                ages,
                output,
                latency,
                "",
                "",
                1.0,
                0,
                keeping.weight,
            )
        )


def entity_of(places: Sequence[int], row: Row) -> str:
    """The text by which feedback may name a row; as ``features.label`` writes it for training rows.

    Args:
        places: Where in the row its parts are.
        row: The row.
    """
    values = [row[at] for at in places]
    return "" if None in values else "|".join([str(value) for value in values])
