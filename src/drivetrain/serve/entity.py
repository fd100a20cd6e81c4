"""What a row is about: the text by which feedback may name its prediction."""

from __future__ import annotations

from collections.abc import Sequence

from drivetrain.core.errors import ProjectError
from drivetrain.serve.instance import Row
from drivetrain.serve.plan import EndpointPlan


def entity_positions(plan: EndpointPlan) -> list[int]:
    """Where in a row its parts are.

    Raises:
        ProjectError: A part is no field of the request, can't name anything, or may not be kept.
    """
    fields = {field.name: (at, field.type) for at, field in enumerate(plan.fields)}
    for name in plan.entity:
        if name not in fields or fields[name][1] not in {"string", "int"}:
            raise ProjectError(
                f"endpoint {plan.name!r} can't name its predictions by {name}",
                found=fields[name][1] if name in fields else "no such field",
                expected="a string or int field of the request",
            )
        field = plan.fields[fields[name][0]]
        if name in plan.withheld:
            raise ProjectError(
                f"endpoint {plan.name!r} would name its predictions by {name} in the log, which is {field.privacy}",
                do="Treat the column with dt.pseudonym(…), or key the label's source by something that may be kept",
            )
    return [fields[name][0] for name in plan.entity]


def entity_of(places: Sequence[int], row: Row) -> str:
    """The text by which feedback may name a row; as ``features.label`` writes it for training rows.

    Args:
        places: Where in the row its parts are.
        row: The row.
    """
    values = [row[at] for at in places]
    return "" if None in values else "|".join([str(value) for value in values])
