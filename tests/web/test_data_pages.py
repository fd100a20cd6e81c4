"""Pages and API of data over a project that really ran: what they say is what the project's own methods say."""

from __future__ import annotations

import json
import re
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from drivetrain.core.records import Access, Decision
from drivetrain.data.column import Column
from drivetrain.data.profile import TableProfile
from drivetrain.loop.project import Project
from drivetrain.web.app import create_app
from web.conftest import Caller
from web.yard import BATCHES, SECRET, make_yard

BECAUSE = "Spain was left out of the contract by mistake."
OURS = {"origin": "http://localhost:8700", "sec-fetch-site": "same-origin"}
FOREIGN = {"origin": "http://evil.example", "sec-fetch-site": "cross-site"}
COUNTRY = "country: expected one of 'de', 'fr', 'it'"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_yard(tmp_path_factory.mktemp("made") / "yard")


@pytest.fixture
def project(made: Path, tmp_path: Path) -> Iterator[Project]:
    shutil.copytree(made, tmp_path / "yard")
    loaded = Project.load(tmp_path / "yard")
    yield loaded
    loaded.store.close()


@pytest.fixture
def ask(project: Project) -> Caller:
    return Caller(create_app(project))


def same(answer: object, record: object) -> bool:
    return answer == json.loads(msgspec.json.encode(record))


def test_the_api_answers_the_records_that_the_commands_print(project: Project, ask: Caller):
    assert same(ask("/api/v1/data/orders?version=4&against=2").json(), project.data("orders", version=4, against=2))
    assert same(ask("/api/v1/history/orders").json(), project.history("orders"))
    assert same(ask("/api/v1/quarantine").json(), project.quarantine.list())
    assert same(ask("/api/v1/privacy").json(), project.privacy.report())
    assert same(ask("/api/v1/audit?verify=true&limit=3").json(), project.audit(verify=True, limit=3))
    shown = project.quarantine.show("orders", rule="country", batch=2, limit=25)
    leaf = ask("/api/v1/quarantine/orders?rule=country&batch=2").json()
    assert same(leaf["rows"], shown)
    assert leaf["total"] == 41


def test_a_table_tells_what_its_columns_hold_and_what_moved(project: Project, ask: Caller):
    text = ask("/data/orders?version=4&against=2").text
    figures = project.data("orders", version=4, against=2)
    assert text.count('class="spread"') == sum(one.histogram is not None for one in figures.columns) == 3
    moved = [one.column for one in figures.moved if one.moved]
    assert {"amount", "email", "channel"} <= set(moved)
    order = re.findall(r'<th scope="row"><code>(\w+)</code></th>\s*<td', text.partition('id="moved"')[2])
    assert order[0] == "channel"
    assert order.index("amount") < order.index("country")
    assert order[-2:] == ["id", "at"]
    assert "3 columns moved since version 2" in text
    assert "email moved by" in text
    assert "of its values only counts are kept" in text
    assert "+ channel String" in text
    assert "Not fresh" in text
    assert f"Over {BATCHES} versions" in text


def test_by_itself_a_version_is_compared_with_the_one_before(ask: Caller):
    assert "since version 3" in ask("/data/orders").text
    assert "since version 1" in ask("/data/orders?version=2").text
    assert 'id="moved"' not in ask("/data/orders?against=none").text
    assert 'id="moved"' not in ask("/data/orders?version=0").text


@pytest.mark.parametrize(
    ("path", "status", "named"),
    [
        ("/data/orders?version=x", 422, "not a version"),
        ("/data/orders?version=99", 404, "has no version 99"),
        ("/data/orders?against=77", 404, "no profile"),
        ("/quarantine/orders?batch=two", 422, "not a batch"),
        ("/audit?page_number=x", 422, "integer"),
    ],
)
def test_an_address_that_says_nothing_is_told(path: str, status: int, named: str, ask: Caller):
    answer = ask(path)
    assert answer.status_code == status
    assert named in answer.text.lower()


def test_a_page_reads_no_table_for_a_profile_until_somebody_asks(project: Project, ask: Caller):
    project.store.catalog.erase("profile:orders@4")
    assert "Version 4 has no profile yet" in ask("/data/orders").text
    assert project.store.catalog.get(TableProfile, "orders@4") is None
    assert ask("/profiles/orders", form={"version": "4"}, headers=FOREIGN).status_code == 403
    answer = ask("/profiles/orders", form={"version": "4"}, headers=OURS)
    assert answer.status_code == 303
    assert "1,940 rows of version 4" in ask(answer.headers["location"]).text


