"""The server's application inside another's: what the host keeps, and what is the same as in a server of its own."""

from __future__ import annotations

import asyncio
import gc
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import httpx2 as httpx
import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from starlette.applications import Starlette
from starlette.responses import PlainTextResponse
from starlette.routing import Mount, Route
from starlette.websockets import WebSocketDisconnect

from drivetrain.core.errors import StoreError
from drivetrain.core.settings import ServeSettings
from drivetrain.serve.app import Application
from drivetrain.serve.asgi import AsgiApp
from drivetrain.serve.log.read import find
from serve import world
from serve.process import free_port, running
from serve.test_tokens import keep
from serve.world import instance

PREDICT = "/v1/endpoints/plain/predict"
ROWS = [instance(), instance(flight_id="f2", carrier="AA", distance=0.5, seats=7)]
NATIVE = {"instances": ROWS, "request_id": "native"}
TENSORS = {
    "id": "v2",
    "inputs": [
        {"name": name, "shape": [2], "datatype": kind, "data": [row[name] for row in ROWS]}
        for name, kind in (("flight_id", "BYTES"), ("carrier", "BYTES"), ("distance", "FP64"), ("seats", "INT64"))
    ],
}
NAMED = {"x-drivetrain-endpoint": "plain", "x-drivetrain-request-id": "named"}
ASKED = [
    ("GET", "/v1/endpoints", None),
    ("POST", PREDICT, NATIVE),
    ("POST", PREDICT, {"instances": [instance(distance="far")]}),
    ("POST", PREDICT, {"instances": []}),
    ("POST", "/v1/endpoints/plain/feedback", {"feedback": [{"entity": "f1", "label": 1}]}),
    ("POST", "/v1/endpoints/plain/explain", {"instances": [1]}),
    ("GET", PREDICT, None),
    ("GET", "/v1/endpoints/none", None),
    ("GET", "/v2", None),
    ("GET", "/v2/health/live", None),
    ("GET", "/v2/health/ready", None),
    ("GET", "/v2/models/plain", None),
    ("POST", "/v2/models/plain/infer", TENSORS),
    ("POST", "/v2/models/plain/versions/1/infer", TENSORS),
    ("POST", "/v2/models/plain/versions/2/infer", TENSORS),
    ("GET", "/v1/models", None),
    ("POST", "/v1/models/plain:predict", {"instances": ROWS}),
    ("POST", "/invocations", {"dataframe_records": ROWS}),
    ("GET", "/ping", None),
    ("GET", "/healthz", None),
    ("GET", "/", None),
    ("GET", "/v1/endpoints/pl%61in/explain%20", None),
]


def mounted(folder, *, times=None, **settings):
    made = ServeSettings(**{"allow_at": True} | settings)

    def make():
        if times is not None:
            times.append(1)
        store = world.fresh_store(folder)
        return Application([world.PLAIN, world.TIMED], store, made, folder / "log", load=world.load, hosted=True)

    return AsgiApp(make)


def fastapi(model, **more):
    app = FastAPI(**more)

    @app.get("/before")
    def before():
        return "the host's"

    app.mount("/model", model)

    @app.get("/model-card")
    @app.get("/v1/endpoints")
    def card():
        return "the host's too"

    return app


def starlette(model, **more):
    def host(_):
        return PlainTextResponse('"the host\'s too"')

    return Starlette(
        routes=[
            Route("/before", lambda _: PlainTextResponse('"the host\'s"')),
            Mount("/model", app=model),
            Route("/model-card", host),
            Route("/v1/endpoints", host),
        ],
        **more,
    )


@pytest.fixture
def store(tmp_path):
    return world.make(tmp_path)


@pytest.fixture(scope="module")
def own(tmp_path_factory):
    """A server of our own."""
    folder = tmp_path_factory.mktemp("own")
    world.make(folder)
    with running(folder) as server:
        yield f"http://127.0.0.1:{server.port}"


@pytest.fixture(scope="module", params=[fastapi, starlette])
def hosted(request, tmp_path_factory):
    folder = tmp_path_factory.mktemp("hosted")
    world.make(folder)
    model = mounted(folder)
    with TestClient(request.param(model, lifespan=model.lifespan)) as client:
        yield client


def told(answer):
    """An answer less what no two answers share."""
    headers = {name: value for name, value in answer.headers.items() if name not in {"date", "server", "connection"}}
    try:
        body = answer.json()
    except ValueError:
        body = answer.text
    if isinstance(body, dict) and "request_id" in body and answer.status_code == 200:
        assert body["request_id"]
    return answer.status_code, headers, body


@pytest.mark.parametrize(("method", "path", "body"), ASKED)
def test_what_is_mounted_answers_as_a_server_of_its_own(own, hosted, method, path, body):
    ours = httpx.request(method, own + path, json=body, headers=NAMED)
    theirs = hosted.request(method, "/model" + path, json=body, headers=NAMED)
    assert told(theirs) == told(ours)


