"""Finding one prediction, whether it is in a table already or only in a worker's segments."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import polars as pl

from drivetrain.core.records import Prediction
from drivetrain.serve.log.columns import predictions_of, predictions_table
from drivetrain.serve.log.compact import endpoints
from drivetrain.serve.log.frame import MAGIC, Entry, Frame, scan, unpack
from drivetrain.serve.log.segment import segments
from drivetrain.store.bundle import Store


def find(store: Store, folder: Path, request_id: str, endpoint: str | None = None) -> list[Prediction]:
    """Everything logged for a request, by row, then role (champion first).

    Args:
        store: Where the tables are.
        folder: The log folder of the server.
        request_id: The request.
        endpoint: Where it was sent, if known; looking everywhere takes longer.

    Returns:
        The predictions; none if nothing by that id was ever acknowledged, or it was erased.
    """
    tables = set(store.tables.names())
    logged = {name.split("/")[1] for name in tables if name.startswith("log/") and name.endswith("/predictions")}
    names = [endpoint] if endpoint is not None else sorted(logged | set(endpoints(folder)))
    found: dict[tuple[int, str], Prediction] = {}
    for name in names:
        for entry in in_segments(folder / name, [request_id.encode()]):
            if isinstance(entry, Prediction) and entry.request_id == request_id:
                found.setdefault((entry.row, entry.role), entry)
        table = predictions_table(name)
        if table in tables:
            rows = store.tables.scan(table).filter(pl.col("request_id") == request_id).collect()
            found |= {(entry.row, entry.role): entry for entry in predictions_of(rows)}
    return [found[key] for key in sorted(found)]


def in_segments(place: Path, needles: Sequence[bytes]) -> Iterator[Entry]:
    """Entries of an endpoint's segments whose bytes hold any of the needles, in the order they were logged."""
    for path in segments(place):
        try:
            data = path.read_bytes()
        except FileNotFoundError:
            continue  # compacted meanwhile: it is in the table
        for piece in scan(data, len(MAGIC)):
            if isinstance(piece, Frame) and any(needle in piece.body for needle in needles):
                yield unpack(piece.body)
