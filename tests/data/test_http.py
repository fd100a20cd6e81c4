"""An HTTP API that fails, stalls, repeats and reorders its pages."""

from __future__ import annotations

import time

import pytest
from tests.data.feeds import ApiFeed

from drivetrain.core.errors import ProjectError, SourceAway, SourceError
from drivetrain.data.readers.http import http
from drivetrain.data.resume import Retry, resumed
from drivetrain.testing.api import running_api
from drivetrain.testing.readers import ReaderConformance, some_rows


class _HttpConformance(ReaderConformance):
    pages: str
    cursor: str | None = "t"

    @pytest.fixture(autouse=True)
    def api(self, request):
        with running_api(size=30, odd=True, faults=0.15 if "killed" in request.node.name else 0.0) as self.server:
            yield

    def feed(self, folder):
        return ApiFeed(self.server, self.pages, self.cursor)


class TestNumbered(_HttpConformance):
    pages = "number"


class TestTokens(_HttpConformance):
    pages = "token"


class TestLinks(_HttpConformance):
    pages = "link"


del _HttpConformance, ReaderConformance


@pytest.fixture
def api():
    with running_api(rows=some_rows(25)) as running:
        yield running


def numbered(api, **settings):
    return http(f"{api.url}/number", records="data.items", pages="number", **settings)


def ids(reader, folder, cursor=""):
    batches = list(reader.read(folder, cursor))
    return [int(i) for batch in batches for i in batch.rows["id"]], batches[-1].cursor if batches else cursor


def test_without_a_cursor_only_pages_that_changed_are_taken_in(api, tmp_path):
    reader = numbered(api)
    found, cursor = ids(reader, tmp_path)
    assert found == list(range(1, 26))
    assert reader.pending(tmp_path, cursor) is None
    assert ids(reader, tmp_path, cursor) == ([], cursor)
    api.rows[12]["x"] = 77
    found, cursor = ids(reader, tmp_path, cursor)
    assert found == list(range(11, 21))
    assert ids(reader, tmp_path, cursor) == ([], cursor)


def test_what_is_new_is_asked_for(api, tmp_path):
    reader = numbered(api, cursor="t", since_param="since", params={"state": "paid"}, batch_rows=7)
    found, cursor = ids(reader, tmp_path)
    assert found == list(range(1, 26))
    api.asked.clear()
    # A late row with the greatest moment that was seen is not missed; those that were seen do not come again.
    api.rows += [{**api.rows[-1], "id": 99}, *some_rows(2, first=26)]
    assert reader.pending(tmp_path, cursor) == "3 rows on its next page"
    found, cursor = ids(reader, tmp_path, cursor)
    assert found == [99, 26, 27]
    assert api.asked[0] == "/number?state=paid&since=2013-07-01T00%3A25%3A00Z&page=1"
    assert ids(reader, tmp_path, cursor) == ([], cursor)


def test_a_sweep_that_was_cut_off_goes_on_at_its_page_and_begins_again_if_that_has_run_out(api, tmp_path):
    reader = numbered(api, cursor="t", since_param="since", batch_rows=10)
    first = next(iter(reader.read(tmp_path, "")))
    api.asked.clear()
    assert ids(reader, tmp_path, first.cursor)[0] == list(range(11, 26))
    assert api.asked[0] == "/number?page=2"
    api.next_fault = "missing"
    assert ids(reader, tmp_path, first.cursor)[0] == list(range(1, 26))


@pytest.mark.parametrize(
    ("fault", "words"),
    [
        ("unavailable", "answers 503 Service Unavailable"),
        ("busy", "answers 429 Too Many Requests"),
        ("reset", "can't be read"),
        ("cut", "can't be read"),
        ("garbage", "what is no JSON"),
        ("stall", "it does not answer in time"),
        ("drip", "it does not answer in time"),
    ],
)
def test_trouble_that_passes_is_told_and_tried_again(api, tmp_path, fault, words):
    reader = numbered(api, cursor="t", timeout=0.3)
    api.next_fault = fault
    with pytest.raises(SourceAway, match=words):
        list(reader.read(tmp_path, ""))
    api.next_fault = fault
    told = []
    batches = resumed(reader, tmp_path, "", retry=Retry(tries=2, first=0.01), tell=told.append)
    assert sum(batch.rows.height for batch in batches) == 25
    assert words in told[0]
    assert "(2 of 2)" in told[0]


