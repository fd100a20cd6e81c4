"""The fraud project from end to end on a small world, and its features by plain comparison."""

from __future__ import annotations

import math
import shutil
import socket
import sys
from datetime import timedelta

import polars as pl
import pytest
from tests.examples.test_fraud_world import EXAMPLE, load
from tests.loop.shop import free_port

from drivetrain.core.clock import DAY, micros_of
from drivetrain.core.errors import DrivetrainError, RefusedError
from drivetrain.loop.project import Project

MODULES = ("world", "protocol", "handbook", "exact", "stream", "figures", "checks", "demo")
world, protocol, handbook, exact, stream, figures, checks, demo = load(*MODULES)

SMALL = world.Scale(seed=4, days=160, customers=150, terminals=300, side=math.sqrt(300))
JUST_BEFORE = timedelta(microseconds=1)


def loaded(folder) -> Project:
    """The example's project in a folder of its own, without leaving its module behind."""
    for name in ("project.py", "drivetrain.toml"):
        shutil.copy(EXAMPLE / name, folder / name)
    path = folder / "drivetrain.toml"
    path.write_text(path.read_text().replace("8711", str(free_port())) + "\n[compute]\nthreads = 1\n")
    try:
        return Project.load(folder)
    finally:
        sys.modules.pop("project", None)
        sys.path.remove(str(folder))


@pytest.fixture(scope="module")
def laid_out(tmp_path_factory):
    """A folder with the project and the raw files of a small world, every outcome known."""
    folder = tmp_path_factory.mktemp("fraud")
    project = loaded(folder)
    world.lay_out(folder / "raw", demo.TODAY, SMALL)
    yield project
    project.store.close()


@pytest.mark.parametrize(("itself", "before"), [(False, 1), (True, 0)])
def test_the_fifteen_features_are_the_handbooks(laid_out, itself, before):
    made = exact.feature_frame(laid_out.folder, laid_out.models["fraud"], itself=itself)
    assert made.height > 30_000
    assert set(exact.HANDBOOKS) == set(laid_out.models["fraud"].feature_names())
    assert exact.differing(made, before=before) == {}
    # The other moment's values are others: what is compared is compared.
    assert "spending.count_1d" in exact.differing(made, before=1 - before)


def test_a_value_that_differs_is_counted(laid_out):
    made = exact.feature_frame(laid_out.folder, laid_out.models["fraud"])
    moved = made.with_columns(pl.when(pl.int_range(pl.len()) < 3).then(0.5).otherwise("risk.share_fraud_7d"))
    spoiled = made.with_columns(moved["literal"].alias("risk.share_fraud_7d"))
    assert 0 < exact.differing(spoiled, before=1)["risk.share_fraud_7d"] <= 3


def test_what_lies_beyond_them_by_plain_comparison(laid_out):
    """Every feature of the second model, of a sample of payments, each from every other row of the files."""
    model = laid_out.models["beyond"]
    made = exact.feature_frame(laid_out.folder, model).with_columns(number=pl.col("_entity").cast(pl.Int64))
    places = pl.read_csv(laid_out.folder / "raw" / "terminals.csv")
    homes = pl.read_csv(laid_out.folder / "raw" / "customers.csv")
    paid = pl.read_parquet(laid_out.folder / "raw" / "transactions" / "*.parquet").join(places, on="terminal_id")
    told = pl.read_parquet(laid_out.folder / "raw" / "outcomes" / "*.parquet")
    for row in made.sample(60, seed=3).iter_rows(named=True):
        at = row["time"] - JUST_BEFORE
        mine = paid.filter(pl.col("customer_id") == row["customer_id"], pl.col("time") <= at).sort("time")
        theirs = told.filter(pl.col("terminal_id") == row["terminal_id"], pl.col("known_at") <= at)
        here = places.row(by_predicate=pl.col("terminal_id") == row["terminal_id"], named=True)
        home = homes.row(by_predicate=pl.col("customer_id") == row["customer_id"], named=True)
        expected = by_hand(row, at, mine, theirs, here, home)
        for name, value in expected.items():
            found = row[name]
            same = found is None if value is None else found == pytest.approx(value, rel=1e-9)
            assert same, f"{name} of {row['_entity']}: {found}, expected {value}"
        assert set(expected) == {name for name in model.feature_names() if name not in exact.HANDBOOKS}


