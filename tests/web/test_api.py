"""JSON at ``/api/v1``: records as the catalog keeps them, errors in one shape."""

from __future__ import annotations

import pytest

from web.conftest import Caller

PATHS = (
    "/project", "/status", "/revision", "/plan", "/features", "/tables", "/tables/flights", "/tables/training/late",
    "/quarantine/flights", "/models", "/models/late/versions", "/models/late/versions/2",
    "/models/late/versions/2/evaluation", "/models/late/versions/2/fairness", "/models/late/versions/2/slices",
    "/models/late/versions/2/behaviours", "/models/late/versions/2/robustness",
    "/models/late/bias",
    "/models/late/bias?report=bias-1",
    "/models/late/versions/2/lineage", "/runs", "/runs?model=late&limit=2",
    "/runs/0192-run-1", "/endpoints/late", "/endpoints/late/reports?limit=3", "/alerts", "/alerts?state=open",
    "/alerts/quality", "/sinks", "/endpoints/late/report", "/endpoints/late/report?since=2013-12-01",
    "/endpoints/late/story", "/endpoints/late/story?since=2013-12-01",
    "/data/flights", "/data/flights?version=59&against=50", "/history/flights", "/quarantine", "/privacy",
    "/audit", "/audit?what=read&verify=true", "/decisions?about=late", "/steps", "/steps?name=train:late",
)  # fmt: skip


@pytest.mark.parametrize("path", PATHS)
def test_it_answers_json(path: str, call: Caller):
    answer = call(f"/api/v1{path}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "application/json"
    assert answer.json()


def test_what_is_asked_for_is_what_comes(call: Caller):
    assert call("/api/v1/models").json() == [
        {"name": "late", "aliases": {"champion": 2, "shadow": None}, "versions": [1, 2, 3]}
    ]
    assert len(call("/api/v1/endpoints/late/reports?limit=3").json()) == 3
    assert [one["state"] for one in call("/api/v1/alerts?state=open").json()] == ["open"]
    assert {one["model"] for one in call("/api/v1/runs?model=late").json()} == {"late"}
    assert call("/api/v1/endpoints/late").json()["health"]["level"] == "watch"
    assert [one["due"] for one in call("/api/v1/plan").json()].count(True) == 2
    lineage = call("/api/v1/models/late/versions/2/lineage").json()
    assert lineage["sources"][0]["sources"][0]["ref"] == "table:training/late@2"


@pytest.mark.parametrize(
    ("path", "status", "field"),
    [
        ("/nowhere", 404, None),
        ("/tables/none", 404, None),
        ("/runs/none", 404, None),
        ("/models/late/versions/9", 404, None),
        ("/endpoints/none", 404, None),
        ("/predictions/none", 404, None),
        ("/models/late/versions/two", 422, "number"),
        ("/runs?limit=0", 422, "limit"),
        ("/runs?limit=many", 422, "limit"),
    ],
)
def test_an_error_names_what_is_wrong(path: str, status: int, field: str | None, call: Caller):
    answer = call(f"/api/v1{path}")
    assert answer.status_code == status
    error = answer.json()["error"]
    assert error["message"]
    assert error["field"] == field


def test_what_it_offers_is_described(call: Caller):
    described = call("/api/v1/openapi.json").json()
    for path in PATHS:
        if "?" not in path:
            assert any(_fits(pattern, f"/api/v1{path}") for pattern in described["paths"]), path
    assert all(way.get("summary") for methods in described["paths"].values() for way in methods.values())
    assert not any(path.startswith("/api") is False for path in described["paths"])


def _fits(pattern: str, path: str) -> bool:
    have, want = pattern.split("/"), path.split("/")
    if pattern.endswith("{name}") and len(want) > len(have):
        want = [*want[: len(have) - 1], ""]
    return len(have) == len(want) and all(a == b or a.startswith("{") for a, b in zip(have, want, strict=True))
