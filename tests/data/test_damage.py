"""A hundred kinds of damage, each delivered after half a good year to contracts that were drafted from it."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest
from tests.data.weeks import HISTORY, KEYS, LAST, end_of, good, lay_out, weeks
from typer.testing import CliRunner

from drivetrain.cli.commands.contract import command
from drivetrain.core.errors import DrivetrainError
from drivetrain.data.ingest import REPLACED
from drivetrain.loop.project import Project
from drivetrain.testing.damage import kinds
from drivetrain.testing.damage.kind import Delivery, Kind, csv_of
from drivetrain.testing.damage.trial import Outcome, as_meant, clear, deliver, plant, take

SEED = 2013
CLUES = {
    "type of the column": "expected (a whole number|a number|a moment)",
    "set of values": "expected one of",
    "pattern": "expected text like",
    "range": "expected at (least|most)",
    "key": "the same row again|only one row with this key",
    "rows that are there": "in the table already, and the same",
    "rows that take the place of others": "took the place of a row with the same key",
    "columns that are there": "lacks the column",
    "change of shape": "is new and not declared",
    "relation of the columns: empty together": "are empty together",
    "relation of the columns: order": "dewp is at most temp",
    "relation of the columns: parts of the moment": "are those of time_hour in America/New_York",
    "longest gap of a delivery": "hours without a row",
    "span of a delivery": "from the first row to the last",
    "different values of a column": "different values or more",
    "share of values with a fraction": "of the values have a fraction",
    "share of rows with a value": "rows with a value",
    "rows with known values": "have a value that is known",
    "columns that move together": "rise together",
    "ratio of two columns": "times air_time, in the median",
    "shares of classes": "share of rows",
    "volume": "rows of the batch",
    "fewest rows": "too few rows",
    "the reader: rows": "unreadable row",
    "the reader: header": "has no header|names a column twice",
    "the reader: format": "is no CSV|can't be read as parquet",
    "the reader: unpacking": "can't be unpacked",
}
"""What notices damage → a word of the sentence or the reason."""
REFUSED = [kind for kind in kinds().values() if kind.caught == "refused"]
TAKEN_IN = [kind for kind in kinds().values() if kind.caught != "refused"]


@pytest.fixture(scope="module")
def history(tmp_path_factory) -> Path:
    folder = tmp_path_factory.mktemp("history")
    lay_out(folder)
    return folder


@pytest.fixture(scope="module")
def refusing(history, tmp_path_factory) -> Project:
    """One project for all deliveries that are refused: each leaves it as it was."""
    return copied(history, tmp_path_factory.mktemp("refusing"))


def copied(history: Path, folder: Path) -> Project:
    shutil.copytree(history, folder, dirs_exist_ok=True)
    return Project.load(folder)


def strike(project: Project, kind: Kind) -> tuple[Outcome, Delivery]:
    """Delivers damage; what ``contract check`` says of it, and what became of it, agree."""
    delivery = plant(kind, good(kind.of, HISTORY), SEED)
    paths = deliver(project, kind.of, delivery)
    kept = all(checked(project, kind, path) for path in paths)
    outcome = take(project, kind.of, end_of(HISTORY))
    if outcome.caught != "counted":  # a file that was delivered before may hold rows that were bad before
        assert kept == (outcome.caught == "nothing"), outcome
    clear(paths)
    return outcome, delivery


def clue(kind: Kind) -> str:
    return CLUES[re.split("[,;]", kind.by)[0]]


def checked(project: Project, kind: Kind, path: Path) -> bool:
    try:
        found = project.contracts.check(path, contract=kind.of)
    except DrivetrainError:
        return False
    return all(one.kept for one in found)


@pytest.mark.parametrize("kind", REFUSED, ids=lambda kind: kind.name)
def test_damage_that_is_refused(refusing, kind):
    before = refusing.store.tables.version(kind.of)
    outcome, _ = strike(refusing, kind)
    assert outcome.caught == "refused", outcome
    assert re.search(clue(kind), outcome.words), outcome
    assert "\n" not in outcome.words
    assert refusing.store.tables.version(kind.of) == before


@pytest.mark.parametrize("name", KEYS)
def test_after_all_that_was_refused_the_next_good_delivery_is_taken_in(refusing, name):
    rows = weeks(name)[HISTORY]
    before = refusing.store.tables.rows(name)
    deliver(refusing, name, Delivery({f"week-{HISTORY}.csv": csv_of(rows)}))
    outcome = take(refusing, name, end_of(HISTORY))
    assert (outcome.caught, outcome.kept) == ("nothing", rows.height)
    assert refusing.store.tables.rows(name) == before + rows.height


@pytest.mark.parametrize("kind", TAKEN_IN, ids=lambda kind: kind.name)
def test_damage_that_is_taken_in(history, tmp_path, kind):
    project = copied(history, tmp_path)
    before = project.store.tables.rows(kind.of)
    outcome, delivery = strike(project, kind)
    assert outcome.accounted, outcome
    assert delivery.rows in (None, outcome.delivered)
    replaced = (outcome.reasons or {}).get(REPLACED, 0)
    assert project.store.tables.rows(kind.of) == before + outcome.kept - replaced
    if kind.caught == "undone":
        assert as_meant(project, kind.of, weeks(kind.of)[HISTORY], KEYS[kind.of])
    else:
        assert outcome.caught == kind.caught, outcome
        assert kind.caught == "nothing" or re.search(clue(kind), outcome.words), outcome


def test_a_good_delivery_is_what_it_is_held_against(history, tmp_path):
    """The draft raises no alarm where there is no damage: two in three weeks of the year come after it was made."""
    project = copied(history, tmp_path)
    aside = rows = 0
    for week in range(HISTORY, LAST):
        for name in KEYS:
            deliver(project, name, Delivery({f"week-{week:02}.csv": csv_of(weeks(name)[week])}))
            outcome = take(project, name, end_of(week))
            assert outcome.caught != "refused", (name, week, outcome)
            aside += outcome.aside
            rows += outcome.delivered
    assert rows > 80_000
    assert aside <= 0.001 * rows


@pytest.mark.parametrize("name", ["truncated Parquet", "a page of HTML", "gzip cut off", "UTF-16", "an error in JSON"])
def test_contract_check_says_what_is_wrong_in_one_sentence(history, tmp_path, monkeypatch, name):
    project = copied(history, tmp_path)
    kind = kinds()[name]
    [path] = deliver(project, kind.of, plant(kind, good(kind.of, HISTORY), SEED))
    monkeypatch.chdir(tmp_path)
    told = CliRunner().invoke(command, ["check", str(path.relative_to(tmp_path)), "--contract", kind.of])
    assert told.exit_code == 1
    assert isinstance(told.exception, SystemExit)
    assert told.output.count("✗") == 1
    assert path.name in told.output
