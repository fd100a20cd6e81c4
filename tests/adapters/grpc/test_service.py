"""An unmodified tritonclient[grpc] against real server processes."""

from __future__ import annotations

import json
import threading
import time
from contextlib import suppress

import grpc
import numpy as np
import pytest
from tritonclient.grpc import InferenceServerClient, InferInput, InferRequestedOutput, service_pb2
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from drivetrain.adapters.grpc.messages import MESSAGES
from drivetrain.serve.log.compact import compact
from serve import world
from serve.process import free_port, running
from serve.test_tls import certify
from serve.test_tokens import keep
from serve.world import instance

ROWS = [instance(), instance(flight_id="f2", carrier="AA", distance=0.5, seats=7)]
ANSWERS = [106.0, 7.5]
TYPED = {
    "flight_id": ("BYTES", "bytes_contents", [b"f1", b"f2"]),
    "carrier": ("BYTES", "bytes_contents", [b"UA", b"AA"]),
    "distance": ("FP64", "fp64_contents", [100.0, 0.5]),
    "seats": ("INT64", "int64_contents", [5, 7]),
}
INFER = "/inference.GRPCInferenceService/ModelInfer"


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    world.make(folder)
    with running(folder, grpc_port=free_port(), max_rows=100) as made:
        yield made


def port_of(server):
    return json.loads((server.folder / world.SETTINGS).read_text())["grpc_port"]


def address(server):
    return f"127.0.0.1:{port_of(server)}"


@pytest.fixture
def triton(server):
    with InferenceServerClient(address(server)) as client:
        yield client


@pytest.fixture
def infer(server):
    """Asks with a message, as a client of any language does."""
    with grpc.insecure_channel(address(server)) as channel:
        yield channel.unary_unary(
            INFER,
            request_serializer=service_pb2.ModelInferRequest.SerializeToString,
            response_deserializer=service_pb2.ModelInferResponse.FromString,
        )


def inputs(rows=ROWS):
    made = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        array = np.array(values, dtype=np.object_ if isinstance(values[0], str) else None)
        tensor = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        made.append(tensor.set_data_from_numpy(array))
    return made


def typed(**changed):
    """A request whose values are in typed contents."""
    asked = service_pb2.ModelInferRequest(model_name="plain", id="typed")
    for name, (datatype, field, values) in (TYPED | changed).items():
        tensor = asked.inputs.add(name=name, datatype=datatype, shape=[len(values)])
        if field:
            getattr(tensor.contents, field).extend(values)
    return asked


@pytest.mark.parametrize("name", MESSAGES)
def test_every_field_has_the_number_and_type_that_tritons_client_gives_it(name):
    theirs = {
        **service_pb2.DESCRIPTOR.message_types_by_name,
        **service_pb2.ModelInferRequest.DESCRIPTOR.nested_types_by_name,
        **service_pb2.ModelInferResponse.DESCRIPTOR.nested_types_by_name,
        **service_pb2.ModelMetadataResponse.DESCRIPTOR.nested_types_by_name,
    }[name]

    def told(field):
        oneof = field.containing_oneof.name if field.containing_oneof else None
        message = field.message_type.name if field.message_type else None
        return field.name, field.number, field.type, field.is_repeated, message, oneof

    assert list(map(told, MESSAGES[name].DESCRIPTOR.fields)) == list(map(told, theirs.fields))


def test_triton_infers_in_bytes(triton):
    result = triton.infer(
        "plain",
        inputs(),
        outputs=[InferRequestedOutput("predict")],
        request_id="mine",
        parameters={"at": "2013-07-01T00:00:00Z"},
    )
    assert result.as_numpy("predict").tolist() == ANSWERS
    response = result.get_response()
    assert (response.id, response.model_name, response.model_version) == ("mine", "plain", "1")
    assert len(response.raw_output_contents) == 1


def test_typed_contents_are_answered_with_typed_contents(infer):
    response = infer(typed())
    (output,) = response.outputs
    assert (output.name, output.datatype, list(output.shape)) == ("predict", "FP64", [2])
    assert list(output.contents.fp64_contents) == ANSWERS
    assert not response.raw_output_contents


@pytest.mark.parametrize(
    ("field", "datatype", "contents", "values"),
    [
        ("distance", "FP32", "fp32_contents", [100.0, 0.5]),
        ("seats", "INT8", "int_contents", [5, 7]),
        ("seats", "UINT16", "uint_contents", [5, 7]),
        ("seats", "UINT64", "uint64_contents", [5, 7]),
        ("seats", "FP64", "fp64_contents", [5.0, 7.0]),
    ],
)
def test_other_types_that_fit(infer, field, datatype, contents, values):
    response = infer(typed(**{field: (datatype, contents, values)}))
    assert list(response.outputs[0].contents.fp64_contents) == ANSWERS


