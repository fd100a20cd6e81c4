"""Tensors in bytes, against the encoder and decoder of an unmodified client."""

from __future__ import annotations

import gzip
import json
import zlib

import ml_dtypes
import numpy as np
import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput, InferResult
from tritonclient.utils import np_to_triton_dtype

from drivetrain.core.errors import RequestError
from drivetrain.serve.call import Answer
from drivetrain.serve.instance import InstanceSchema
from drivetrain.serve.plan import RequestField
from drivetrain.serve.protocols.v2 import LENGTH_HEADER, inference, told
from serve.protocols.asking import KIND, KINDS, SETTINGS, of

INTEGERS = ["i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8"]
FLOATS = ["f2", "f4", "f8"]
ONE = InstanceSchema([RequestField("x", "float")])


def client_body(columns, *, json_names=(), outputs=None):
    """What the client would send for columns of NumPy values."""
    inputs = []
    for name, values in columns.items():
        tensor = InferInput(name, list(values.shape), np_to_triton_dtype(values.dtype))
        inputs.append(tensor.set_data_from_numpy(values, binary_data=name not in json_names))
    body, head = InferenceServerClient.generate_request_body(inputs, outputs)
    return of(body, **({} if head is None else {LENGTH_HEADER: str(head)}))


def column(schema_type, values, *, nullable=False):
    """The values that a one-field endpoint gets from the client's bytes."""
    schema = InstanceSchema([RequestField("x", schema_type, nullable=nullable)])
    call, _ = inference(client_body({"x": values}), schema, SETTINGS)
    assert [json.loads(bytes(raw))["x"] for raw in call.raws] == [row[0] for row in call.rows]
    return [row[0] for row in call.rows]


shapes = st.integers(1, 50).flatmap(lambda n: st.sampled_from([(n,), (n, 1)]))


@settings(deadline=None)
@given(st.data(), st.sampled_from(INTEGERS), shapes)
def test_integers_come_as_the_client_sent_them(data, kind, shape):
    limits = np.iinfo(kind)
    values = data.draw(arrays.arrays(kind, shape, elements=st.integers(limits.min, min(limits.max, 2**63 - 1))))
    assert column("int", values) == values.ravel().tolist()


@settings(deadline=None)
@given(st.data(), st.sampled_from([*FLOATS, "bf16"]), shapes)
def test_numbers_come_as_the_client_sent_them_and_nan_is_null(data, kind, shape):
    width = {"f2": 16, "f4": 32, "f8": 64, "bf16": 32}[kind]
    values = data.draw(arrays.arrays(f"f{width // 8}", shape, elements=st.floats(width=width, allow_infinity=False)))
    if kind == "bf16":
        values = values.astype(ml_dtypes.bfloat16)
        assume(not np.isinf(values.astype("f4")).any())
    expected = [None if np.isnan(value) else value for value in values.astype("f8").ravel().tolist()]
    assert column("float", values, nullable=True) == expected


@settings(deadline=None)
@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=20))
def test_texts_come_as_the_client_sent_them(texts):
    assert column("string", np.array([text.encode() for text in texts], dtype=np.object_)) == texts


@settings(deadline=None)
@given(st.lists(st.booleans(), min_size=1, max_size=20))
def test_flags_come_as_the_client_sent_them(flags):
    assert column("bool", np.array(flags)) == flags


def test_integers_beside_unknown_ones_may_come_as_numbers():
    values = np.array([5.0, np.nan, -3.0])
    assert column("int", values, nullable=True) == [5, None, -3]
    with pytest.raises(RequestError, match='wrong type; found "FP64"'):
        column("int", values)
    with pytest.raises(RequestError, match=r"rows\[0\].x is of the wrong type; found 1.5"):
        column("int", np.array([1.5]), nullable=True)


@pytest.mark.parametrize("json_names", [(), ("text", "score"), tuple(KIND)])
def test_json_and_bytes_may_be_mixed_and_mean_the_same(json_names):
    columns = {
        name: np.array([value, value], dtype=np.object_ if isinstance(value, str) else None)
        for name, value in KIND.items()
    }
    call, binary = inference(client_body(columns, json_names=json_names), KINDS, SETTINGS)
    assert [json.loads(bytes(raw)) for raw in call.raws] == [KIND, KIND]
    assert call.rows == [KINDS.convert(KIND, "")] * 2
    assert binary  # the client asks for bytes where it names no output