def test_no_private_value_is_on_any_page_and_none_is_put_on_record_for_it(project: Project, ask: Caller):
    for path in (
        "/data/orders", "/data/orders?version=4&against=2", "/quarantine/orders", "/quarantine", "/privacy", "/audit",
        "/api/v1/data/orders?against=1", "/api/v1/history/orders", "/api/v1/quarantine/orders", "/api/v1/privacy",
    ):  # fmt: skip
        text = ask(path).text
        assert "example.org" not in text, path
        assert not re.search(r"\bc0\d\d\b", text), path
    assert project.store.catalog.find(Access) == []
    raw = project.quarantine.show("orders", rule="email", unmasked=True)
    assert SECRET.replace("@", " at ") in json.dumps(raw[0].values)
    (read,) = project.store.catalog.find(Access)
    assert (read.what, read.about, read.columns, read.rows) == ("quarantine", "orders", ("customer", "email"), 5)
    text = ask("/privacy").text
    assert "1 time" in text
    assert project.audit(what="read").entries[0].user in text
    assert "read quarantine" in ask("/audit?what=read").text


def test_what_was_kept_before_a_column_was_classed_is_not_shown_after(project: Project, ask: Caller):
    assert '"country"' in ask("/api/v1/data/orders").text
    columns = dict(project.sources["orders"].contract.columns) | {"country": Column("string", privacy="secret")}
    object.__setattr__(project.sources["orders"].contract, "columns", columns)
    told = ask("/api/v1/data/orders?against=2").json()
    country = next(one for one in told["columns"] if one["name"] == "country")
    assert country["masked"]
    assert country["top"] == []
    assert "de" not in re.findall(r"'(\w\w)'", json.dumps(told["moved"]))
    assert '<span class="value"' in ask("/data/orders").text  # of ok, which stays open
    assert ">de<" not in ask("/data/orders").text


def test_rules_are_asked_for_by_what_may_be_shown_of_them(project: Project):
    assert project.quarantine.heap("orders", rule="text like @").rows == BATCHES
    assert project.quarantine.heap("orders", rule="nobody broke this").rows == 0
    columns = dict(project.sources["orders"].contract.columns) | {"country": Column("string", privacy="personal")}
    object.__setattr__(project.sources["orders"].contract, "columns", columns)
    assert project.quarantine.heap("orders", rule="'de'").rows == 0
    assert project.quarantine.heap("orders", rule="country: expected one of masked").rows == 45


def test_rows_come_back_with_a_reason_that_stays_on_record(project: Project, ask: Caller):
    assert "41 rows of these" in ask(f"/quarantine/orders?rule={COUNTRY}&batch=2").text
    form = {"which": "all", "rule": COUNTRY, "batch": "2", "column": "country", "value": "it", "because": BECAUSE}
    answer = ask("/quarantine/orders/readmit", form=form, headers=OURS)
    assert answer.status_code == 303
    assert project.quarantine.heap("orders").rows == 19
    text = ask(answer.headers["location"]).text
    assert f"Done: 41 of 41 rows are back, orders is at version 5. {BECAUSE}" in text
    (decided,) = project.store.catalog.find(Decision, "orders")
    assert (decided.what, decided.actor) == ("readmit", "dashboard")
    assert json.loads(decided.evidence)["set"] == ["country"]
    assert project.audit("orders", what="readmit", who="dashboard", verify=True).found == 1
    assert "Rows that were set aside came back" in ask("/timeline").text
    assert "by dashboard" in ask("/quarantine/orders").text


def test_rows_that_are_bad_again_stay(project: Project, ask: Caller):
    body = {"rule": "at least 0", "because": BECAUSE, "actor": "ci"}
    answer = ask("/api/v1/quarantine/orders/readmit", json=body)
    assert answer.status_code == 200
    assert (answer.json()["tried"], answer.json()["admitted"]) == (BATCHES, 0)
    (decided,) = project.store.catalog.find(Decision, "orders")
    assert decided.because.startswith("0 of 5 rows are back")
    assert decided.actor == "ci"


def test_ticked_rows_are_dropped_for_good(project: Project, ask: Caller):
    rows = project.quarantine.show("orders", limit=3)
    form = {"which": "ticked", "row": [one.row for one in rows], "because": BECAUSE}
    answer = ask("/quarantine/orders/drop", form=form, headers=OURS)
    assert answer.status_code == 303
    assert project.quarantine.heap("orders").rows == 57
    (decided,) = project.store.catalog.find(Decision, "orders")
    assert decided.because == f"3 rows of orders dropped for good. {BECAUSE}"
    assert json.loads(decided.evidence) == {"rows": 3}
    gone = ask("/quarantine/orders/drop", form=form, headers=OURS)
    assert gone.status_code == 404
    assert BECAUSE in gone.text, "what was typed is kept"
    assert ask("/api/v1/quarantine/orders/drop", json={"every": True, "because": BECAUSE}).json()["dropped"] == 57
    assert "Nothing of orders is set aside" in ask("/quarantine/orders").text
    assert project.audit(verify=True).whole


