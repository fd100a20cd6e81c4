"""``/audit``: who did what, when, to what, and whether that account is whole."""

from __future__ import annotations

from urllib.parse import urlencode

import msgspec
from fastapi import APIRouter, Request
from fastapi.responses import HTMLResponse

from drivetrain.web.asking import DeskOf, SoughtOf
from drivetrain.web.rendering import page

router = APIRouter(include_in_schema=False)

PAGE = 50
CHECKED = 2_000
"""A chain of more entries is only checked when that is asked for: every record is read for it."""


@router.get("/audit")
def audit(
    request: Request,
    desk: DeskOf,
    sought: SoughtOf,
    head: str = "",
    check: bool = False,  # noqa: FBT001, FBT002 - a field of the address
    page_number: int = 1,
) -> HTMLResponse:
    """Newest entries first."""
    verify = check or desk.audit(limit=0).total <= CHECKED
    skip = (max(page_number, 1) - 1) * PAGE
    found = desk.audit(
        sought.about, what=sought.what, who=sought.who, skip=skip, limit=PAGE, verify=verify, head=head or None
    )
    asked = {name: text or "" for name, text in msgspec.structs.asdict(sought).items()}
    return page(
        request,
        "audit.html",
        account=found,
        asked=asked,
        address=urlencode({name: text for name, text in asked.items() if text}),
        head=head,
        page_number=max(page_number, 1),
        pages=max(1, -(-found.found // PAGE)),
    )
