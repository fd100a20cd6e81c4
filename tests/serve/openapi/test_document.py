"""The document says what there is, and no more; its examples work."""

from __future__ import annotations

import json
from dataclasses import replace

import jsonschema
import pytest
from openapi_spec_validator import validate

from drivetrain.features.online.push import Pusher
from drivetrain.serve.app import Application
from drivetrain.serve.refusal import MethodRefused
from drivetrain.serve.response import failure
from drivetrain.serve.routes.versioned import versioned
from serve import world
from serve.fakes import door
from serve.openapi import kinds
from serve.test_features import PLANE
from serve.test_tokens import keep

PLANS = [kinds.KINDS, replace(kinds.KINDS, name="other", deadline=5.0)]
DOCUMENT = "/openapi.json"
PREDICT = "/v1/endpoints/kinds/predict"


@pytest.fixture
def store(tmp_path):
    return kinds.make(tmp_path)


@pytest.fixture
def served(store, tmp_path):
    with door(store, tmp_path / "log", plans=PLANS, load=kinds.load, max_rows=7) as made:
        yield made


@pytest.fixture
def document(served):
    return served.get(DOCUMENT)[1]


def operations(document):
    return {f"{method.upper()} {path}": one for path, item in document["paths"].items() for method, one in item.items()}


def resolved(document, schema):
    return {**schema, "components": document["components"]}


@pytest.mark.parametrize("settings", [{}, {"tokens": "on"}, {"rate": "1000/s"}, {"allow_at": False}])
@pytest.mark.parametrize("plans", [PLANS, PLANS[:1]])
def test_the_document_is_valid_openapi(store, tmp_path, settings, plans):
    with door(store, tmp_path / "log", plans=plans, load=kinds.load, **settings) as made:
        head = {"authorization": keep(store, scopes=("read",))}
        made.app._guard and made.app._guard._book and made.app._guard._book.look()
        answer = made.loop.run_until_complete(made.send("GET", DOCUMENT, headers=head))
    document = json.loads(answer.body)
    assert document["openapi"] == "3.1.0"
    validate(document)


def test_every_route_is_described_and_nothing_else_is(store, tmp_path):
    pushers = {"plane": Pusher(store.online, PLANE, kinds.FLIGHTS)}
    with door(store, tmp_path / "log", plans=PLANS, load=kinds.load) as made:
        settings = made.app._settings
        app = Application(PLANS, store, settings, tmp_path / "log", pushers=pushers, load=kinds.load)
        made.app = app
        routes = [(route.method, route.path) for route in app._routes.values()]
        described = set(operations(made.get(DOCUMENT)[1]))
    named = [(method, other) for method, path in routes if (other := versioned(path))]
    assert described == {f"{method} {path}" for method, path in [*routes, *named]}
    assert len(named) == 10


def test_every_example_works_and_is_what_its_schema_says(served, document):
    tried = 0
    for asked, one in operations(document).items():
        method, path = asked.split(" ")
        for kind, content in one.get("requestBody", {"content": {}})["content"].items():
            example = content["example"]
            jsonschema.Draft202012Validator(resolved(document, content["schema"])).validate(example)
            body = example if isinstance(example, str) else json.dumps(example)
            head = {"content-type": kind, "x-drivetrain-endpoint": "kinds"}
            where = path.replace("{version}", "1")
            answer = served.loop.run_until_complete(served.send(method, where, body.encode(), headers=head))
            assert answer.status == 200, (asked, answer.body)
            given = one["responses"]["200"]["content"]["application/json"]["schema"]
            jsonschema.Draft202012Validator(resolved(document, given)).validate(json.loads(answer.body))
            tried += 1
    assert tried == 2 * (3 + 2 + 2) + 2


