"""Requests and pushes are treated as rows are: callers name people as they know them, and nothing of that is kept."""

from __future__ import annotations

import json
import os
from datetime import UTC, datetime, timedelta

import polars as pl
import pytest
from tests.loop.shop import ORDER, command, copy_shop, edit, make_shop, serving

import drivetrain as dt
from drivetrain.core.records import Access, Decision
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.data.treatment import pseudonym_of
from drivetrain.features.online.layout import key_of_one
from drivetrain.features.online.reader import OnlineReader
from drivetrain.loop.project import Project
from drivetrain.loop.push import push
from drivetrain.loop.serving_plan import plan_of
from drivetrain.serve.log.columns import predictions_table
from drivetrain.serve.log.compact import compact
from drivetrain.serve.routing.router import Router
from drivetrain.serve.treating import RequestTreating

KEY = "k" * 32
WHO = "c001"
PSEUDONYM = pseudonym_of(KEY.encode(), WHO)


@pytest.fixture(scope="module", autouse=True)
def _key():
    before = os.environ.get("SHOP_KEY")
    os.environ["SHOP_KEY"] = KEY
    yield
    os.environ.pop("SHOP_KEY")
    if before:
        os.environ["SHOP_KEY"] = before


@pytest.fixture(scope="module")
def made(tmp_path_factory):
    """A shop that knows customers and orders by pseudonyms, and takes categories for sensitive."""
    folder = make_shop(tmp_path_factory.mktemp("treated") / "shop")
    edit(folder, 'privacy="personal")', 'privacy="personal", treat=dt.pseudonym(key="env:SHOP_KEY"))')
    edit(
        folder,
        '"order_id": dt.Column("string", nullable=False)',
        '"order_id": dt.Column("string", nullable=False, unique=True, treat=dt.pseudonym(key="env:SHOP_KEY"))',
    )
    edit(
        folder,
        '"category": dt.Column("string", nullable=False)',
        '"category": dt.Column("string", nullable=False, privacy="sensitive")',
    )
    project = Project.load(folder)
    assert project.run(at="2026-06-30").refused == ()
    project.store.close()
    return folder


@pytest.fixture
def shop(made, tmp_path):
    return copy_shop(made, tmp_path / "shop")


def logged(project):
    compact(project.store, project.log_folder)
    return project.store.tables.read(predictions_table("returned"))


def test_who_asks_by_the_raw_key_gets_the_answer_of_the_pseudonym_and_the_log_keeps_neither_key_nor_category(shop):
    asked = {**ORDER, "customer": WHO, "order_id": "o-raw-1"}
    with serving(shop) as client:
        [by_key] = client.predict("returned", [asked], at="2026-06-20T12:00:00Z")["predictions"]
        [by_pseudonym] = client.predict("returned", [{**asked, "customer": PSEUDONYM}], at="2026-06-20T12:00:00Z")[
            "predictions"
        ]
        [nobody] = client.predict("returned", [{**asked, "customer": "stranger"}], at="2026-06-20T12:00:00Z")[
            "predictions"
        ]
        client.feedback("returned", [{"entity": "o-raw-1", "label": 1}])
    assert by_key == by_pseudonym != nobody
    project = Project.load(shop)
    rows = logged(project)
    requests = [json.loads(text) for text in rows["request"]]
    assert {one["customer"] for one in requests} == {PSEUDONYM, pseudonym_of(KEY.encode(), "stranger")}
    assert {one["category"] for one in requests} == {"(withheld)"}
    assert {one["amount"] for one in requests} == {120.0}
    order = pseudonym_of(KEY.encode(), "o-raw-1")
    assert set(rows["entity"]) == {order}
    assert project.store.tables.read("log/returned/feedback")["entity"].to_list() == [order]
    project.store.close()
    files = [path for path in (shop / ".drivetrain").rglob("*") if path.is_file()]
    assert not [path for path in files if b"o-raw-1" in path.read_bytes() or b"stranger" in path.read_bytes()]
    tables = [path for path in files if path.suffix == ".parquet"]
    assert not [path for path in tables if f"'{WHO}'" in str(pl.read_parquet(path).to_dicts())]


def test_an_override_sends_whom_it_names_and_keeps_the_pseudonym_alone(shop):
    project = Project.load(shop)
    second = dt.Split(
        experiment="e", arms={"a": None, "b": None}, unit=("customer",), overrides={WHO: "a", "c002": "b"}
    )
    policy = project.route("returned", second, because="testers")
    other = pseudonym_of(KEY.encode(), "c002")
    assert policy.overrides == {PSEUDONYM: "a", other: "b"}
    [decision] = project.store.catalog.find(Decision, "returned")[:1]
    assert WHO not in decision.evidence
    plan = plan_of(project.endpoints["returned"])
    router = Router(policy, plan.fields)
    for raw, arm in ((WHO, "a"), ("c002", "b")):
        row = [raw if field.name == "customer" else None for field in plan.fields]
        treated = RequestTreating(plan, KeyRing(project.store.catalog, project.folder)).row(tuple(row))
        assert router.route("r", 0, treated)[1:3] == (arm, 1.0)
    project.store.close()