def test_nan_is_unknown_where_unknown_is_allowed(infer):
    response = infer(typed(seats=("FP64", "fp64_contents", [float("nan"), 7.0])))
    assert list(response.outputs[0].contents.fp64_contents) == [101.0, 7.5]


def changed(**more):
    asked = typed()
    for name, value in more.items():
        setattr(asked, name, value)
    return asked


def with_raw(*parts):
    asked = typed()
    asked.raw_input_contents.extend(parts)
    return asked


BAD = "INVALID_ARGUMENT"


@pytest.mark.parametrize(
    ("asked", "code", "words"),
    [
        (typed(distance=("FP64", "fp64_contents", [1.0])), BAD, "inputs differ in length"),
        (typed(distance=("INT64", "fp64_contents", [1.0, 2.0])), BAD, "found fp64_contents; expected int64_contents"),
        (typed(distance=("FP64", "", [1.0, 2.0])), BAD, "found nothing; expected fp64_contents for FP64"),
        (typed(distance=("FP16", "fp32_contents", [1.0, 2.0])), BAD, "expected raw_input_contents for FP16"),
        (typed(distance=("BYTES", "bytes_contents", [b"a", b"b"])), BAD, "(distance) is of the wrong type"),
        (typed(seats=("INT8", "int_contents", [300, 1])), BAD, "(seats) has a value that is no INT8"),
        (typed(carrier=("BYTES", "bytes_contents", [b"\xff", b"b"])), BAD, "expected UTF-8"),
        (typed(distance=("FP64", "fp64_contents", [float("inf"), 1.0])), BAD, "expected a finite number"),
        (typed(odd=("FP64", "fp64_contents", [1.0, 1.0])), BAD, "is no field of the endpoint"),
        (typed(**{name: (kind, field, []) for name, (kind, field, _) in TYPED.items()}), BAD, "at least one"),
        (
            typed(**{name: (kind, field, values * 60) for name, (kind, field, values) in TYPED.items()}),
            BAD,
            "too many rows",
        ),
        (with_raw(b"x"), BAD, "found 1 contents; expected 4, one for each input"),
        (with_raw(*b"abcd".split() * 4), BAD, "has contents beside raw_input_contents"),
        (changed(model_name="none"), "NOT_FOUND", "nothing is at this path"),
        (changed(model_name="plain/versions/1"), "NOT_FOUND", "no endpoint has such a name"),
        (changed(model_version="2"), "NOT_FOUND", "not served in that version; found 2; expected 1"),
    ],
)
def test_what_does_not_fit_is_said_in_http_s_words(infer, asked, code, words):
    with pytest.raises(grpc.RpcError) as raised:
        infer(asked)
    assert (raised.value.code().name, words in raised.value.details()) == (code, True), raised.value.details()


def test_triton_learns_what_there_is(triton):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("plain", "1")
    assert not triton.is_model_ready("none")
    assert not triton.is_model_ready("plain", "2")
    assert triton.get_server_metadata().name == "drivetrain"
    model = triton.get_model_metadata("plain")
    assert [(one.name, one.datatype, list(one.shape)) for one in model.inputs] == [
        ("flight_id", "BYTES", [-1]),
        ("carrier", "BYTES", [-1]),
        ("distance", "FP64", [-1]),
        ("seats", "INT64", [-1]),
    ]
    assert [one.name for one in model.outputs] == ["predict"]
    with pytest.raises(InferenceServerException, match="NOT_FOUND"):
        triton.get_model_metadata("none")
    with pytest.raises(InferenceServerException, match="UNIMPLEMENTED"):
        triton.get_model_config("plain")


def test_nothing_answers_and_a_model_that_fails(tmp_path):
    store = world.make(tmp_path)
    world.add_version(store, "plain", 2, -1.0)
    world.point(store, "plain", "champion", 2)
    world.point(store, "timed", "champion", None)
    with running(tmp_path, grpc_port=free_port()) as server, InferenceServerClient(address(server)) as client:
        assert not client.is_server_ready()
        assert not client.is_model_ready("timed")
        with pytest.raises(InferenceServerException) as raised:
            client.infer("plain", inputs())
        assert raised.value.status() == "StatusCode.INTERNAL"
        rows = [row | {"sched": "2013-07-01T09:30:00Z"} for row in ROWS]
        with pytest.raises(InferenceServerException) as raised:
            client.infer("timed", inputs(rows))
        assert raised.value.status() == "StatusCode.UNAVAILABLE"
        assert "has no version to answer with" in raised.value.message()