def by_hand(row, at, mine, theirs, here, home):
    """The features of one payment beyond the handbook's."""

    def within(rows, days, late=0.0):
        end = at - timedelta(days=late)
        return rows.filter(pl.col("time") > end - timedelta(days=days), pl.col("time") <= end)

    def over(one, other):
        return one / other if one is not None and other else None

    month, amount = within(mine, 30), row["amount"]
    spent = month["amount"]
    last = mine.row(-1, named=True) if mine.height else None
    counted = month["terminal_id"].value_counts().sort(["count", "terminal_id"], descending=[True, False])
    middling = spent.quantile(0.5, "linear")
    week, day = within(mine, 7), within(mine, 1)
    found = {
        **{f"complaints.share_fraud_{days}d": within(theirs, days, 7)["fraud"].mean() for days in (3, 14, 28)},
        **{f"complaints.old_fraud_{days}d": within(theirs, days, 28)["fraud"].mean() for days in (1, 7)},
        "velocity.payments_1h": within(mine, 1 / 24).height,
        "velocity.payments_6h": within(mine, 1 / 4).height,
        "velocity.payments_3d": within(mine, 3).height,
        "velocity.payments_14d": within(mine, 14).height,
        "velocity.since_last": None if last is None else (at - last["time"]).total_seconds(),
        "velocity.hour_to_week": over(within(mine, 1 / 24).height * 168, week.height),
        "velocity.day_to_week": over(day.height * 7, week.height),
        "velocity.week_to_month": over(week.height * 30 / 7, month.height),
        "against.mean": over(amount, spent.mean()),
        "against.median": over(amount, middling),
        "against.high": over(amount, spent.quantile(0.9, "linear")),
        "against.highest": over(amount, spent.max()),
        "against.deviations": None if len(spent) < 2 else over(amount - spent.mean(), spent.std()),
        "against.last_day_highest": over(day["amount"].max(), middling),
        "against.last_week_highest": over(week["amount"].max(), middling),
        **{f"mix.terminals_{days}d": within(mine, days)["terminal_id"].n_unique() for days in (1, 7, 30)},
        "mix.favourite": None if counted.is_empty() else counted["terminal_id"][0] == row["terminal_id"],
        "mix.same_as_last": None if last is None else last["terminal_id"] == row["terminal_id"],
        "distance.from_home": math.hypot(home["x"] - here["x"], home["y"] - here["y"]),
        "distance.from_last": None if last is None else math.hypot(last["x"] - here["x"], last["y"] - here["y"]),
    }
    return {name: None if value is None else float(value) for name, value in found.items()}


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    """Everything ``make fraud`` does, on a small world: a day of some three hundred payments is streamed."""
    folder = tmp_path_factory.mktemp("road")
    project = loaded(folder)
    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(demo.Project, "load", lambda _: project)
        streamed = demo.road(folder, 1, SMALL)
    yield project, streamed
    project.store.close()


def test_the_road_holds_what_it_checks_and_tells_it(run):
    project, streamed = run
    arrived = world.arriving(demo.TODAY, demo.TODAY + DAY, SMALL)
    assert streamed.payments == arrived["transactions"]["transaction_id"].to_list()
    assert streamed.outcomes == arrived["outcomes"].height > 200
    assert streamed.again == len(streamed.payments) // stream.AGAIN > 5
    assert streamed.changed == []
    for name in ("fraud", "beyond"):
        assert len(set(streamed.scores[name])) > 50
        found = project.skew(name)
        assert found["predictions"] == len(streamed.payments) + streamed.again
        assert found["values"] == found["predictions"] * len(project.models[name].feature_names())
        assert found["mismatches"] == {}


def test_a_check_that_fails_says_what_does_not_hold(run):
    project, streamed = run
    until = demo.TODAY + DAY
    number = streamed.payments[7]
    streamed.changed.append(number)
    with pytest.raises(RefusedError, match=rf"another score after their own push.*{number}"):
        checks.nothing_counted_itself(streamed)
    streamed.changed.clear()
    live, _ = checks.scored_as_offline(project, streamed, demo.TODAY, until)
    assert live["fraud"]["roc_auc"].value > 0.7
    right = streamed.scores["beyond"][7]
    streamed.scores["beyond"][7] = right + 1e-6
    with pytest.raises(RefusedError, match=r"1 of .* scores by 'beyond' are not what the model says"):
        checks.scored_as_offline(project, streamed, demo.TODAY, until)
    streamed.scores["beyond"][7] = right
    streamed.payments.append(-1)
    for scores in streamed.scores.values():
        scores.append(0.0)
    with pytest.raises(RefusedError, match="0 of"):
        checks.scored_as_offline(project, streamed, demo.TODAY, until)


def test_the_models_learn_from_the_protocols_week_and_are_judged_on_its_other(run):
    project, _ = run
    weeks = protocol.HANDBOOK
    trained = {one.model: one for one in project.store.catalog.find(figures.Run)}
    for name, model in project.models.items():
        frame = project.training_set(name, at=demo.TODAY)
        cut = model.split.cut(frame, micros_of(weeks.test_until))
        train, _ = protocol.split(frame.with_columns(fraud=pl.col("_label") == 1))
        assert frame.filter(cut.refit)["_entity"].to_list() == train["_entity"].to_list()
        assert trained[name].train_rows == train.height
        assert trained[name].train_until == micros_of(weeks.test_from)
        test = frame.filter(pl.col("time").is_between(weeks.test_from, weeks.test_until, closed="left"))
        assert frame.filter(cut.test)["_entity"].to_list() == test["_entity"].to_list()


def test_a_port_in_use_is_said_before_anything_is_removed(run, monkeypatch):
    project, _ = run
    monkeypatch.setattr(demo.Project, "load", lambda _: project)
    serve = project.settings.serve
    with socket.socket() as taken:
        taken.bind((serve.host, serve.port))
        taken.listen()
        with pytest.raises(DrivetrainError, match="listens at"):
            demo.road(project.folder, 1, SMALL)
    assert (project.folder / "raw" / "terminals.csv").is_file()
