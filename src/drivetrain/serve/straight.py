"""The straight road: a call that the champion answers whole, where nobody chooses and nobody listens in; most do that.

What is logged and counted is what :class:`~drivetrain.serve.dataplane.Dataplane` logs and counts for a batch of the one
call. All that is the same for every call is bound once.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence

from msgspec import Raw

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
        request_id, keeping = call.request_id, self._keeping
        if not (keeping.whole or keeping.keeps(request_id)):
            return b""
        request: Callable[[Raw], bytes | Raw] = bytes if keeping.whole else keeping.request
        latency = (time.perf_counter_ns() - call.started) // 1_000
        endpoint, model, number = self._who
        rows, ats, raws, entity, weight = call.rows, call.ats, call.raws, self._entity, keeping.weight
        return b"".join(
            [
                pack_prediction(
                    (
                        request_id,
                        row,
                        endpoint,
                        ats[row],
                        logged,
                        model,
                        number,
                        "champion",
                        entity_of(entity, rows[row]) if entity else "",
                        request(raws[row]),
                        inputs[row],
                        ages[row],
                        output,
                        latency,
                        "",
                        "",
                        1.0,
                        0,
                        weight,
                    )
                )
                for row, output in enumerate(outputs)
            ]
        )


def entity_of(places: Sequence[int], row: Row) -> str:
    """The text by which feedback may name a row; as ``features.label`` writes it for training rows.

    Args:
        places: Where in the row its parts are.
        row: The row.
    """
    values = [row[at] for at in places]
    return "" if None in values else "|".join([str(value) for value in values])
