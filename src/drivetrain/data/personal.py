"""Which columns look personal: by what they are called, and by what a sample of their values holds."""

from __future__ import annotations

import re
from collections import Counter

import msgspec
import polars as pl

from drivetrain.data.column import Privacy
from drivetrain.data.mask import masked
from drivetrain.data.privacy.entities import Entities, entity_rows
from drivetrain.data.privacy.scan import scan_rows, texts_of
from drivetrain.data.privacy.span import LIKELY, SENSITIVE, Kind, Span

SAMPLE = 2_000
"""Values of a column that are looked at, spread over it."""
READ = 500
"""Values of a column of text that are looked at where names are looked for, which takes a thousand times as long."""
_WHOLE = 0.8
"""Share of a value that a span must cover for the value to be such a thing, and not a text that mentions one."""
_BY_CHANCE = 0.2
"""Share of values up to which numbers of another kind pass a check: one in ten is right by Luhn."""
_WORDS: dict[Kind, str] = {
    "email": r"e?_?mail|email_?address|e-mail",
    "phone": r"phone|tel|telephone|mobile|cell|fax|telefon|handy|msisdn",
    "card": r"card_?(?:number|no|num)|pan|credit_?card|ccn",
    "iban": r"iban|account_?(?:number|no)|konto",
    "national number": r"ssn|nino|national_?id|tax_?id|steuer_?id|bsn|dni|nie|codice_?fiscale|insee|passport",
    "ip": r"ip|ip_?address|remote_?addr|client_?ip",
    "mac": r"mac|mac_?address",
    "address": r"address|street|strasse|zip|postcode|postal_?code|plz",
    "name": r"(?:first|last|full|sur|given|family|customer|user)_?name|vorname|nachname|name_?of",
    "birth date": r"dob|birth_?(?:date|day)|date_?of_?birth|geburtsdatum",
    "location": r"lat|lon|lng|latitude|longitude|geo",
}
_NAMED = {
    kind: re.compile(rf"(?:^|[_\s\-.])(?:{words})(?:$|[_\s\-.\d])", re.IGNORECASE) for kind, words in _WORDS.items()
}


class Verdict(msgspec.Struct, frozen=True, kw_only=True):
    """What a column looks like.

    Attributes:
        column: Its name.
        kind: What its values are, or mention.
        privacy: The class it should have at least.
        score: How sure, 0 to 1.
        share: Share of the values looked at in which it was found; none where only the name says so.
        whole: Whether values are such things, and not texts that mention them.
        evidence: What that rests on, in words.
        examples: Some that were found, masked.
        declared: The class that a contract gives it, if there is one.
    """

    column: str
    kind: Kind
    privacy: Privacy
    score: float
    share: float | None
    whole: bool
    evidence: tuple[str, ...]
    examples: tuple[str, ...] = ()
    declared: Privacy | None = None


def verdicts(
    frame: pl.DataFrame, declared: dict[str, Privacy] | None = None, entities: Entities | None = None
) -> list[Verdict]:
    """Columns that look personal, surest first, each as the surest kind of thing it holds.

    Args:
        frame: Rows; a sample of each column is looked at.
        declared: Column → class that a contract gives it.
        entities: Finds names of people and places in text; they are not looked for without it.

    Example:
        >>> [v.kind for v in verdicts(pl.DataFrame({"contact": ["ada@example.org", "bob@example.org"], "n": [1, 2]}))]
        ['email']
    """
    found = [verdict(column, (declared or {}).get(column.name), entities) for column in frame.iter_columns()]
    return sorted((one for one in found if one is not None), key=lambda one: (-one.score, one.column))


