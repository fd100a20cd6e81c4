"""What docs/sources.md shows runs."""

from __future__ import annotations

import re
from pathlib import Path

from drivetrain.core.progress import Silent
from drivetrain.core.settings import StoreSettings
from drivetrain.data.ingest import ingest
from drivetrain.store.bundle import open_store

PAGE = Path(__file__).parents[2] / "docs" / "sources.md"


def test_every_block_declares_what_it_says_and_local_sources_are_taken_in(tmp_path):
    names: dict[str, object] = {}
    for block in re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL):
        exec(block, names)
    raw = tmp_path / "raw"
    (raw / "orders").mkdir(parents=True)
    (raw / "orders" / "1.csv").write_text(
        "order_id,ordered,amount\n1,2026-07-01T09:00:00Z,5\n2,2026-07-01T10:00:00Z,-5\n"
    )
    (raw / "airports.csv").write_text("faa,zone\nEWR,America/New_York\n")
    (raw / "flights.csv").write_text('flight,leaves,price,distance,dest\n A1 ,01.07.2026 09:30,"1.000,50 €",100,EWR\n')
    project = names["project"]
    store = open_store(StoreSettings(), tmp_path)
    sources = {name: project.sources[name] for name in ("orders", "airports", "flights", "sensors")}
    made = {
        name: ingest(store, source, folder=tmp_path, now=1, progress=Silent(), sources=project.sources)
        for name, source in sources.items()
    }
    [flight] = store.tables.read("flights").select("flight", "price", "distance", "zone").to_dicts()
    store.close()
    assert {name: version.rows for name, version in made.items()} == {
        "orders": 1,
        "airports": 1,
        "flights": 1,
        "sensors": 1,
    }
    assert made["orders"].quarantined == 1
    assert flight == {"flight": "A1", "price": 1000.5, "distance": 160.9344, "zone": "America/New_York"}
    assert made["flights"].reasons["mi to km: distance changed"] == 1