@pytest.mark.parametrize(
    ("changed", "fits"),
    [
        ({}, True),
        ({"score": None, "flag": None, "day": None}, True),
        ({"count": 2**63 - 1}, True),
        ({"count": 2**63}, False),
        ({"count": None}, False),
        ({"count": 1.5}, False),
        ({"score": "1"}, False),
        ({"text": None}, False),
        ({"odd": 1}, False),
    ],
)
def test_what_fits_the_schema_is_what_the_endpoint_takes(served, document, changed, fits):
    body = {
        "instances": [
            {"text": "a", "count": 1, "score": 1, "flag": True, "moment": "2013-07-01T09:30:00Z", "day": None} | changed
        ]
    }
    schema = operations(document)[f"POST {PREDICT}"]["requestBody"]["content"]["application/json"]["schema"]
    assert jsonschema.Draft202012Validator(resolved(document, schema)).is_valid(body) is fits
    assert (served.post(PREDICT, body)[0] == 200) is fits


def test_a_request_is_no_longer_than_the_settings_say(document):
    asked = operations(document)
    schema = asked[f"POST {PREDICT}"]["requestBody"]["content"]["application/json"]["schema"]
    assert schema["properties"]["instances"]["maxItems"] == 7
    assert "16777216 bytes and 7 rows" in document["info"]["description"]
    assert (
        document["components"]["schemas"]["Instance.kinds"]["properties"]["text"]["description"] == "What it is called"
    )


def test_refusals_are_those_that_can_come(served, document):
    asked = operations(document)
    assert set(asked[f"POST {PREDICT}"]["responses"]) == {*("200", "400", "408", "413", "422", "429", "500", "503")}
    assert "504" in asked["POST /v1/endpoints/other/predict"]["responses"]
    assert {"404", "415"} <= set(asked["POST /invocations"]["responses"])
    assert asked["POST /v2/models/kinds/infer"]["responses"]["422"] == {"$ref": "#/components/responses/422.text"}


@pytest.mark.parametrize("shape", ["object", "text", "coded"])
def test_refusals_look_as_they_are_described(document, shape):
    error = MethodRefused("no", found="GET", allowed=["POST"])
    schema = document["components"]["responses"][f"405.{shape}"]["content"]["application/json"]["schema"]
    jsonschema.Draft202012Validator(resolved(document, schema)).validate(json.loads(failure(error, shape).body))
    other = {"object": "text", "text": "coded", "coded": "object"}[shape]
    told = json.loads(failure(error, other).body)
    assert not jsonschema.Draft202012Validator(resolved(document, schema)).is_valid(told)


def test_tokens_are_a_scheme_where_they_are_asked_for(store, tmp_path, document):
    assert "security" not in document
    text = keep(store, scopes=("read",))
    with door(store, tmp_path / "log", plans=PLANS, load=kinds.load, tokens="on") as made:
        assert made.get(DOCUMENT)[0] == 401
        answer = made.loop.run_until_complete(made.send("GET", DOCUMENT, headers={"authorization": text}))
    asked = json.loads(answer.body)
    assert asked["security"] == [{"token": []}]
    assert asked["components"]["securitySchemes"]["token"]["scheme"] == "bearer"
    told = operations(asked)
    assert {"401", "403", "429"} <= set(told["GET /v1/endpoints"]["responses"])
    assert told["GET /ping"]["security"] == []
    assert "401" not in told["GET /ping"]["responses"]


def test_every_worker_gives_the_same_bytes_and_builds_them_once(store, tmp_path):
    apps = [Application(PLANS, store, world.ServeSettings(), tmp_path / "log", load=kinds.load) for _ in range(2)]
    with door(store, tmp_path / "log", plans=PLANS, load=kinds.load) as made:
        bodies = []
        for app in apps:
            made.app = app
            bodies += [made.loop.run_until_complete(made.send("GET", DOCUMENT)).body for _ in range(2)]
    assert bodies[0] is bodies[1]
    assert bodies[0] == bodies[2]


def test_another_method_is_told_which_are_taken(served):
    for method, path, allowed in [("GET", PREDICT, "POST"), ("POST", DOCUMENT, "GET, HEAD")]:
        answer = served.loop.run_until_complete(served.send(method, path, b"{}"))
        assert answer.status == 405
        assert ("allow", allowed) in answer.headers


@pytest.mark.parametrize("path", [DOCUMENT, "/ping", "/v2/models/kinds/versions/1"])
def test_whoever_asks_for_a_head_alone_gets_it(served, path):
    assert served.ask("HEAD", path)[0] == 200
