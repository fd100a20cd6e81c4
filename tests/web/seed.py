"""Half a year of a flights project as its catalog would hold it: seeded, and told as a story.

Version 1 is trained on January to May and does well in summer. In autumn it slips, an alert is raised, version 2 is
trained, runs in shadow and is promoted. Version 3 is refused. At the end the weather drifts.
"""

from __future__ import annotations

import json
import random
from collections.abc import Mapping
from typing import Any

import msgspec
import polars as pl

from drivetrain.core.clock import DAY, HOUR, MINUTE, WEEK, iso, micros_of
from drivetrain.core.errors import GateRefused, UnknownName, UsageError
from drivetrain.core.hashing import digest
from drivetrain.core.ids import derived_id
from drivetrain.core.records import (
    Access,
    Alias,
    Decision,
    Forgetting,
    Link,
    ModelVersion,
    Record,
    Step,
    TableVersion,
)
from drivetrain.core.records.table import ColumnType
from drivetrain.core.settings import Settings
from drivetrain.data.ledger import Entry
from drivetrain.data.profile import LAYOUT, TableProfile, profile_of
from drivetrain.data.veil import veil_of
from drivetrain.loop.alerting.alerts import Alerts
from drivetrain.loop.audit import Account, Sought, audit
from drivetrain.loop.data import TableFigures, figures
from drivetrain.loop.diff.said import VersionDiff
from drivetrain.loop.history import LIMIT, History, history
from drivetrain.loop.privacy.privacy import Privacy
from drivetrain.loop.quarantine import Quarantine
from drivetrain.loop.report import account, report
from drivetrain.monitor.alerting.sinks.slack import Slack
from drivetrain.monitor.reporting.account import Account as EndpointAccount
from drivetrain.monitor.reporting.story import Story, tell
from drivetrain.monitor.spec import Monitor
from web import declared
from web.learned import CARD, VERSIONS, bias, evaluation, run, version
from web.probed import probed
from web.rivals import seeded_diff
from web.shelf import FakeShelf, Shelf
from web.tracked import track
from web.watched import REPORTS_FROM, alerts, reports

START = micros_of("2013-01-01")
PROMOTED = {1: micros_of("2013-06-30T18:00Z"), 2: micros_of("2013-10-15T06:00Z")}
END = REPORTS_FROM + 26 * WEEK
PRIVATE = "pat@example.org"
HOSTILE = "<img src=x onerror=alert(1)><script>alert('row')</script>"


class Planned(msgspec.Struct, frozen=True):
    name: str
    due: bool
    why: str


