"""Every cause of skew, made for real on the shop, and named."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from tests.loop.shop import ORDER, command, copy_shop, edit, serving

import drivetrain as dt
from drivetrain.core.clock import now
from drivetrain.core.progress import Silent
from drivetrain.data.ingest import ingest
from drivetrain.loop.causes import Inquest
from drivetrain.loop.project import Project

AT = "2026-06-20T12:00:00Z"
LATE = "o88888,c002,2026-06-04T10:00:00+00:00,2026-06-18T10:00:00+00:00,lamps,9000.0,1"
COLUMNS = ("order_id", "customer", "ordered", "decided", "category", "amount", "returned")
SEEN = {f"history.{name}" for name in ("count_30d", "count_90d", "returned_90d", "returned_180d", "mean_amount_90d")}


@pytest.fixture
def folder(made_shop, tmp_path) -> Path:
    return copy_shop(made_shop, tmp_path / "shop")


def deliver(folder: Path, *lines: str) -> None:
    """Puts orders where the source finds them."""
    head = (folder / "raw" / "orders.csv").read_text().splitlines()[0]
    number = len(list((folder / "raw").glob("*.csv")))
    (folder / "raw" / f"more-{number}.csv").write_text("\n".join([head, *lines]) + "\n")


def take_in(project: Project) -> None:
    """Brings the table up to date, and leaves the online rows as they are."""
    orders = project.sources["orders"]
    ingest(project.store, orders, folder=project.folder, now=now(), progress=Silent(), sources=project.sources)


def ask(folder: Path, *customers: str, at: str = AT) -> None:
    with serving(folder) as client:
        for number, customer in enumerate(customers):
            client.predict("returned", [{**ORDER, "order_id": f"new-{number}", "customer": customer}], at=at)


def skew(folder: Path) -> dict:
    """What the method finds, which is what the command prints for programs."""
    found = Project.load(folder).skew()
    told = command(folder, "skew", "--json", check=False)
    assert json.loads(told.stdout) == json.loads(json.dumps(found))
    return found


def sentences(found: dict) -> set[str]:
    return {one["words"] for mismatch in found["mismatches"].values() for one in mismatch["examples"]}


def test_no_difference_is_said_plainly_with_counts(folder):
    assert "No prediction is on record" in command(folder, "skew").stdout
    ask(folder, "c001", "c002", "c003")
    found = skew(folder)
    assert (found["predictions"], found["values"], found["not_compared"]) == (3, 24, 0)
    assert found["mismatches"] == found["causes"] == {}
    assert found["changed"] == []
    told = command(folder, "skew").stdout
    assert "3 predictions, 24 feature values compared: 0 differ." in told
    assert "Every value is what the training set would hold: no skew." in told
    assert "No prediction" in command(folder, "skew", "--since", "2026-06-21").stdout


def test_a_row_that_came_late_under_an_earlier_time(folder):
    ask(folder, "c001", "c002")
    deliver(folder, LATE)
    Project.load(folder).run(only="data")
    found = skew(folder)
    assert found["causes"] == {"late row": 5}
    assert set(found["mismatches"]) == SEEN
    one = found["mismatches"]["history.count_30d"]["examples"][0]
    assert one["offline"] == one["served"] + 1
    assert (one["entity"], one["at"], one["cause"]) == ("new-1", AT, "late row")
    assert one["words"].startswith("a row of orders came in 20")
    assert "known 2026-06-18T10:00:00Z by its own account" in one["words"]
    told = command(folder, "skew", check=False)
    assert told.returncode == 1
    assert "history.count_30d  1 differ: late row 1" in told.stdout
    assert "2 predictions, 16 feature values compared: 5 differ." in told.stdout
    assert told.stdout.count("a row of orders came in") == 1


def test_a_row_that_was_corrected_afterwards(folder):
    known = next(line for line in (folder / "raw" / "orders.csv").read_text().splitlines() if ",c002,2026-05-" in line)
    ask(folder, "c002")
    fields = known.split(",")
    fields[5] = "4321.0"
    deliver(folder, ",".join(fields))
    Project.load(folder).run(only="data")
    found = skew(folder)
    assert found["causes"] == {"late row": 1}
    assert list(found["mismatches"]) == ["history.mean_amount_90d"]


def test_an_online_store_that_was_behind_its_table(folder):
    deliver(folder, LATE)
    take_in(Project.load(folder))
    ask(folder, "c001", "c002")
    for moment in ("before", "after"):
        found = skew(folder)
        assert found["causes"] == {"not yet materialised": 5}, moment
        assert set(found["mismatches"]) == SEEN
        (said,) = sentences(found)
        assert "they held orders@0, while the table stood at orders@1" in said
        Project.load(folder).run(only="data")  # that it caught up since changes nothing about then
    told = command(folder, "skew", check=False)
    assert told.returncode == 1
    assert "not yet materialised, 5 values: the table had rows that the online store had" in told.stdout


def test_late_and_behind_at_once_are_told_apart(folder):
    deliver(folder, LATE)
    take_in(Project.load(folder))
    ask(folder, "c002", "c003")
    deliver(folder, LATE.replace("o88888,c002", "o99999,c003"))
    Project.load(folder).run(only="data")
    found = skew(folder)
    assert found["causes"] == {"not yet materialised": 5, "late row": 5}
    for mismatch in found["mismatches"].values():
        assert {one["entity"]: one["cause"] for one in mismatch["examples"]} == {
            "new-0": "not yet materialised",
            "new-1": "late row",
        }


def test_what_nothing_on_record_explains(folder):
    project = Project.load(folder)
    project.store.online.drop(project.views["history"].space)
    ask(folder, "c002")
    found = skew(folder)
    # By the steps on record the rows were there: that they were dropped is told nowhere.
    assert set(found["causes"]) == {"unexplained"}
    assert "neither rows that came late nor online rows that were behind" in next(iter(sentences(found)))
    assert command(folder, "skew", check=False).returncode == 1


def test_a_view_that_was_declared_otherwise(folder):
    ask(folder, "c001", "c002", "c003")
    edit(folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["60d"])')
    edit(folder, 'dt.share(pl.col("returned") == 1', 'dt.share(pl.col("returned") == 0')
    found = skew(folder)
    assert (found["predictions"], found["values"], found["not_compared"]) == (3, 21, 3)
    assert set(found["causes"]) == {"changed definition"}
    assert set(found["mismatches"]) <= {"history.returned_90d", "history.returned_180d"}
    (change,) = found["changed"]
    assert (change["version"], change["name"], change["predictions"]) == (1, "history", 3)
    assert change["not_compared"] == ["history.mean_amount_90d"]
    assert change["words"] == (
        "history is declared otherwise than when v1 was trained; it no longer makes history.mean_amount_90d"
    )
    assert sentences(found) == {
        "history is declared otherwise than when the version was trained: it was served as declared then"
    }
    told = command(folder, "skew", check=False)
    assert told.returncode == 0  # nothing served was wrong
    assert "history is declared otherwise than when v1 was trained" in told.stdout


def test_a_change_does_not_hide_what_else_was_wrong(folder):
    deliver(folder, LATE)
    take_in(Project.load(folder))
    ask(folder, "c002", "c003")
    deliver(folder, LATE.replace("o88888,c002", "o99999,c003"))
    edit(folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["60d"])')
    edit(
        folder,
        'name="returned", windows=["90d", "180d"]',
        'name="returned", where=pl.col("amount") < 40, windows=["90d", "180d"]',
    )
    Project.load(folder).run(only="data")
    found = skew(folder)
    assert found["mismatches"]["history.count_30d"]["causes"] == {"not yet materialised": 1, "late row": 1}
    assert found["mismatches"]["history.returned_90d"]["causes"] == {"changed definition": 2}
    assert command(folder, "skew", check=False).returncode == 1


def test_the_command_fits_the_terminal(folder, monkeypatch):
    ask(folder, "c002", "c003")
    deliver(folder, LATE)
    Project.load(folder).run(only="data")
    edit(folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["60d"])')
    for columns in ("80", "120"):
        monkeypatch.setenv("COLUMNS", columns)
        assert max(map(len, command(folder, "skew", check=False).stdout.splitlines())) <= int(columns)


def test_a_function_of_the_request_and_a_view_that_is_read_no_more(folder):
    ask(folder, "c001")
    edit(folder, 'pl.col("amount").log1p().alias("log_amount")', 'pl.col("amount").log().alias("log_amount")')
    edit(folder, "features=[basket, history]", "features=[basket]")
    found = skew(folder)
    assert found["causes"] == {"changed definition": 1}
    assert list(found["mismatches"]) == ["basket.log_amount"]
    assert (found["values"], found["not_compared"]) == (3, 5)
    assert [change["words"] for change in found["changed"]] == [
        "basket is declared otherwise than when v1 was trained",
        "v1 reads history, which model returned reads no more",
    ]


def test_a_feature_whose_type_changed_can_not_be_compared(folder):
    ask(folder, "c001")
    edit(folder, 'pl.col("amount").log1p().alias("log_amount")', 'pl.lit("much").alias("log_amount")')
    found = skew(folder)
    assert found["mismatches"] == {}
    assert found["changed"][0]["not_compared"] == ["basket.log_amount"]


def test_a_source_that_was_declared_otherwise(folder):
    ask(folder, "c002")
    prepare = "prepare=lambda rows: rows.with_columns(pl.col('amount') * 2),"
    edit(folder, 'key="order_id",', f'key="order_id",\n    {prepare}')
    Project.load(folder).run(only="data")
    found = skew(folder)
    assert found["causes"] == {"changed definition": 1}
    assert list(found["mismatches"]) == ["history.mean_amount_90d"]
    (said,) = sentences(found)
    assert said.startswith("source orders is declared otherwise than 20")


def test_what_was_pushed_and_never_taken_in(folder):
    project = Project.load(folder)
    row = {
        "order_id": "p1", "customer": "c002", "ordered": "2026-06-29T20:00:00Z", "decided": "2026-06-29T20:00:00Z",
        "category": "lamps", "amount": 77.0, "returned": 1,
    }  # fmt: skip
    assert dt.push(project, "history", [row]) == 1
    ask(folder, "c002", at="2026-06-30T12:00:00Z")
    found = skew(folder)
    assert set(found["causes"]) == {"pushed only"}
    (said,) = sentences(found)
    assert "an event that was pushed, and that no row of orders has brought so far" in said
    deliver(folder, "p1,c002,2026-06-29T20:00:00+00:00,2026-06-29T20:00:00+00:00,lamps,77.0,1")
    project.run(only="data")
    assert skew(folder)["mismatches"] == {}


def pushed(number: int, hour: int, amount: float) -> dict:
    moment = f"2026-06-29T{hour}:00:00+00:00"
    return {
        "order_id": f"p{number}", "customer": "c002", "ordered": moment, "decided": moment, "category": "lamps",
        "amount": amount, "returned": 1,
    }  # fmt: skip


def test_a_push_that_was_missed_among_others(folder):
    events = [pushed(1, 10, 77.0), pushed(2, 12, 99.0), pushed(3, 14, 55.0)]
    dt.push(Project.load(folder), "history", [events[0], events[2]])
    ask(folder, "c002", "c003", at="2026-06-30T12:00:00Z")
    deliver(folder, *(",".join(str(event[name]) for name in COLUMNS) for event in events))
    Project.load(folder).run(only="data")
    found = skew(folder)
    assert found["causes"] == {"missed push": 5}
    (said,) = sentences(found)
    assert "made without a row of orders, known 2026-06-29T12:00:00Z but neither pushed" in said
    assert "2 rows more had been pushed by then" in said
    told = command(folder, "skew", check=False)
    assert told.returncode == 1
    assert "missed push, 5 values: made with some rows before the table had them" in told.stdout


def test_a_moment_too_long_before_the_newest_event(made_shop, tmp_path):
    folder = copy_shop(made_shop, tmp_path / "shop")
    edit(folder, 'ttl="180d",', 'ttl="20d",')
    edit(folder, 'dt.count(windows=["30d", "90d"])', 'dt.count(windows=["10d"])')
    edit(folder, 'windows=["90d", "180d"]', 'windows=["20d"]')
    edit(folder, 'dt.mean("amount", windows=["90d"])', 'dt.mean("amount", windows=["20d"])')
    edit(folder, "at_least=0.6", "at_least=0.0")
    edit(folder, 'retrain=dt.Retrain(when=["performance"], cooldown="14d")', "retrain=None")
    Project.load(folder).run(at="2026-06-30")
    ask(folder, "c002", at="2026-03-01T00:00:00Z")
    found = skew(folder)
    assert set(found["causes"]) == {"asked too far back"}
    assert "asked about 2026-03-01T00:00:00Z, more than 2 days before" in next(iter(sentences(found)))


def test_only_so_many_states_are_computed_again(folder, monkeypatch):
    deliver(folder, LATE)
    take_in(Project.load(folder))
    ask(folder, "c002")
    monkeypatch.setattr("drivetrain.loop.causes.MOST_STANDINGS", 0)
    found = Project.load(folder).skew()
    assert found["causes"] == {"not looked into": 5}


def test_examples_show_every_cause_and_are_few(folder, monkeypatch):
    ask(folder, *["c002"] * 9)
    deliver(folder, LATE)
    Project.load(folder).run(only="data")
    causes = iter(["late row"] * 5 + ["unexplained"] * 3 + ["pushed only"])
    fixed = [[cause] * 5 for cause in causes]
    monkeypatch.setattr(Inquest, "causes", fixed)
    mismatch = Project.load(folder).skew()["mismatches"]["history.count_30d"]
    assert mismatch["count"] == 9
    assert mismatch["causes"] == {"late row": 5, "unexplained": 3, "pushed only": 1}
    assert [one["cause"] for one in mismatch["examples"]] == ["late row"] * 3 + ["unexplained", "pushed only"]