@pytest.mark.parametrize(
    ("parameters", "outputs", "binary"),
    [
        ({}, [], False),
        ({"binary_data_output": True}, [], True),
        ({"binary_data_output": True}, [{"name": "predict"}], True),
        ({"binary_data_output": True}, [{"name": "predict", "parameters": {"binary_data": False}}], False),
        ({}, [{"name": "predict", "parameters": {"binary_data": True}}], True),
    ],
)
def test_the_output_says_whether_it_is_wanted_as_bytes_else_the_request_does(parameters, outputs, binary):
    inputs = [{"name": "x", "datatype": "FP64", "shape": [1], "data": [1.0]}]
    asked = inference(of({"inputs": inputs, "parameters": parameters, "outputs": outputs}), ONE, SETTINGS)
    assert asked.binary is binary


@settings(deadline=None)
@given(
    st.lists(st.floats(allow_nan=False, allow_infinity=False), min_size=1, max_size=20)
    | st.integers(1, 4).flatmap(
        lambda k: st.lists(st.lists(st.floats(0, 1), min_size=k, max_size=k), min_size=1, max_size=9)
    ),
    st.booleans(),
)
def test_the_client_reads_answers_in_either_form(predictions, binary):
    response = told("late", Answer(predictions, "mine", 3), binary=binary)
    head = dict(response.headers).get(LENGTH_HEADER)
    assert (head is not None) is binary
    assert dict(response.headers)["content-type"] == ("application/octet-stream" if binary else "application/json")
    result = InferResult.from_response_body(response.body, header_length=head)
    assert result.as_numpy("predict").tolist() == predictions
    assert (result.get_response()["id"], result.get_response()["model_version"]) == ("mine", "3")


def test_what_is_worth_knowing_of_an_answer_is_among_its_parameters():
    answer = Answer([1.0, 2.0], "mine", 3, model_versions=[3, 4], failed=[5], features_away=["view"])
    content = json.loads(told("late", answer, binary=False).body)
    assert content["parameters"] == {"model_versions": "3,4", "failed": "5", "features_away": "view"}


@pytest.mark.parametrize(("encoding", "pack"), [("gzip", gzip.compress), ("deflate", zlib.compress)])
def test_bodies_may_be_compressed(encoding, pack):
    request = client_body({"x": np.array([1.5, 2.5])})
    packed = of(pack(request.body), **request.headers, content_encoding=encoding)
    assert inference(packed, ONE, SETTINGS).call.rows == [(1.5,), (2.5,)]


@pytest.mark.parametrize(
    ("encoding", "body", "words"),
    [
        ("gzip", b"no gzip", "no gzip"),
        ("gzip", gzip.compress(b"{}", mtime=0)[:-4], "not one whole gzip stream"),
        ("gzip", b"", "not one whole gzip stream"),
        ("gzip", gzip.compress(b"{}", mtime=0) + b"more", "not one whole gzip stream"),
        ("deflate", zlib.compress(b" " * (SETTINGS.max_bytes + 1)), "too large"),
        ("br", b"", 'found "br"; expected gzip or deflate'),
    ],
)
def test_compressed_bodies_that_do_not_fit_are_named(encoding, body, words):
    with pytest.raises(RequestError, match=words):
        inference(of(body, content_encoding=encoding), ONE, SETTINGS)


def framed(data, /, *, size="right", head=None, datatype="FP64", shape=(2,), **more):
    parameters = {"binary_data_size": len(data) if size == "right" else size}
    tensor = {"name": "x", "datatype": datatype, "shape": list(shape), "parameters": parameters} | more
    text = json.dumps({"inputs": [tensor]}).encode()
    return of(text + data, **{LENGTH_HEADER: str(len(text)) if head is None else head})


TWO = np.array([1.0, 2.0]).tobytes()
UNLIMITED = b"\xff\xff\xff\xff"