class SeededDesk:
    """Satisfies web.desk.Desk."""

    name = "flights"
    objective = "Warn passengers before departure that they will arrive 15 or more minutes late."
    metric = "average_precision"

    def __init__(self, *, empty: bool = False) -> None:
        self.store = FakeShelf()
        self.settings = Settings()
        self.sources: dict[str, Any] = dict(declared.SOURCES)
        self.views: dict[str, Any] = dict(declared.VIEWS)
        self.requests: dict[str, Any] = dict(declared.REQUESTS)
        self.derived: dict[str, Any] = {}
        self.models: dict[str, Any] = {"late": declared.Model("late")}
        self.endpoints: dict[str, Any] = {"late": declared.Endpoint("late", declared.Model("late"))}
        self.monitors: dict[str, Any] = {"late": Monitor(endpoint="late", sinks=[Slack("env:SLACK_URL")])}
        self.watched: dict[str, Any] = {}
        if not empty:
            fill(self.store)
            track(self.store)

    @property
    def watches(self) -> dict[str, Any]:
        return {**self.monitors, **self.watched}

    def trace(self, prediction_id: str, /) -> Mapping[str, Any]:
        if not self.store.tables.version("log/late/predictions"):
            raise UnknownName(f"no prediction is called {prediction_id!r}")
        wanted = prediction_id.partition("/")[0]
        rows = self.store.tables.scan("log/late/predictions").filter(pl.col("request_id") == wanted).collect()
        if rows.is_empty():
            raise UnknownName(f"no prediction is called {prediction_id!r}")
        found = rows.row(0, named=True)
        found["at"], found["request"] = micros_of(found["at"]), json.loads(found["request"])
        ages = {"plane": 9_000.0, "route": 5_400.0, "carrier": 1_500.0, "airport": 600.0, "weather": 4_300.0}
        features = [
            {"name": name, "value": value, "age_seconds": ages.get(name.partition("_")[0].partition(".")[0])}
            for name, value in zip(declared.FEATURES, found["values"], strict=True)
        ]
        features[-1]["value"] = "EV"
        return {
            "prediction": found,
            "features": features,
            "policy": "promote 2013-10-15T06:00:00Z: It led by 0.047 on the same 6,184 flights.",
            "shadow": [{"version": 3, "prediction": 0.31}],
            "feedback": {"label": 1.0, "at": found["at"] + 5 * HOUR} if found["row"] == 0 else None,
        }

    def data(self, table: str, /, *, version: int | None = None, against: int | None = None) -> TableFigures:
        return figures(self, table, version=version, against=against)  # type: ignore[arg-type]

    def history(self, table: str, /, *, limit: int = LIMIT) -> History:
        return history(self, table, limit=limit)  # type: ignore[arg-type]

    @property
    def alerts(self) -> Alerts:
        return Alerts(self)  # type: ignore[arg-type]

    def find_endpoint(self, name: str) -> Any:
        return self.endpoints[name]

    def report(self, endpoint: str, /, *, since: str | None = None, until: str | None = None) -> EndpointAccount:
        return report(self, endpoint, since=since, until=until)  # type: ignore[arg-type]

    def story(self, endpoint: str, /, *, since: str | None = None, until: str | None = None) -> Story:
        return tell(account(self, endpoint, since=since, until=until))  # type: ignore[arg-type]

    @property
    def quarantine(self) -> Quarantine:
        return Quarantine(self)  # type: ignore[arg-type]

    @property
    def privacy(self) -> Privacy:
        return Privacy(self)  # type: ignore[arg-type]

    def audit(
        self, about: str | None = None, /, *, what: str | None = None, who: str | None = None, skip: int = 0,
        limit: int | None = None, verify: bool = False, head: str | None = None,
    ) -> Account:  # fmt: skip
        sought = Sought(about=about, what=what, who=who)
        return audit(self, sought, skip=skip, limit=limit, check=verify, head=head)  # type: ignore[arg-type]

    def diff(self, before: int, after: int, model: str, /) -> VersionDiff:
        return seeded_diff(before, after, model)

    def plan(self) -> list[Planned]:
        done = "nothing changed since it ran"
        return [
            Planned(
                "ingest:flights", True, "new from raw/flights: 2 new files: 2013-12-30.parquet, 2013-12-31.parquet"
            ),
            *(Planned(f"ingest:{name}", False, done) for name in ("weather", "planes", "airports", "airlines")),
            Planned("materialise:plane_history", True, "after ingest:flights"),
            Planned("train:late", False, "waits for its schedule: 30 days after version 3"),
        ]

    def status(self) -> dict[str, Any]:
        return {"project": self.name, "alerts_open": 1}

    def promote(self, model: str, version: int, /, *, because: str, actor: str) -> object:
        found = self.store.catalog.get(ModelVersion, f"{model}@{version}")
        if found is None:
            raise UnknownName(f"model {model} has no version {version}")
        if not found.gates.passed:
            raise GateRefused(f"version {version} of {model} did not meet its gates", found=found.gates.refusals[0])
        before = self.store.catalog.get(Alias, f"{model}:champion")
        made = Alias(
            at=END, model=model, alias="champion", version=version, previous=before.version if before else None,
            because=because, actor=actor,
        )  # fmt: skip
        self.store.catalog.commit(made)
        return made

    def rollback(self, model: str, /, *, because: str, actor: str) -> object:
        before = self.store.catalog.get(Alias, f"{model}:champion")
        if before is None or before.previous is None:
            raise UsageError(f"{model} has no champion to go back to")
        return self.promote(model, before.previous, because=because, actor=actor)


