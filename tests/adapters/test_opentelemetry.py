"""Spans: their names, attributes and parents, in memory and through a real OTLP/HTTP receiver."""

from __future__ import annotations

import json
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from opentelemetry.proto.collector.trace.v1.trace_service_pb2 import ExportTraceServiceRequest
from opentelemetry.sdk.trace.export import SimpleSpanProcessor
from opentelemetry.sdk.trace.export.in_memory_span_exporter import InMemorySpanExporter
from opentelemetry.trace import SpanKind, StatusCode

from drivetrain.adapters.opentelemetry import Tracer
from drivetrain.core import plugins
from drivetrain.core.errors import MissingExtra, SettingsError
from drivetrain.core.exchange import Exchange
from serve import world
from serve.fakes import door
from serve.process import running
from serve.world import instance

PLAIN = "/v1/endpoints/plain/predict"
TRACE, PARENT = "0af7651916cd43dd8448eb211c80319c", "b7ad6b7169203331"
ONE = Exchange(
    began=1_700_000_000_000_000_000, seconds=0.25, method="POST", route="predict", path=PLAIN, endpoint="plain",
    status=200, received=10, sent=20, request_id="r", version=3, rows=2,
)  # fmt: skip
UNKNOWN = Exchange(began=1, seconds=0.0, method="_OTHER", route="unknown", path="", endpoint="", status=404)


@pytest.fixture
def kept():
    return InMemorySpanExporter()


@pytest.fixture
def tracer(kept):
    made = Tracer(processor=SimpleSpanProcessor(kept))
    yield made
    made.close()


def change(exchange, **more):
    return Exchange(**{name: getattr(exchange, name) for name in exchange.__struct_fields__} | more)


def test_a_span_says_what_the_conventions_ask_for(tracer, kept):
    tracer.saw(ONE)
    (span,) = kept.get_finished_spans()
    assert (span.name, span.kind, span.parent) == (f"POST {PLAIN}", SpanKind.SERVER, None)
    assert (span.start_time, span.end_time - span.start_time) == (ONE.began, 250_000_000)
    assert dict(span.attributes) == {
        "http.request.method": "POST",
        "http.route": PLAIN,
        "url.path": PLAIN,
        "url.scheme": "http",
        "http.response.status_code": 200,
        "http.request.body.size": 10,
        "http.response.body.size": 20,
        "drivetrain.route": "predict",
        "drivetrain.endpoint": "plain",
        "drivetrain.model.version": 3,
        "drivetrain.rows": 2,
        "drivetrain.request_id": "r",
    }
    assert span.resource.attributes["service.name"] == "drivetrain"


def test_what_is_not_there_has_a_name_of_its_own_and_a_failure_is_an_error(tracer, kept):
    tracer.saw(UNKNOWN)
    tracer.saw(change(ONE, status=503))
    unknown, failed = kept.get_finished_spans()
    assert (unknown.name, unknown.status.status_code) == ("HTTP", StatusCode.UNSET)
    assert (failed.attributes["error.type"], failed.status.status_code) == ("503", StatusCode.ERROR)


@pytest.mark.parametrize(
    ("traceparent", "spans"),
    [
        (f"00-{TRACE}-{PARENT}-01", (int(TRACE, 16), int(PARENT, 16))),
        (f"00-{TRACE}-{PARENT}-00", None),
        ("00-nonsense-01", "own"),
        ("00-" + "0" * 32 + f"-{PARENT}-01", "own"),
        ("ä" * 10_000, "own"),
    ],
    ids=["sampled", "not sampled", "nonsense", "zeros", "long"],
)
def test_the_callers_trace_goes_on(tracer, kept, traceparent, spans):
    tracer.saw(change(ONE, traceparent=traceparent, tracestate="vendor=1"))
    found = kept.get_finished_spans()
    if spans is None:
        assert found == ()
    elif spans == "own":
        assert found[0].parent is None
    else:
        assert (found[0].context.trace_id, found[0].parent.span_id) == spans
        assert found[0].context.trace_state["vendor"] == "1"


def test_a_name_of_the_service_in_the_environment_stays(monkeypatch, kept):
    monkeypatch.setenv("OTEL_SERVICE_NAME", "scores")
    made = Tracer(processor=SimpleSpanProcessor(kept))
    made.saw(ONE)
    assert kept.get_finished_spans()[0].resource.attributes["service.name"] == "scores"
    made.close()


def test_a_variable_that_can_not_be_used_is_said(monkeypatch):
    monkeypatch.setenv("OTEL_BSP_MAX_QUEUE_SIZE", "1")
    with pytest.raises(SettingsError, match="OTEL_"):
        Tracer("http://127.0.0.1:9")


class Receiver:
    """An OTLP/HTTP collector that keeps what it is sent."""

    def __init__(self):
        self.spans, self.paths = [], set()
        receiver = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self):
                receiver.paths.add(self.path)
                sent = ExportTraceServiceRequest.FromString(self.rfile.read(int(self.headers["content-length"])))
                for resource in sent.resource_spans:
                    for scope in resource.scope_spans:
                        receiver.spans += scope.spans
                self.send_response(200)
                self.send_header("content-type", "application/x-protobuf")
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_):
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.address = f"http://127.0.0.1:{self.server.server_port}"
        self.thread = threading.Thread(target=self.server.serve_forever)

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.server.shutdown()
        self.thread.join()
        self.server.server_close()


@pytest.mark.parametrize("said_by", ["setting", "environment"])
def test_a_real_server_sends_spans_to_a_collector(tmp_path, monkeypatch, said_by):
    world.make(tmp_path).close()
    with Receiver() as receiver:
        named = {"traces": receiver.address} if said_by == "setting" else {}
        if said_by == "environment":
            monkeypatch.setenv("OTEL_EXPORTER_OTLP_ENDPOINT", receiver.address)
        with running(tmp_path, **named) as server:
            connection = server.client()
            head = {"traceparent": f"00-{TRACE}-{PARENT}-01"}
            connection.request("POST", PLAIN, json.dumps({"instances": [instance()] * 3}), head)
            answer = json.loads(connection.getresponse().read())
            connection.close()
            assert server.end() == 0
    assert receiver.paths == {"/v1/traces"}
    (span,) = [span for span in receiver.spans if span.trace_id.hex() == TRACE]
    assert span.parent_span_id.hex() == PARENT
    told = {one.key: one.value for one in span.attributes}
    assert told["drivetrain.rows"].int_value == 3
    assert told["drivetrain.model.version"].int_value == 1
    assert told["drivetrain.request_id"].string_value == answer["request_id"]


def test_a_library_that_is_not_installed_is_said_with_what_to_do(tmp_path, monkeypatch):
    def missing(*_):
        raise MissingExtra(
            "the opentelemetry adapter needs opentelemetry.sdk", do='Run: pip install "drivetrain[otel]"'
        )

    monkeypatch.setattr(plugins, "load", missing)
    with (
        pytest.raises(MissingExtra, match="pip install"),
        door(world.make(tmp_path), tmp_path / "log", traces="http://x"),
    ):
        pass


def test_the_library_is_not_touched_unless_traces_are_asked_for(tmp_path, monkeypatch):
    monkeypatch.setattr(plugins, "load", lambda *_: pytest.fail("loaded"))
    with door(world.make(tmp_path), tmp_path / "log") as made:
        assert made.post(PLAIN, {"instances": [instance()]})[0] == 200