@pytest.mark.parametrize(
    ("request_", "status", "words"),
    [
        (framed(TWO, size=15), 400, "another number of bytes than its shape asks for; found 15; expected 16"),
        (framed(TWO, size=17), 400, "fewer bytes than it says; found 16 bytes"),
        (framed(TWO, size=2**80), 400, "fewer bytes than it says"),
        (framed(TWO, size=-1), 422, "found -1; expected 0 or more"),
        (framed(TWO, size=True), 422, "found true; expected 0 or more"),
        (framed(TWO, size="16"), 422, 'found "16"; expected 0 or more'),
        (framed(TWO, size=0), 400, "found 0; expected 16"),
        (framed(TWO, size=8), 400, "found 8; expected 16"),
        (framed(TWO + b"x", size=16), 400, "goes on after the last input's bytes; found 1 bytes more"),
        (framed(TWO, size=None), 422, "has no data"),
        (framed(TWO, data=[1.0, 2.0]), 422, "has data and bytes"),
        (framed(TWO, shape=(3,)), 400, "found 16; expected 24 for 3 of FP64"),
        (framed(TWO, shape=(2**62,)), 413, "too many rows"),
        (framed(TWO, shape=(-2,)), 422, "a shape that does not fit; found [-2]"),
        (framed(TWO, shape=(1, 2)), 422, "a shape that does not fit; found [1,2]"),
        (framed(TWO, shape=()), 422, "a shape that does not fit; found []"),
        (framed(b"", shape=(0,)), 422, "inputs[0] is empty"),
        (framed(TWO, datatype="FP8"), 422, 'found "FP8"'),
        (framed(TWO, datatype="BYTES"), 422, 'found "BYTES"'),
        (framed(np.array([1.0, np.inf]).tobytes()), 422, "inputs[0].data[1] (x) is no value of its type; found inf"),
        (framed(np.array([1.0, np.nan]).tobytes()), 422, "found nan; expected a finite number."),
        (framed(TWO, head="0"), 400, "not the length of the JSON"),
        (framed(TWO, head="-1"), 400, "not the length of the JSON"),
        (framed(TWO, head="1e2"), 400, "not the length of the JSON"),
        (framed(TWO, head="٣"), 400, "not the length of the JSON"),
        (framed(TWO, head="9" * 5000), 400, "not the length of the JSON"),
        (framed(TWO, head="5"), 400, "not JSON that can be read"),
        (of(framed(TWO).body), 400, "not JSON that can be read"),
        (of({"inputs": [{"name": "x", "datatype": "FP64", "shape": [1]}]}), 422, "has no data"),
        (
            of({"inputs": [{"name": "x", "datatype": "FP64", "shape": [1], "parameters": {"binary_data_size": 8}}]}),
            400,
            "Say the length of the JSON in Inference-Header-Content-Length",
        ),
    ],
)
def test_sizes_that_lie_are_named(request_, status, words):
    with pytest.raises(RequestError) as raised:
        inference(request_, ONE, SETTINGS)
    assert words in str(raised.value)
    assert raised.value.status == status


@pytest.mark.parametrize(
    ("data", "words"),
    [
        (b"\x02", "found 1 bytes; expected four bytes of length"),
        (b"\x02\0\0\0a", "found 1 bytes; expected 2, as its length says"),
        (UNLIMITED + b"a", "found 1 bytes; expected 4294967295"),
        (b"\x01\0\0\0a", "another number of bytes than its shape asks for; found 5; expected those of 2 elements"),
        (b"\x01\0\0\0a" * 3, "found 15; expected those of 2 elements"),
        (b"\x01\0\0\0a\x01\0\0\0\xff", "inputs[0].data[1] (x) is no value of its type"),
        (b"", "found 0; expected those of 2 elements"),
    ],
)
def test_texts_whose_lengths_lie_are_named(data, words):
    schema = InstanceSchema([RequestField("x", "string")])
    with pytest.raises(RequestError) as raised:
        inference(framed(data, datatype="BYTES"), schema, SETTINGS)
    assert words in str(raised.value)


def test_flags_are_0_or_1():
    schema = InstanceSchema([RequestField("x", "bool")])
    with pytest.raises(RequestError, match=r"data\[1\] \(x\) is no value of its type; found 2; expected a byte of 0"):
        inference(framed(b"\x01\x02", datatype="BOOL"), schema, SETTINGS)


@pytest.mark.parametrize(
    ("outputs", "words"),
    [
        ([InferRequestedOutput("predict", class_count=2)], "classification"),
        ([InferRequestedOutput("proba")], "no such output"),
    ],
)
def test_what_is_not_offered_is_refused(outputs, words):
    with pytest.raises(RequestError, match=words):
        inference(client_body({"x": np.array([1.0])}, outputs=outputs), ONE, SETTINGS)


@settings(deadline=None)
@given(st.binary(max_size=40), st.integers(-5, 45), st.sampled_from(["BYTES", "FP64", "INT16", "BOOL", "BF16"]))
def test_no_bytes_raise_anything_but_a_refusal(data, size, datatype):
    for kind in ("string", "float", "int", "bool"):
        try:
            call, _ = inference(
                framed(data, size=size, datatype=datatype), InstanceSchema([RequestField("x", kind)]), SETTINGS
            )
        except RequestError:
            continue
        assert len(call.rows) == 2
