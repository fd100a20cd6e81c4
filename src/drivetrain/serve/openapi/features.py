"""``/v1/features``: what a push takes and gives."""

from __future__ import annotations

from drivetrain.core.settings import ServeSettings
from drivetrain.serve.openapi.operation import Operation, in_json
from drivetrain.serve.openapi.schema import WHOLE, listed, record


def push(view: str, settings: ServeSettings) -> Operation:
    """Events for a view."""
    event = {"type": "object", "description": "A row as the view's table has it; the source's contract says what fits."}
    return Operation(
        summary=f"Push events into view {view}",
        description="The next prediction sees them. All of them are kept, or none; one that is sent twice counts once.",
        body=in_json(record({"events": listed(event, most=settings.max_rows)})),
        answer=in_json(record({"pushed": WHOLE}), {"pushed": 1}),
    )