def verdict(column: pl.Series, declared: Privacy | None = None, entities: Entities | None = None) -> Verdict | None:
    """What one column looks like; none where it looks like nothing personal.

    Args:
        column: Its name and values, of which a sample is looked at.
        declared: The class that a contract gives it.
        entities: Finds names of people and places in text; they are not looked for without it.
    """
    if column.name.startswith("_") or column.dtype.is_nested() or column.dtype in (pl.Boolean, pl.Binary):
        return None
    named = _kind(column.name)
    reader = entities if column.dtype == pl.String else None
    values = (
        [] if column.dtype.is_temporal() or column.dtype.is_float() else _sample(column, READ if reader else SAMPLE)
    )
    spans = _spans(values, named, reader)
    counts = Counter({kind: len({place for place, _ in places}) for kind, places in spans.items()})
    kind = max(counts, key=lambda one: (one == named, counts[one]), default=named)
    if kind is None:
        return None
    many = counts[kind]
    share = many / len(values) if values else None
    if not many and (kind not in {"name", "birth date", "location", "address"}):
        return None  # the name alone is not enough where values would show it
    places = spans.get(kind, [])
    whole = bool(places) and sum(_covers(values[place], span) for place, span in places) > len(places) / 2
    if kind != named and whole and (share or 0) < _BY_CHANCE and kind != "email":
        return None
    evidence = [f"the name says {kind}"] if kind == named else []
    if places:
        evidence.append(f"{many:,} of {len(values):,} values {'are' if whole else 'mention'} one: {_why(places)}")
    examples = dict.fromkeys(masked(_cut(values[place], span)) for place, span in places[:40])
    return Verdict(
        column=column.name,
        kind=kind,
        privacy="sensitive" if kind in SENSITIVE else "personal",
        score=_score(kind == named, places, share),
        share=share if places else None,
        whole=whole,
        evidence=tuple(evidence),
        examples=tuple(examples)[:3],
        declared=declared,
    )


def called(column: pl.Series) -> Verdict | None:
    """What a column is called after, whatever its values say: for who must write none of them down; none for flags.

    Example:
        >>> called(pl.Series("phone", [491701234000, 491701234001])).evidence
        ('the name says phone, though no value does',)
    """
    kind = _kind(column.name)
    flags = column.dtype.is_integer() and bool(column.drop_nulls().is_in([0, 1]).all())
    if kind is None or flags or not (column.dtype == pl.String or column.dtype.is_numeric()):
        return None
    return Verdict(
        column=column.name,
        kind=kind,
        privacy="sensitive" if kind in SENSITIVE else "personal",
        score=0.0,
        share=None,
        whole=False,
        evidence=(f"the name says {kind}, though no value does",),
    )


def _kind(name: str) -> Kind | None:
    return next((kind for kind, pattern in _NAMED.items() if pattern.search(name)), None)


def _spans(values: list[str], named: Kind | None, entities: Entities | None) -> dict[Kind, list[tuple[int, Span]]]:
    """Kind → the value's number and the span, of each that is likely or what the column's name says."""
    found = scan_rows(values, least=0.3 if named else LIKELY)
    if entities is not None:
        found += entity_rows(entities, values)
    spans: dict[Kind, list[tuple[int, Span]]] = {}
    for place, span in found:
        if span.kind == named or span.score >= LIKELY:
            spans.setdefault(span.kind, []).append((place, span))
    return spans


def _sample(column: pl.Series, size: int) -> list[str]:
    step = max(1, -(-len(column.drop_nulls()) // size))
    return [text[:4_000] for text in texts_of(column.drop_nulls().gather_every(step))]


def _score(named: bool, places: list[tuple[int, Span]], share: float | None) -> float:  # noqa: FBT001 - a fact, no switch
    surest = sum(span.score for _, span in places) / len(places) if places else 0.0
    found = surest * min(1.0, 0.5 + (share or 0.0))
    return round(min(0.99, max(found, 0.6 if named else 0.0) + (0.2 if named and places else 0.0)), 2)


def _covers(value: str, span: Span) -> bool:
    return span.end - span.start >= _WHOLE * len(value.encode())


def _cut(value: str, span: Span) -> str:
    return value.encode()[span.start : span.end].decode(errors="replace")


def _why(places: list[tuple[int, Span]]) -> str:
    return Counter(span.why for _, span in places).most_common(1)[0][0]