def fill(shelf: Shelf) -> None:
    """Keeps the whole story."""
    _tables(shelf)
    _models(shelf)
    shelf.catalog.commit(*reports(), *alerts())
    shelf.catalog.commit(*_decisions())
    _steps(shelf)
    _predictions(shelf)


def _tables(shelf: Shelf) -> None:
    chance = random.Random(5)
    columns = tuple(ColumnType(name, "String") for name in declared.FLIGHTS.contract.columns)
    rows, at = 0, START
    for number in range(60):
        added = 27_000 if number < 6 else chance.randint(2_700, 3_400)
        at += 30 * DAY if number < 6 else 3 * DAY
        rows += added
        bad = {"dep_time: expected 1 to 2400": 2} if number % 9 == 4 else {}
        if number == 59:
            bad = {f"crew_contact: found '{PRIVATE}', expected a name": 1, HOSTILE: 1}
        _version(shelf, "flights", number, rows, added, bad, at, columns)
    for number, at in enumerate((START + 180 * DAY, END - DAY)):
        bad = {"wind_speed: expected 0 to 130": 1, "two rows for one hour at the change of clocks": 3}
        _version(shelf, "weather", number, 13_000 * (number + 1), 13_000, bad if number == 0 else {}, at)
    for name, rows in (("planes", 3_322), ("airports", 1_462), ("airlines", 16)):
        _version(shelf, name, 0, rows, rows, {}, START + 180 * DAY)
    for number in VERSIONS:
        _version(shelf, "training/late", number, 118_000 + 31_000 * number, 0, {}, PROMOTED.get(number, END - 40 * DAY))
    for number in range(60):
        shelf.tables.append("flights", pl.DataFrame({"flight_id": [str(number)]}), note=_entry(number).note)
    shelf.tables.append("quarantine/flights", _bad_rows())
    shelf.catalog.commit(*_profiles(), *_past())


def _entry(number: int) -> Entry:
    kind = "String" if number % 20 == 7 else "Int64"
    return Entry(
        number=number + 1, origin=f"raw/flights/{number}.parquet", batch="batch",
        shape={"flight_id": "String", "dep_time": kind, **({"gate": "String"} if number >= 57 else {})},
    )  # fmt: skip


def _profiles() -> list[TableProfile]:
    """The last twelve versions: delays grow, a column is ever more often empty."""
    veil = veil_of(declared.FLIGHTS)
    made = []
    for number in range(48, 60):
        chance = random.Random(number)
        late = 6.0 * max(0, number - 55)
        rows = 2_000
        frame = pl.DataFrame(
            {
                "flight_id": [f"{number}-{row}" for row in range(rows)],
                "carrier": [chance.choice(("UA", "UA", "EV", "B6", "DL")) for _ in range(rows)],
                "origin": [chance.choice(("EWR", "JFK", "LGA")) for _ in range(rows)],
                "tailnum": [None if chance.random() < 0.01 * (number - 48) else f"N{row}AA" for row in range(rows)],
                "dep_time": [chance.randint(500, 2359) for _ in range(rows)],
                "arr_delay": [chance.expovariate(1 / 30) - 25 + late for _ in range(rows)],
                "distance": [chance.choice((187, 733, 1400, 2475)) for _ in range(rows)],
                "crew_contact": [PRIVATE] * rows,
            }
        )
        made.append(
            TableProfile(
                at=END, table="flights", version=number, rows=rows, columns=profile_of(frame, veil), layout=LAYOUT
            )
        )
    return made


def _past() -> list[Record]:
    """What was read, forgotten, and brought back."""
    return [
        Access(at=END - DAY, id="read-1", what="trace", about="flights", columns=("crew_contact",), rows=1),
        Forgetting(
            at=END - 2 * DAY, id="forget-1", entity="plane", digest=digest("N1"), sealed="file:key", state="done",
            because="the owner asked for it", erased={"flights": 31}, finished=END,
        ),
        Decision(
            at=END - 3 * DAY, id="readmit-1", about="flights", what="readmit", actor="dashboard",
            because="12 of 14 rows are back, flights is at version 58. The clocks were mended.",
            evidence=declared.evidence({"tried": 14, "admitted": 12}),
        ),
    ]  # fmt: skip