def test_a_second_drop_does_not_claim_the_first(project: Project, ask: Caller):
    form = {"which": "all", "shown": "60", "because": BECAUSE}
    assert ask("/quarantine/orders/drop", form=form, headers=OURS).status_code == 303
    again = ask("/quarantine/orders/drop", form=form | {"shown": "0", "because": "for another reason"}, headers=OURS)
    assert again.status_code == 422
    assert "none of these rows is set aside any more" in again.text
    assert len(project.store.catalog.find(Decision, "orders")) == 1


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"which": "ticked", "because": BECAUSE}, "no row is ticked"),
        ({"because": BECAUSE}, "nothing says which rows"),
        ({"which": "all", "because": "short"}, "too short"),
        ({"which": "all"}, "a reason is missing"),
        ({"which": "all", "batch": "two", "because": BECAUSE}, "not a batch"),
        ({"which": "all", "batch": "9" * 40, "because": BECAUSE}, "not a batch"),
        ({"which": "all", "shown": "59", "because": BECAUSE}, "since this page was shown"),
        ({"which": "ticked", "row": ["x"] * 60, "because": BECAUSE}, "too many fields"),
    ],
)
def test_a_form_that_lacks_something_changes_nothing(form: dict[str, Any], named: str, project: Project, ask: Caller):
    answer = ask("/quarantine/orders/drop", form=form, headers=OURS)
    assert 400 <= answer.status_code < 500
    assert named in answer.text
    assert project.quarantine.heap("orders").rows == 60
    assert project.store.catalog.find(Decision) == []


def test_another_site_and_another_word_change_nothing(project: Project, ask: Caller):
    form = {"which": "all", "because": BECAUSE}
    for what in ("drop", "readmit"):
        assert ask(f"/quarantine/orders/{what}", form=form, headers=FOREIGN).status_code == 403
        body = {"every": True, "because": BECAUSE}
        assert ask(f"/api/v1/quarantine/orders/{what}", json=body, headers=FOREIGN).status_code == 403
    assert ask("/quarantine/orders/burn", form=form, headers=OURS).status_code == 404
    assert ask("/quarantine/none/drop", form=form, headers=OURS).status_code == 404
    assert ask("/api/v1/quarantine/orders/drop", json={"because": BECAUSE}).status_code == 422
    assert project.quarantine.heap("orders").rows == 60


def test_privacy_names_what_is_missing_and_who_was_forgotten(project: Project, ask: Caller):
    text = ask("/privacy").text
    assert "2 columns of personal data" in text
    assert "orders.customer</code>. Say why" in text
    assert "orders.customer</code>, <code>orders.email</code>. Say for how long" in text
    assert "online rows of spent: 40 rows" in text
    assert "Nobody was." in text
    said = project.forget("customer", "c001", because="she asked for it")
    text = ask("/privacy").text
    assert project.privacy.report().subjects[0].digest[:16] in text
    assert "c001" not in text
    assert "she asked for it" in text
    assert said.done


def test_the_audit_is_filtered_and_its_chain_is_held_to_what_was_noted(project: Project, ask: Caller):
    account = project.audit(verify=True)
    text = ask("/audit").text
    assert "Chain is whole" in text
    assert account.head in text
    assert f"{len(project.audit('orders').entries)} entries of these" in ask("/audit?about=orders").text
    assert "No entry is one of these" in ask("/audit?who=nobody").text
    assert "Chain is whole" in ask(f"/audit?head={account.head}").text
    assert "the chain was cut off" in ask(f"/audit?head={'0' * 64}").text


def test_a_chain_that_was_changed_is_said(project: Project, ask: Caller):
    project.store.catalog.erase("table:orders@2")
    text = ask("/audit").text
    assert "table:orders@2 is not in the catalog any more" in text
    assert "Chain is whole" not in text
    assert "does not hold" in text


def test_a_long_chain_is_checked_when_asked(ask: Caller, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr("drivetrain.web.pages.audit.CHECKED", 3)
    assert "Check it now" in ask("/audit").text
    assert "Chain is whole" in ask("/audit?check=true").text


def test_where_nothing_is_it_says_so(call_empty: Caller):
    assert "No row is set aside" in call_empty("/quarantine").text
    assert "Nothing of flights is set aside" in call_empty("/quarantine/flights").text
    assert "Nothing is on record yet" in call_empty("/audit").text
    assert call_empty("/api/v1/quarantine").json() == []