def test_bytes_of_tensors_go_both_ways(own, hosted):
    tensors = [
        {"name": "flight_id", "shape": [1], "datatype": "BYTES", "data": ["f1"]},
        {"name": "carrier", "shape": [1], "datatype": "BYTES", "data": ["UA"]},
        {"name": "distance", "shape": [1], "datatype": "FP32", "parameters": {"binary_data_size": 4}},
        {"name": "seats", "shape": [1], "datatype": "INT64", "data": [5]},
    ]
    head = json.dumps({"id": "b", "inputs": tensors, "parameters": {"binary_data_output": True}}).encode()
    asked = {"content": head + b"\x00\x00\xc8\x42", "headers": {"inference-header-content-length": str(len(head))}}
    path = "/v2/models/plain/infer"
    theirs = hosted.post(f"/model{path}", **asked)
    assert theirs.status_code == 200
    assert told(theirs) == told(httpx.post(own + path, **asked))


def test_the_hosts_own_routes_stay_the_hosts(hosted):
    assert hosted.get("/before").json() == "the host's"
    assert hosted.get("/model-card").json() == "the host's too"
    assert hosted.get("/v1/endpoints").json() == "the host's too"
    for path in ("/none", "/healthz", PREDICT, "/models/v2", "/modelv2"):
        answer = hosted.get(path)
        assert answer.status_code == 404
        assert "nothing is at this path" not in answer.text
    assert hosted.get("/model/none").json()["error"]["message"].startswith("nothing is at this path; found /none")


def test_metrics_count_what_came(hosted):
    hosted.post(f"/model{PREDICT}", json=NATIVE)
    assert 'drivetrain_requests_total{endpoint="plain",route="predict",status="200"}' in (
        hosted.get("/model/metrics").text
    )


@pytest.mark.parametrize("host", [fastapi, starlette])
def test_without_a_lifespan_it_opens_at_the_first_request_and_once(store, tmp_path, host):
    times: list[int] = []
    model = mounted(tmp_path, times=times)
    client = TestClient(host(model))
    assert client.get("/before").status_code == 200
    assert not times
    for at in range(3):  # each on an event loop of its own, as this client has it
        answer = client.post(f"/model{PREDICT}", json={"instances": ROWS, "request_id": f"r{at}"})
        assert answer.json()["predictions"] == [106.0, 7.5]
    assert times == [1]
    assert [len(find(store, tmp_path / "log", f"r{at}")) for at in range(3)] == [2, 2, 2]
    model.close()


@pytest.mark.parametrize("at_top", [True, False])
def test_the_lifespans_end_finishes_the_log_and_it_may_open_again(store, tmp_path, at_top):
    model = mounted(tmp_path, durability="memory")
    for name in ("first", "second"):
        app, path = (model, PREDICT) if at_top else (fastapi(model, lifespan=model.lifespan), f"/model{PREDICT}")
        with TestClient(app) as client:
            assert client.post(path, json={"instances": [instance()], "request_id": name}).status_code == 200
            assert find(store, tmp_path / "log", name) == []  # held in memory until it ends
        assert len(find(store, tmp_path / "log", name)) == 1


def test_it_closes_when_nobody_holds_it_any_more(store, tmp_path):
    model = mounted(tmp_path, durability="memory")
    TestClient(model).post(PREDICT, json={"instances": [instance()], "request_id": "r"})
    del model
    gc.collect()
    assert len(find(store, tmp_path / "log", "r")) == 1


def test_a_body_in_pieces_is_one_body(hosted):
    data = json.dumps(NATIVE).encode()

    def pieces():
        yield from (data[at : at + 7] for at in range(0, len(data), 7))

    assert hosted.post(f"/model{PREDICT}", content=pieces()).json()["predictions"] == [106.0, 7.5]


def test_limits_and_tokens_hold(store, tmp_path):
    bearer = keep(store)
    model = mounted(tmp_path, tokens="on", max_bytes=2000, max_rows=2)
    with TestClient(fastapi(model, lifespan=model.lifespan)) as client:
        path = f"/model{PREDICT}"
        refused = client.post(path, json=NATIVE)
        assert (refused.status_code, refused.headers["www-authenticate"]) == (401, "Bearer")
        client.headers["authorization"] = bearer
        assert client.post(path, json=NATIVE).status_code == 200
        assert client.post(path, json={"instances": ROWS * 2}).status_code == 413
        assert client.post(path, content=b"x" * 9000).status_code == 413
        assert client.post(path, content=(b"x" * 1000 for _ in range(3))).status_code == 413
        assert client.get("/model/metrics").status_code == 403
        assert client.get("/model/healthz").status_code == 200