def _version(
    shelf: Shelf, table: str, number: int, rows: int, added: int, bad: dict[str, int], at: int,
    columns: tuple[ColumnType, ...] = (),
) -> None:  # fmt: skip
    shelf.catalog.commit(
        TableVersion(
            at=at, table=table, version=number, digest=digest([table, number]), rows=rows, added=added,
            quarantined=sum(bad.values()), reasons=bad, columns=columns, first_event=START, last_event=at - 2 * HOUR,
            last_available=at,
        )
    )  # fmt: skip


def _bad_rows() -> pl.DataFrame:
    rows = [
        (
            f"crew_contact: found '{PRIVATE}', expected a name",
            {"flight_id": "2013-12-29-EV-4131-EWR", "crew_contact": PRIVATE, "note": f"call {PRIVATE}"},
        ),
        (
            f"carrier: found '{HOSTILE}', expected one of airlines.carrier",
            {"flight_id": "2013-12-29-XX-1-JFK", "carrier": HOSTILE},
        ),
        *(
            ("dep_time: found 2530, expected 1 to 2400", {"flight_id": f"2013-11-{day:02}-UA-1545-EWR"})
            for day in range(1, 29)
        ),
    ]
    return pl.DataFrame(
        {
            "_number": [60 - place // 2 for place in range(len(rows))],
            "_batch": ["batch"] * len(rows),
            "_line": [None] * len(rows),
            "_rules": [[_rule(reason)] for reason, _ in rows],
            "_prepared": [True] * len(rows),
            "_reasons": [[reason] for reason, _ in rows],
            "_origin": [f"raw/flights/2013-{'12-29' if place < 2 else '11'}.parquet" for place in range(len(rows))],
            "_ingested_at": [END - place * DAY for place in range(len(rows))],
            "_row": [json.dumps(row) for _, row in rows],
        },
        schema_overrides={"_ingested_at": pl.Datetime("us", "UTC"), "_line": pl.Int64()},
    ).reverse()


def _rule(reason: str) -> str:
    """A reason without what was found."""
    return reason.partition(": found")[0] + ": " + reason.rpartition(", ")[2]


def _models(shelf: Shelf) -> None:
    card = shelf.blobs.put(CARD)
    for number in VERSIONS:
        made = version(number, card)
        trained = run(number)
        links = [
            Link("table:flights@5", f"table:training/late@{number}", "labels"),
            Link("table:weather@0", f"table:training/late@{number}", "weather"),
            Link(f"table:training/late@{number}", trained.ref, "training_set"),
            Link(trained.ref, made.ref, "made"),
        ]
        shelf.catalog.commit(bias(number), trained, evaluation(number), *probed(number), made, links=links)
    failed = msgspec.structs.replace(
        run(3), run_id="0192-failed", status="failed", error="The label is constant; found 0 positives in 312 rows. "
        "Widen the training window.", artifacts=(), trials=(), metrics={},
    )  # fmt: skip
    shelf.catalog.commit(failed)
    shelf.catalog.commit(
        Alias(
            at=PROMOTED[2], model="late", alias="champion", version=2, previous=1, actor="loop",
            because="Met all its gates and beat version 1 on a week of the same traffic.",
        )
    )  # fmt: skip
    shelf.catalog.commit(Alias(at=END - 39 * DAY, model="late", alias="shadow", version=None, previous=3))


def _decisions() -> list[Decision]:
    told: list[tuple[str, str, str, int | None]] = [
        ("2013-06-30T15:00Z", "train", "Trained on 118,000 flights of January to May with 30 trials.", 1),
        ("2013-06-30T16:00Z", "register", "All gates passed: average precision 0.462 (0.421 to 0.503) in June.", 1),
        ("2013-06-30T18:00Z", "promote", "It is the first version that met every gate.", 1),
        ("2013-09-30T06:00Z", "alert", "Average precision fell to 0.344 (0.312 to 0.377) in the week of 23 September, "
         "against 0.462 when tested.", None),
        ("2013-09-30T06:01Z", "retrain", "Performance alert, and the last training was 92 days ago.", None),
        ("2013-10-07T05:00Z", "register", "All gates passed: average precision 0.436 (0.398 to 0.474).", 2),
        ("2013-10-07T06:00Z", "shadow", "It answers silently for seven days before anybody depends on it.", 2),
        ("2013-10-15T06:00Z", "promote", "In shadow it led by 0.047 (0.021 to 0.074) average precision on the same "
         "6,184 flights.", 2),
        ("2013-11-18T06:00Z", "retrain", "Scheduled: every 30 days.", None),
        ("2013-11-22T06:00Z", "shadow", "It answers silently for seven days before anybody depends on it.", 3),
        ("2013-11-29T06:00Z", "refuse", "It is not shown to be at least as good as version 2: the difference is "
         "-0.006 (-0.019 to +0.007) and the margin is 0.010.", 3),
        ("2013-12-30T06:00Z", "alert", "weather.visib drifted in the week of 23 December: PSI 0.61, threshold 0.34.",
         None),
    ]  # fmt: skip
    figures = {"metric": "average_precision", "ours": 0.391, "theirs": 0.344, "count": 6184}
    made = [
        Decision(
            at=micros_of(at), id=f"{at}-{what}", about="late", what=what, because=because, version=number,  # type: ignore[arg-type]
            evidence=declared.evidence(figures if what in {"promote", "refuse", "alert"} else {}),
        )
        for at, what, because, number in told
    ]  # fmt: skip
    made += [
        Decision(
            at=REPORTS_FROM + place * 3 * DAY, id=f"{iso(REPORTS_FROM + place * 3 * DAY)}-ingest", about="late",
            what="ingest", because=f"{2_700 + place * 7:,} flights came in, none set aside.",
        )
        for place in range(60)
    ]  # fmt: skip
    return sorted(made, key=lambda one: one.id)


def _steps(shelf: Shelf) -> None:
    names = ("ingest:flights", "ingest:weather", "training_set:late", "train:late", "evaluate:late", "register:late")
    for place, name in enumerate(names):
        at = END - 2 * DAY + place * 10 * MINUTE
        shelf.catalog.commit(
            Step(
                at=at, digest=digest(name), name=name, code=digest("code"), parameters=digest("p"),
                environment=digest("e"), inputs={"rows": digest("rows")},
                status="failed" if place == 5 else "done", seconds=0.4 + 7.3 * place, finished=at + MINUTE,
                error="The disk is full; nothing was kept. Free some space and run again." if place == 5 else "",
            )
        )  # fmt: skip


def _predictions(shelf: Shelf) -> None:
    chance = random.Random(11)
    rows = []
    for place in range(60):
        at = END - place * 25 * MINUTE
        values = [round(chance.gauss(8, 6), 1) for _ in declared.FEATURES[:-1]] + [3.0]
        values[4] = float("nan")
        request = {
            "flight_id": f"2013-12-29-EV-{4000 + place}-EWR", "carrier": "EV", "origin": "EWR", "dest": "ORD",
            "distance": 719, "crew_contact": PRIVATE,
        }  # fmt: skip
        rows.append(
            {
                "request_id": derived_id("seed", str(place)), "row": 0, "endpoint": "late", "at": at, "logged_at": at,
                "model": "late", "version": 2, "role": "shadow" if place % 10 == 9 else "champion",
                "entity": request["flight_id"], "request": json.dumps(request), "values": values,
                "ages": [9000.0, 5400.0, 1500.0, 600.0, 4300.0], "prediction": round(chance.betavariate(2, 6), 4),
                "latency_us": chance.randint(310, 900),
            }
        )  # fmt: skip
    frame = pl.DataFrame(rows, schema_overrides={"at": pl.Datetime("us", "UTC"), "logged_at": pl.Datetime("us", "UTC")})
    shelf.tables.append("log/late/predictions", frame[:0])
    shelf.tables.append("log/late/predictions", frame)
