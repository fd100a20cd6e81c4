from __future__ import annotations

import json

import pytest

from drivetrain.core.errors import UsageError
from drivetrain.serve.guard import OPEN, SCOPES
from serve import world
from serve.fakes import door
from serve.test_tokens import keep
from serve.world import instance

BASE = "/v1/endpoints/plain"
BODIES = {
    f"{BASE}/predict": {"instances": [instance()]},
    f"{BASE}/feedback": {"feedback": [{"entity": "f1", "label": 1}]},
}
TENSORS = {
    "inputs": [
        {"name": name, "shape": [1], "datatype": datatype, "data": [value]}
        for (name, value), datatype in zip(instance().items(), ["BYTES", "BYTES", "FP64", "INT64"], strict=True)
    ]
}
ASKED = {
    ("POST", f"{BASE}/predict"): "predict",
    ("POST", "/v2/models/plain/infer"): "predict",
    ("POST", "/v1/models/plain:predict"): "predict",
    ("POST", "/v2/models/plain/versions/1/infer"): "predict",
    ("POST", f"{BASE}/feedback"): "feedback",
    ("GET", BASE): "read",
    ("GET", "/v1/endpoints"): "read",
    ("GET", "/v2/models/plain"): "read",
    ("GET", "/v2/health/ready"): "read",
    ("GET", "/metrics"): "metrics",
}


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.fixture
def folder(tmp_path):
    return tmp_path / "log"


def ask(made, method, path, text=None, **headers):
    body = json.dumps(BODIES.get(path, {})).encode() if method == "POST" else b""
    head = headers | ({"authorization": text} if text else {})
    return made.loop.run_until_complete(made.send(method, path, body, headers=head))


@pytest.mark.parametrize(("method", "path"), sorted(ASKED))
@pytest.mark.parametrize("scope", sorted(set(SCOPES.values())))
def test_a_token_opens_what_it_is_for(store, folder, method, path, scope):
    text = keep(store, scopes=(scope,))
    with door(store, folder, tokens="on") as made:
        assert ask(made, method, path).status == 401
        status = ask(made, method, path, text).status
        assert (status not in {401, 403}) if ASKED[method, path] == scope else (status == 403)


def test_every_route_there_is_takes_a_scope(store, folder):
    with door(store, folder, tokens="on") as made:
        routes = made.app._routes.values()
        assert {route.name for route in routes} <= set(SCOPES)
        assert {route.path for route in routes} >= OPEN


def test_a_route_that_nobody_gave_a_scope_is_for_nobody(store, folder, monkeypatch):
    text = keep(store, scopes=tuple(set(SCOPES.values())))
    monkeypatch.setattr("drivetrain.serve.guard.SCOPES", {})
    with door(store, folder, tokens="on") as made:
        assert ask(made, "POST", f"{BASE}/predict", text).status == 403


@pytest.mark.parametrize("path", sorted(OPEN))
def test_liveness_takes_no_token_and_keeps_its_troubles_to_itself(store, folder, path):
    with door(store, folder, tokens="on") as made:
        answer = ask(made, "GET", path)
        assert answer.status == 200
        assert set(json.loads(answer.body or b"{}")) <= {"live", "ready"}
    with door(world.fresh_store(store.folder), folder, tokens="off") as made:
        assert "problems" in made.get("/healthz")[1]


def test_refusals_are_plain_and_tell_strangers_nothing(store, folder):
    with door(store, folder, tokens="on") as made:
        for method, path in [*ASKED, ("GET", "/nothing"), ("DELETE", BASE), ("GET", "/v2/models/plain/versions/9")]:
            answer = ask(made, method, path)
            assert answer.status == 401
            assert ("www-authenticate", "Bearer") in answer.headers
            assert b"timed" not in answer.body
        told = json.loads(ask(made, "POST", f"{BASE}/predict").body)["error"]
        assert told["expected"] == "the header Authorization: Bearer dt_…"


def test_a_token_for_one_endpoint_is_for_no_other(store, folder):
    text = keep(store, scopes=("predict", "read", "metrics"), endpoints=("plain",))
    with door(store, folder, tokens="on") as made:
        assert ask(made, "POST", f"{BASE}/predict", text).status == 200
        assert ask(made, "POST", "/v1/endpoints/timed/predict", text).status == 403
        assert ask(made, "GET", "/v2/models/timed", text).status == 403
        hidden = {"x-drivetrain-endpoint": "timed"}
        assert ask(made, "POST", "/invocations", text, **hidden).status == 403
        assert ask(made, "GET", "/metrics", text).status == 200


def test_a_token_that_comes_too_often_is_told_when_to_come_again(store, folder):
    slow, other = keep(store, "slow", rate=0.25), keep(store, "other")
    with door(store, folder, tokens="on") as made:
        assert ask(made, "POST", f"{BASE}/predict", slow).status == 200
        refused = ask(made, "POST", f"{BASE}/predict", slow)
        assert refused.status == 429
        [wait] = [int(value) for name, value in refused.headers if name == "retry-after"]
        assert 3 <= wait <= 4
        assert "'slow' comes more often" in json.loads(refused.body)["error"]["message"]
        assert ask(made, "POST", f"{BASE}/predict", other).status == 200


def test_a_server_takes_so_many_requests_without_a_token(store, folder):
    with door(store, folder, rate="2/m", workers=2) as made:
        statuses = [ask(made, "POST", f"{BASE}/predict") for _ in range(3)]
        assert [one.status for one in statuses] == [200, 429, 429]
        assert ("retry-after", "30") in statuses[1].headers
        assert ask(made, "GET", "/healthz").status == 200


def test_a_rate_that_is_none_is_said(store, folder):
    with pytest.raises(UsageError, match="not a rate"), door(store, folder, rate="fast"):
        pass


@pytest.mark.parametrize(
    "path", [f"{BASE}/predict", "/v2/models/plain/infer", "/invocations", "/v1/models/plain:predict"]
)
@pytest.mark.parametrize("cause", ["queue", "no champion"])
def test_every_429_and_503_says_when_to_come_again(store, folder, tmp_path, path, cause):
    empty = world.fresh_store(tmp_path / "empty")
    found = {"queue": (store, {"queue": 0}), "no champion": (empty, {})}[cause]
    with door(found[0], folder, plans=[world.PLAIN], **found[1]) as made:
        body = json.dumps(TENSORS if "infer" in path else {"instances": [instance()]}).encode()
        head = {"content-type": "application/json"}
        answer = made.loop.run_until_complete(made.send("POST", path, body, headers=head))
        assert answer.status == (429 if cause == "queue" else 503)
        assert [name for name, _ in answer.headers].count("retry-after") == 1
