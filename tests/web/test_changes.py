"""Promote and roll back: with a reason, from our own pages, and never past a gate."""

from __future__ import annotations

import pytest

from drivetrain.core.errors import StoreError
from drivetrain.core.records import Alias
from drivetrain.web.app import create_app
from web.conftest import Caller
from web.seed import SeededDesk

BECAUSE = "Version 1 did better in the storms of last week."
OURS = {"origin": "http://localhost:8700", "sec-fetch-site": "same-origin"}


def champion(desk: SeededDesk) -> Alias:
    found = desk.store.catalog.get(Alias, "late:champion")
    assert found is not None
    return found


def test_a_person_promotes_a_version(desk: SeededDesk, call: Caller):
    answer = call("/endpoints/late/promote", form={"version": "1", "because": BECAUSE}, headers=OURS)
    assert answer.status_code == 303
    assert (champion(desk).version, champion(desk).because, champion(desk).actor) == (1, BECAUSE, "dashboard")
    shown = call(answer.headers["location"])
    assert "the version was promoted" in shown.text


def test_a_person_goes_back(desk: SeededDesk, call: Caller):
    answer = call("/endpoints/late/rollback", form={"because": BECAUSE}, headers=OURS)
    assert answer.status_code == 303
    assert champion(desk).version == 1


def test_a_gate_is_not_passed_by_a_form(desk: SeededDesk, call: Caller):
    answer = call("/endpoints/late/promote", form={"version": "3", "because": BECAUSE}, headers=OURS)
    assert answer.status_code == 409
    assert "did not meet its gates" in answer.text
    assert BECAUSE in answer.text, "what was typed is kept"
    assert champion(desk).version == 2


@pytest.mark.parametrize(
    ("form", "named"),
    [
        ({"version": "1"}, "a reason is missing"),
        ({"version": "1", "because": "short"}, "reason is too short"),
        ({"version": "1", "because": "x" * 501}, "too long"),
        ({"version": "one", "because": BECAUSE}, "not a version"),
        ({"because": BECAUSE}, "not a version"),
        ({"version": "99", "because": BECAUSE}, "has no version 99"),
    ],
)
def test_a_form_that_lacks_something_is_told(form: dict[str, str], named: str, desk: SeededDesk, call: Caller):
    answer = call("/endpoints/late/promote", form=form, headers=OURS)
    assert 400 <= answer.status_code < 500
    assert named in answer.text
    assert champion(desk).version == 2


@pytest.mark.parametrize(
    "headers",
    [
        {"sec-fetch-site": "cross-site", "origin": "http://evil.example"},
        {"sec-fetch-site": "same-site", "origin": "http://other.localhost:8700"},
        {"origin": "http://evil.example"},
        {"origin": "null"},
        {"origin": "http://localhost:9999"},
    ],
)
def test_another_site_changes_nothing(headers: dict[str, str], desk: SeededDesk, call: Caller):
    body = {"version": 1, "because": BECAUSE}
    form = {"version": "1", "because": BECAUSE}
    for answer in (
        call("/endpoints/late/promote", form=form, headers=headers),
        call("/endpoints/late/rollback", form=form, headers=headers),
        call("/api/v1/models/late/promote", json=body, headers=headers),
        call("/api/v1/models/late/rollback", json={"because": BECAUSE}, headers=headers),
    ):
        assert answer.status_code == 403
    assert champion(desk).version == 2


def test_a_program_without_a_browser_may_ask(desk: SeededDesk, call: Caller):
    body = {"version": 1, "because": BECAUSE, "actor": "ci"}
    answer = call("/api/v1/models/late/promote", json=body)
    assert answer.status_code == 200
    assert answer.json()["aliases"]["champion"] == 1
    assert champion(desk).actor == "ci"
    back = call("/api/v1/models/late/rollback", json={"because": BECAUSE})
    assert back.json()["aliases"]["champion"] == 2


@pytest.mark.parametrize(
    ("content", "kind", "status", "named"),
    [
        (b'{"version": 1', "application/json", 422, "not JSON"),
        (b'{"version": "1", "because": "long enough"}', "application/json", 422, "version"),
        (b'{"version": 1, "because": "long enough", "force": true}', "application/json", 422, "force"),
        (b'{"version": 1}', "application/json", 422, "because"),
        (b'{"version": 3, "because": "long enough"}', "application/json", 409, "gates"),
        (b'{"version": 1, "because": "long enough"}', "text/plain", 422, "application/json"),
        (b"\xff\xfe", "application/json", 422, "not JSON"),
    ],
)
def test_a_bad_body_is_named(content: bytes, kind: str, status: int, named: str, desk: SeededDesk, call: Caller):
    answer = call("/api/v1/models/late/promote", content=content, headers={"content-type": kind})
    assert answer.status_code == status
    assert named in answer.json()["error"]["message"]
    assert champion(desk).version == 2


def test_another_host_name_is_not_ours(desk: SeededDesk):
    foreign = Caller(create_app(desk), base="http://evil.example:8700")
    for path in ("/", "/api/v1/project"):
        assert foreign(path).status_code == 403
    for base in ("http://127.0.0.1:8700", "http://[::1]:8700", "http://localhost", "http://flights.localhost:8700"):
        assert Caller(create_app(desk), base=base)("/").status_code == 200


def test_a_form_of_another_kind_or_size_is_refused(call: Caller):
    wrong = call("/endpoints/late/promote", content=b"{}", headers={"content-type": "application/json"})
    assert wrong.status_code == 422
    large = call("/endpoints/late/promote", form={"version": "1", "because": "x" * 40_000}, headers=OURS)
    assert large.status_code == 422
    assert "too large" in large.text


def test_a_store_that_is_away_is_said(desk: SeededDesk, call: Caller, monkeypatch: pytest.MonkeyPatch):
    def away(*_: object, **__: object) -> object:
        raise StoreError("the catalog can't be reached", do="Start the database")

    monkeypatch.setattr(desk, "promote", away)
    answer = call("/endpoints/late/promote", form={"version": "1", "because": BECAUSE}, headers=OURS)
    assert answer.status_code == 503
    assert "Start the database" in answer.text