def test_a_new_champion_is_followed(store, tmp_path):
    model = mounted(tmp_path)
    with TestClient(fastapi(model, lifespan=model.lifespan)) as client:
        world.add_version(store, "plain", 2, 1000.0)
        world.point(store, "plain", "champion", 2)
        until = time.monotonic() + 30
        while (answer := client.post(f"/model{PREDICT}", json=NATIVE).json())["model_version"] == 1:
            assert time.monotonic() < until
        assert answer["predictions"] == [1106.0, 1007.5]


def asked(model, messages, path=PREDICT, kind="http"):
    """What a bare host gets for the messages of a request."""
    head = {"type": kind, "method": "POST", "path": path, "headers": [(b"x-a", b"\xff"), (b"x-a", b"2")]}
    sent = []

    async def receive():
        return messages.pop(0)

    async def send(message):
        sent.append(message)

    asyncio.run(model(head, receive, send))
    return sent


def test_somebody_who_goes_away_is_no_mistake_of_the_servers(store, tmp_path, caplog):
    model = mounted(tmp_path)
    start, body = asked(model, [{"type": "http.request", "body": b"{", "more_body": True}, {"type": "http.disconnect"}])
    assert start["status"] == 400
    assert "whoever sent it is gone" in body["body"].decode()
    assert not caplog.records
    model.close()


@pytest.mark.parametrize(("path", "root"), [("/v2", ""), ("/a/v2", "/a"), ("/v1/v2", "/v1"), ("/v2", "/v")])
def test_where_it_is_mounted_is_no_part_of_the_path(store, tmp_path, path, root):
    model = mounted(tmp_path)
    client = TestClient(model, root_path=root)
    assert client.get(path).json()["name"] == "drivetrain"
    model.close()


def test_a_websocket_is_refused(hosted):
    with pytest.raises(WebSocketDisconnect), hosted.websocket_connect("/model/v2"):
        pass


def test_what_can_not_open_is_said_plainly_and_tried_again(store, tmp_path):
    whole = mounted(tmp_path)
    broken = [StoreError("the catalog is away", do="Start it")]

    def make():
        if broken:
            raise broken.pop()
        return whole._make()

    model = AsgiApp(make)
    client = TestClient(fastapi(model))
    answer = client.get("/model/healthz")
    assert (answer.status_code, answer.json()["error"]["message"]) == (503, "the catalog is away. Start it.")
    assert client.get("/model/healthz").json()["ready"] is True
    model.close()
    broken.append(StoreError("the catalog is away"))
    with pytest.raises(StoreError, match="away"), TestClient(fastapi(model, lifespan=model.lifespan)):
        pass
    messages = [{"type": "lifespan.startup"}]
    broken.append(StoreError("the catalog is away"))
    assert asked(model, messages, kind="lifespan") == [
        {"type": "lifespan.startup.failed", "message": "the catalog is away."}
    ]


HOST = """
import sys
sys.path[:0] = [{tests!r}]
from pathlib import Path
from serve.test_asgi import fastapi, mounted
model = mounted(Path({folder!r}), durability="memory")
app = fastapi(model, lifespan=model.lifespan) if {passed} else fastapi(model)
"""


@pytest.mark.parametrize(("passed", "how"), [(True, signal.SIGTERM), (False, signal.SIGINT)])
def test_in_a_uvicorn_whose_parent_goes_away(store, tmp_path, passed, how):
    port = free_port()
    (tmp_path / "host.py").write_text(
        HOST.format(tests=str(Path(__file__).parent.parent), folder=str(tmp_path), passed=passed)
    )
    words = [sys.executable, "-m", "uvicorn", "host:app", "--port", str(port), "--log-level", "warning"]
    # A shell that ends at once: the host is then nobody's child, and must go on all the same.
    told = subprocess.run(
        ["sh", "-c", '"$@" > host.log 2>&1 & echo $!', "sh", *words],
        cwd=tmp_path, capture_output=True, text=True, check=True,
    )  # fmt: skip
    pid = int(told.stdout)
    url = f"http://127.0.0.1:{port}/model"
    try:
        until = time.monotonic() + 60
        while True:
            try:
                assert httpx.get(f"{url}/healthz").json()["ready"] is True
                break
            except httpx.TransportError:
                assert time.monotonic() < until, (tmp_path / "host.log").read_text()
                time.sleep(0.05)
        for at in range(5):
            body = {"instances": ROWS, "request_id": f"r{at}"}
            assert httpx.post(url + PREDICT, json=body).json()["predictions"] == [106.0, 7.5]
            time.sleep(0.1)  # housekeeping has come by
    finally:
        os.kill(pid, how)
    until = time.monotonic() + 30
    while Path(f"/proc/{pid}").exists() and Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z":
        assert time.monotonic() < until
        time.sleep(0.02)
    assert [len(find(store, tmp_path / "log", f"r{at}")) for at in range(5)] == [2] * 5
    assert "Traceback" not in (tmp_path / "host.log").read_text()
