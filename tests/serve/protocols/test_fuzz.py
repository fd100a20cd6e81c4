"""No body of any protocol is the server's fault."""

from __future__ import annotations

import json

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from serve import world
from serve.fakes import door
from serve.protocols.asking import send
from serve.world import instance, timed

LENGTH = "inference_header_content_length"
PATHS = ["/v1/models/timed:predict", "/v1/models/plain:predict", "/v2/models/timed/infer", "/invocations"]

json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=6,
)
fields = st.sampled_from([*timed(), "odd"])
rows = st.lists(st.dictionaries(fields, json_values, max_size=6) | st.just(timed()) | json_values, max_size=4)
columns = st.dictionaries(fields, st.lists(json_values, max_size=3) | json_values, max_size=6)
split = st.fixed_dictionaries({}, optional={"columns": st.lists(fields, max_size=6), "data": st.lists(json_values)})
tensor = st.fixed_dictionaries(
    {
        "name": fields,
        "shape": st.just([1]) | st.lists(st.integers(), max_size=3) | json_values,
        "datatype": st.sampled_from(["BYTES", "FP64", "INT64", "BF16", "BOOL", "?"]),
    },
    optional={
        "data": json_values,
        "parameters": st.fixed_dictionaries({"binary_data_size": st.integers(-1, 20) | json_values}),
    },
)
bodies = st.fixed_dictionaries(
    {},
    optional={
        "instances": rows,
        "inputs": st.lists(tensor, max_size=6) | rows | columns,
        "dataframe_records": rows,
        "dataframe_split": split | json_values,
        "parameters": st.fixed_dictionaries({}, optional={"binary_data_output": json_values, "at": json_values}),
        "outputs": st.lists(
            st.fixed_dictionaries({"name": st.just("predict")}, optional={"parameters": json_values}), max_size=2
        ),
    },
)
headers = st.fixed_dictionaries(
    {"x_drivetrain_endpoint": st.sampled_from(["plain", "timed"])},
    optional={
        "content_type": st.sampled_from(["application/json", "text/csv", "text/csv; header=x", "odd"])
        | st.text(max_size=9),
        "content_encoding": st.sampled_from(["gzip", "deflate", "identity", "br"]),
        "accept": st.sampled_from(["text/csv", "text/csv;q=x", "*/*"]) | st.text(max_size=9),
        LENGTH: st.integers(-2, 300).map(str) | st.text(max_size=9),
        "x_drivetrain_request_id": st.text(max_size=9),
    },
)


@pytest.fixture(scope="module")
def fuzzed(tmp_path_factory):
    place = tmp_path_factory.mktemp("fuzz")
    with door(world.make(place), place / "log") as made:
        yield made


def check(wire):
    assert wire.status < 500, wire.body
    if wire.status >= 400:
        content = json.loads(wire.body)
        assert content.get("error") or content["message"]
        assert b"Traceback (most" not in wire.body
    for name, value in wire.headers:
        assert f"{name}{value}".isascii()


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(PATHS), bodies | json_values, headers, st.binary(max_size=40))
def test_no_body_is_the_servers_fault(fuzzed, path, body, headers, tail):
    data = json.dumps(body).encode()
    check(send(fuzzed, path, data + tail, **headers))
    if LENGTH in headers:
        check(send(fuzzed, path, data + tail, **headers | {LENGTH: str(len(data))}))


WHOLE = {
    "/v1/models/timed:predict": json.dumps({"instances": [timed()]}).encode(),
    "/v2/models/plain/infer": json.dumps(
        {
            "inputs": [
                {"name": name, "shape": [1], "datatype": kind, "data": [instance()[name]]}
                for name, kind in zip(instance(), ("BYTES", "BYTES", "FP64", "INT64"), strict=True)
            ]
        }
    ).encode(),
    "/invocations": (",".join(timed()) + "\n" + ",".join(map(str, timed().values()))).encode(),
}


def as_told(path):
    return {"content_type": "text/csv", "x_drivetrain_endpoint": "timed"} if path == "/invocations" else {}


@pytest.mark.parametrize("path", WHOLE)
def test_the_bodies_that_are_broken_below_are_answered_whole(fuzzed, path):
    assert send(fuzzed, path, WHOLE[path], **as_told(path)).status == 200


@settings(max_examples=400, deadline=None)
@given(st.sampled_from(list(WHOLE)), st.binary(max_size=60), st.integers(0, 300), st.booleans())
def test_no_broken_body_is_the_servers_fault(fuzzed, path, noise, at, named):
    whole = WHOLE[path]
    told = as_told(path) | ({LENGTH: str(at)} if named else {})
    check(send(fuzzed, path, whole[:at] + noise + whole[at:], **told))
    check(send(fuzzed, path, whole[:at], **told))