def test_retry_after_is_heeded(api, tmp_path):
    waits = []
    reader = numbered(api, cursor="t")
    for text, least in (("2", 2.0), (time.strftime("%a, %d %b %Y %H:%M:%S GMT", time.gmtime(time.time() + 60)), 50.0)):
        api.next_fault, api.retry_after = "busy", text
        list(resumed(reader, tmp_path, "", retry=Retry(first=0.0), tell=lambda _: None, sleep=waits.append))
        assert least <= waits.pop() <= least + 10
    api.next_fault, api.retry_after = "busy", "3600"
    with pytest.raises(SourceAway, match="it asks to be left alone for 3600 s"):
        list(resumed(reader, tmp_path, "", retry=Retry(), tell=lambda _: None, sleep=waits.append))
    assert waits == []


def test_a_token_comes_from_the_environment_and_goes_nowhere_else(api, tmp_path, monkeypatch):
    api.token = "Bearer hidden"
    with pytest.raises(SourceError, match=r"answers 401.*needs a token"):
        ids(numbered(api), tmp_path)
    reader = numbered(api, token="SHOP_TOKEN")
    with pytest.raises(SourceError, match="found no SHOP_TOKEN in the environment"):
        ids(reader, tmp_path)
    monkeypatch.setenv("SHOP_TOKEN", "hidden")
    assert len(ids(reader, tmp_path)[0]) == 25
    assert "hidden" not in repr(reader)
    api.next_fault = "elsewhere"
    with pytest.raises(SourceError, match=r"sends us elsewhere; found http://127\.0\.0\.2:1"):
        ids(reader, tmp_path)
    api.token = "Bearer other"
    with pytest.raises(SourceError, match=r"answers 401.*token in SHOP_TOKEN"):
        ids(reader, tmp_path)


def test_requests_come_no_oftener_than_allowed(api, tmp_path, monkeypatch):
    slept = []
    monkeypatch.setattr("drivetrain.data.readers.client.time.sleep", slept.append)
    ids(numbered(api, rate="2/s"), tmp_path)
    assert len(slept) == 3
    assert all(0.0 < seconds <= 0.5 for seconds in slept)


def test_what_is_no_object_is_named_and_where_no_list_is_said(api, tmp_path):
    api.rows[3:4] = ["oops"]
    first, *_ = numbered(api, cursor="t").read(tmp_path, "")
    assert [(one.line, one.reason, one.text) for one in first.unreadable] == [
        (4, "unreadable row: found str, expected an object", "oops")
    ]
    with pytest.raises(SourceError, match="no list of records at 'rows'; found data, meta"):
        list(http(f"{api.url}/number", records="rows").read(tmp_path, ""))


def test_pages_that_go_round_are_named(api, tmp_path, monkeypatch):
    monkeypatch.setattr(api, "page", lambda number, since: (api.rows, True))
    api.url = f"{api.url}/link?page=2#"
    with pytest.raises(SourceError, match="round in a circle"):
        list(http(api.url.removesuffix("#"), pages="link").read(tmp_path, ""))


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"paging": "link"}, "no such setting; found paging"),
        ({"pages": "links"}, "named in another way"),
        ({"rate": "often"}, "not a rate"),
        ({"since_param": "since"}, "Name the column"),
        ({"timeout": 0}, "more than 0"),
    ],
)
def test_impossible_settings_are_refused(settings, words):
    with pytest.raises(ProjectError, match=words):
        http("https://api.example.org", **settings)


def test_a_url_must_be_one():
    with pytest.raises(ProjectError, match="not the URL of an API"):
        http("ftp://example.org")
