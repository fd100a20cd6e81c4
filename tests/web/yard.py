"""A project that really ran: five files of orders, a column that changed, personal data, rows that were set aside."""

from __future__ import annotations

import random
from pathlib import Path

from drivetrain.loop.project import Project

SECRET = "zoe@example.org"
_CODE = """
import drivetrain as dt

project = dt.Project("yard", objective="Count orders", metric="average_precision")
orders = project.source(
    "orders",
    dt.files("raw/*.csv"),
    key="id",
    time="at",
    contract=dt.Contract(
        {
            "id": dt.Column("int"),
            "at": dt.Column("time", nullable=False),
            "customer": dt.Column("string", nullable=False, privacy="personal"),
            "email": dt.Column("string", pattern="@", privacy="personal", description="Where the receipt goes"),
            "amount": dt.Column("float", low=0, high=5000, description="Euros"),
            "country": dt.Column("string", among=("de", "fr", "it")),
            "ok": dt.Column("bool"),
        },
        on_new_column="add",
    ),
    description="Every order of the yard",
)
project.source("rates", dt.files("rates.csv"), key="day", contract=dt.Contract({"day": dt.Column("date")}))
project.feature_view(
    "spent", entity=dt.Entity("customer", keys=["customer"]), source=orders, ttl="60d",
    features=[dt.mean("amount", windows=["7d"])],
)
"""
BATCHES = 5


def make_yard(folder: Path) -> Path:
    """The project, with all its batches taken in, one a run."""
    (folder / "raw").mkdir(parents=True)
    (folder / "project.py").write_text(_CODE)
    (folder / "rates.csv").write_text("day\n2025-01-01\n")
    for batch in range(1, BATCHES + 1):
        (folder / "raw" / f"{batch}.csv").write_text("\n".join(_lines(batch)) + "\n")
        project = Project.load(folder)
        project.run(only="data")
        project.store.close()
    # What is not fresh ends a run in an error: asked for once everything is in.
    (folder / "project.py").write_text(_CODE.replace("on_new_column", 'freshness="1d", on_new_column'))
    return folder


def _lines(batch: int) -> list[str]:
    chance = random.Random(batch)
    late = batch >= 4
    head = "id,at,customer,email,amount,country,ok" + (",channel" if late else "")
    rows = []
    for place in range(400):
        amount = chance.gauss(300 if late else 90, 20)
        mail = "" if late and place % 3 == 0 else f"p{place}@example.org"
        row = [
            str(1000 * batch + place),
            f"2025-0{batch}-{place % 27 + 1:02}T08:00:00Z",
            f"c{place % 40:03}",
            mail,
            f"{abs(amount):.2f}",
            "de" if chance.random() < 0.7 else "fr",
            "true",
            *(["web"] if late else []),
        ]
        rows.append(row)
    rows[3][4], rows[7][5], rows[9][3] = "-7", "xx", f"{SECRET.replace('@', ' at ')}"
    rows[11][4] = "99999"
    if batch == 2:
        for row in rows[20:60]:
            row[5] = "es"
    return [head, *(",".join(row) for row in rows)]