def test_tokens_and_rates_are_http_s(tmp_path):
    store = world.make(tmp_path)
    good, other = keep(store), keep(store, "labels", ("feedback",))
    slow = keep(store, "slow", rate=1.0)
    with (
        running(tmp_path, grpc_port=free_port(), tokens="on") as server,
        InferenceServerClient(address(server)) as client,
    ):
        assert client.is_server_live()
        assert client.infer("plain", inputs(), headers={"authorization": good}).as_numpy("predict").tolist() == ANSWERS
        for headers, code in (
            ({}, "UNAUTHENTICATED"),
            ({"authorization": "Bearer x"}, "UNAUTHENTICATED"),
            ({"authorization": other}, "PERMISSION_DENIED"),
        ):
            with pytest.raises(InferenceServerException) as raised:
                client.infer("plain", inputs(), headers=headers)
            assert raised.value.status() == f"StatusCode.{code}"

        def often():
            for _ in range(20):
                client.infer("plain", inputs(), headers={"authorization": slow})

        with pytest.raises(InferenceServerException) as raised:
            often()
        assert raised.value.status() == "StatusCode.RESOURCE_EXHAUSTED"
        assert "comes more often than it may" in raised.value.message()


def test_where_http_has_tls_so_has_grpc(tmp_path):
    world.make(tmp_path)
    certificate, key = certify(tmp_path, "server")
    more = {"tls_certificate": str(certificate), "tls_key": str(key)}
    with running(tmp_path, grpc_port=free_port(), wait=False, **more) as server:
        server.wait_for_workers(1)
        with InferenceServerClient(address(server), ssl=True, root_certificates=str(certificate)) as client:
            answer = None
            until = time.monotonic() + 30
            while answer is None and time.monotonic() < until:
                with suppress(InferenceServerException):  # not listening yet
                    answer = client.infer("plain", inputs()).as_numpy("predict").tolist()
            assert answer == ANSWERS
        with InferenceServerClient(address(server)) as client, pytest.raises(InferenceServerException):
            client.is_server_live()


def test_two_workers_share_the_port_and_every_answer_is_logged_once_when_a_signal_drains_them(tmp_path):
    store = world.make(tmp_path)
    answered: list[str] = []
    refused: list[str] = []
    stop = threading.Event()

    def call(caller):
        number = 0
        while not stop.is_set():
            number += 1
            # A channel each time: the kernel hands connections, not requests, to the workers.
            with InferenceServerClient(address(server)) as client:
                try:
                    for turn in range(5):
                        name = f"{caller}-{number}-{turn}"
                        assert client.infer("plain", inputs(), request_id=name).as_numpy("predict").tolist() == ANSWERS
                        answered.append(name)
                except InferenceServerException as error:
                    refused.append(f"{stop.is_set()} {error}")

    with running(tmp_path, grpc_port=free_port(), workers=2) as server:
        server.wait_for_workers(2)
        callers = [threading.Thread(target=call, args=(at,)) for at in range(4)]
        for caller in callers:
            caller.start()
        until = time.monotonic() + 60
        while len(answered) < 400:
            assert time.monotonic() < until, refused[:3]
            time.sleep(0.01)
        assert not refused
        server.process.terminate()
        assert server.process.wait(60) == 0
        stop.set()
        for caller in callers:
            caller.join()
    # Calls that wait unread when a server stops are CANCELLED by gRPC itself; none of them reached the model.
    assert all("UNAVAILABLE" in told or "CANCELLED" in told for told in refused), refused
    compact(store, server.log)
    rows = store.tables.read("log/plain/predictions")
    assert rows.height == 2 * len(set(rows["request_id"]))
    assert set(answered) <= set(rows["request_id"])


def test_a_port_in_use_and_one_port_for_both_are_said_plainly(tmp_path, server):
    world.make(tmp_path)
    taken = port_of(server)
    with running(tmp_path, grpc_port=taken, wait=False) as second:
        assert second.process.wait(60) == 1
        assert f"port {taken} on 127.0.0.1 is in use" in (told := second.process.communicate()[1])
        assert "[serve] grpc_port" in told
    port = free_port()
    with running(tmp_path, port=port, grpc_port=port, wait=False) as second:
        assert second.process.wait(60) == 1
        assert "serve.grpc_port is serve.port" in second.process.communicate()[1]