def test_skew_compares_what_can_be_recomputed_and_says_what_can_not(shop):
    with serving(shop) as client:
        for number in range(5):
            asked = {**ORDER, "customer": f"c00{number}", "order_id": f"s-{number}"}
            answer = client.predict("returned", [asked], at="2026-06-20T12:00:00Z")
    project = Project.load(shop)
    found = project.skew("returned")
    assert found["mismatches"] == {}
    assert found["withheld"] == ["basket.category"]
    assert (found["predictions"], found["values"], found["not_compared"]) == (5, 5 * 7, 5)
    assert "basket.category" in command(shop, "skew").stdout
    told = project.trace(answer["request_id"])
    values = {one["name"]: one["value"] for one in told["features"]}
    assert values["basket.category"] == "(withheld)"
    assert values["history.count_90d"] > 0
    assert told["privacy"]["basket.category"] == "sensitive"
    assert told["privacy"]["customer"] == "personal"
    assert told["privacy"]["history.count_90d"] == "internal"
    assert told["privacy"]["prediction"] == "personal"
    [read] = project.store.catalog.find(Access, "returned", limit=1)
    assert (read.what, read.columns) == ("trace", ("customer", "prediction"))


def test_an_endpoint_may_keep_what_is_sensitive(shop):
    edit(
        shop,
        'project.endpoint("returned", model=model)',
        'project.endpoint("returned", model=model, keep_sensitive=True)',
    )
    with serving(shop) as client:
        client.predict("returned", [{**ORDER, "order_id": "k-1"}], at="2026-06-20T12:00:00Z")
    project = Project.load(shop)
    assert {json.loads(text)["category"] for text in logged(project)["request"]} == {"dresses"}
    assert project.skew("returned")["withheld"] == []


def test_a_pushed_event_counts_at_once_and_once_when_its_row_comes(shop):
    project = Project.load(shop)
    view = project.views["history"]
    moment = datetime.now(UTC) - timedelta(hours=1)
    event = {**ORDER, "customer": WHO, "order_id": "o-push-1", "ordered": moment, "decided": moment, "returned": 1}

    def counted():
        at = int(datetime.now(UTC).timestamp() * 1e6)
        [(values, _)] = OnlineReader(project.store.online, [view]).read([{"customer": PSEUDONYM}], [at])
        return dict(zip(view.feature_names, values, strict=True))

    before = counted()
    assert push(project, "history", [event]) == 1
    assert push(project, "history", [event]) == 1  # known again by its own pseudonym
    after = counted()
    assert after["history.count_30d"] == before["history.count_30d"] + 1
    assert project.store.online.read(view.space, [key_of_one(WHO)]) == [None]
    path = shop / "raw" / "late.csv"
    path.write_text(
        "order_id,customer,ordered,decided,category,amount,returned\n"
        f"o-push-1,{WHO},{moment.isoformat()},{moment.isoformat()},dresses,120.0,1\n"
    )
    project.run(only="data")
    assert counted() == after
    assert project.skew("returned")["mismatches"] == {}


def test_a_scored_file_has_the_endpoint_s_answers_and_not_what_is_sensitive(shop, tmp_path):
    rows = [{**ORDER, "customer": f"c00{n}", "order_id": f"b-{n}", "at": "2026-06-20T12:00:00Z"} for n in range(8)]
    pl.DataFrame(rows).write_parquet(tmp_path / "in.parquet")
    with serving(shop) as client:
        answers = [
            client.predict("returned", [{k: v for k, v in row.items() if k != "at"}], at=row["at"])["predictions"][0]
            for row in rows
        ]
    project = Project.load(shop)
    for features in ("online", "offline"):
        project.predict_batch("returned", tmp_path / "in.parquet", tmp_path / "out.parquet", features=features)
        scored = pl.read_parquet(tmp_path / "out.parquet")
        assert scored["prediction"].to_list() == answers
        assert "category" not in scored.columns
        assert scored["customer"].to_list() == [row["customer"] for row in rows]  # as who asked names them
    [read] = project.store.catalog.find(Access, "returned", limit=1)
    assert (read.what, read.columns, read.rows) == ("predict", ("customer", "prediction"), 8)
