"""A card that was made already, with the mark that its version serves by exception."""

from __future__ import annotations

import re

from markupsafe import escape

_BADGE = re.compile(rb'<span class="badge (?:good|bad)">[^<]*</span>')
_HEADER = b"</header>"


def by_exception(card: bytes, words: str) -> bytes:
    """The card of a version that its gates refused, as ``card.html.jinja`` would say that it serves all the same.

    Args:
        card: HTML, as :func:`card_html` made it.
        words: By whom, when and why.
    """
    marked = _BADGE.sub(b'<span class="badge warn">serves by exception</span>', card, count=1)
    line = f'  <p class="small"><b>By exception:</b> {escape(words)}</p>\n'.encode()
    before, header, after = marked.partition(_HEADER)
    return before + line + header + after if header else line + marked
