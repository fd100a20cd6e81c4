"""Unmodified clients against a real server process."""

from __future__ import annotations

import gzip

import httpx
import numpy as np
import pytest
from tritonclient.http import InferenceServerClient, InferInput, InferRequestedOutput
from tritonclient.utils import InferenceServerException, np_to_triton_dtype

from drivetrain.serve.log.compact import compact
from serve import world
from serve.process import running
from serve.world import instance

ROWS = [instance(), instance(flight_id="f2", carrier="AA", distance=0.5, seats=7)]
ANSWERS = [106.0, 7.5]


@pytest.fixture(scope="module")
def server(tmp_path_factory):
    folder = tmp_path_factory.mktemp("world")
    world.make(folder)
    with running(folder) as made:
        yield made


@pytest.fixture(scope="module")
def url(server):
    return f"http://127.0.0.1:{server.port}"


@pytest.fixture
def triton(server):
    with InferenceServerClient(f"127.0.0.1:{server.port}") as client:
        yield client


def inputs(*, binary, rows=ROWS):
    made = []
    for name in rows[0]:
        values = [row[name] for row in rows]
        array = np.array(values, dtype=np.object_ if isinstance(values[0], str) else None)
        tensor = InferInput(name, list(array.shape), np_to_triton_dtype(array.dtype))
        made.append(tensor.set_data_from_numpy(array, binary_data=binary))
    return made


@pytest.mark.parametrize("binary_out", [True, False])
@pytest.mark.parametrize("binary_in", [True, False])
def test_triton_infers_in_json_and_in_bytes(triton, binary_in, binary_out):
    asked = [InferRequestedOutput("predict", binary_data=binary_out)]
    result = triton.infer("plain", inputs(binary=binary_in), outputs=asked, request_id="mine")
    assert result.as_numpy("predict").tolist() == ANSWERS
    response = result.get_response()
    assert (response["id"], response["model_name"], response["model_version"]) == ("mine", "plain", "1")
    assert ("parameters" in response["outputs"][0]) is binary_out


@pytest.mark.parametrize("algorithm", ["gzip", "deflate"])
def test_triton_may_compress_what_it_sends(triton, algorithm):
    result = triton.infer("plain", inputs(binary=True), request_compression_algorithm=algorithm)
    assert result.as_numpy("predict").tolist() == ANSWERS


def test_triton_names_a_version(triton):
    assert triton.infer("plain", inputs(binary=True), model_version="1").as_numpy("predict").tolist() == ANSWERS
    with pytest.raises(InferenceServerException, match="not served in that version; found 2; expected 1"):
        triton.infer("plain", inputs(binary=True), model_version="2")


def test_triton_asks_many_at_once(server):
    with InferenceServerClient(f"127.0.0.1:{server.port}", concurrency=4) as client:
        asked = [client.async_infer("plain", inputs(binary=True)) for _ in range(20)]
        assert [one.get_result().as_numpy("predict").tolist() for one in asked] == [ANSWERS] * 20


def test_triton_learns_what_there_is(triton):
    assert triton.is_server_live()
    assert triton.is_server_ready()
    assert triton.is_model_ready("plain")
    assert triton.is_model_ready("plain", "1")
    assert not triton.is_model_ready("none")
    assert not triton.is_model_ready("plain", "2")
    about = triton.get_server_metadata()
    assert (about["name"], about["extensions"]) == ("drivetrain", ["binary_tensor_data"])
    for version in ("", "1"):
        model = triton.get_model_metadata("plain", version)
        assert [(tensor["name"], tensor["datatype"]) for tensor in model["inputs"]] == [
            ("flight_id", "BYTES"),
            ("carrier", "BYTES"),
            ("distance", "FP64"),
            ("seats", "INT64"),
        ]
        assert [(tensor["name"], tensor["datatype"]) for tensor in model["outputs"]] == [("predict", "FP64")]


def test_triton_is_told_plainly_what_is_not_there(triton):
    with pytest.raises(InferenceServerException) as raised:
        triton.get_model_config("plain")
    assert (raised.value.status(), raised.value.message().split(";")[0]) == ("404", "nothing is at this path")
    with pytest.raises(InferenceServerException) as raised:
        triton.infer("plain", inputs(binary=True, rows=[instance(distance="far")]))
    assert (raised.value.status(), raised.value.message()[:46]) == (
        "422",
        "inputs[2] (distance) is of the wrong type; fou",
    )


def test_kserves_v1(url):
    assert httpx.get(f"{url}/v1/models").json() == {"models": ["plain", "timed"]}
    assert httpx.get(f"{url}/v1/models/plain").json()["ready"] is True
    answer = httpx.post(f"{url}/v1/models/plain:predict", json={"instances": ROWS})
    assert (answer.status_code, answer.json()) == (200, {"predictions": ANSWERS})


def test_vertex_ais_v1(url):
    # What Vertex AI's prediction service posts to the container's predict route.
    body = {"instances": ROWS, "parameters": {"confidence_threshold": 0.5}}
    answer = httpx.post(f"{url}/v1/models/plain:predict", json=body)
    assert (answer.status_code, answer.json()) == (200, {"predictions": ANSWERS})


def test_tensorflow_servings_columns(url):
    columns = {name: [row[name] for row in ROWS] for name in ROWS[0]}
    body = {"signature_name": "serving_default", "inputs": columns}
    answer = httpx.post(f"{url}/v1/models/plain/versions/1:predict", json=body)
    assert (answer.status_code, answer.json()) == (200, {"outputs": ANSWERS})


@pytest.mark.parametrize("header", ["X-Amzn-SageMaker-Target-Model", "X-Drivetrain-Endpoint"])
def test_mlflows_scoring_call(url, header):
    assert httpx.get(f"{url}/ping").status_code == 200
    split = {"columns": list(ROWS[0]), "index": [0, 1], "data": [list(row.values()) for row in ROWS]}
    answer = httpx.post(f"{url}/invocations", json={"dataframe_split": split}, headers={header: "plain"})
    assert (answer.status_code, answer.json()) == (200, {"predictions": ANSWERS})


def test_sagemakers_call_in_csv(url):
    table = "flight_id,carrier,distance,seats\nf1,UA,100.0,5\nf2,AA,0.5,7\n"
    headers = {"X-Amzn-SageMaker-Target-Model": "plain", "Content-Type": "text/csv", "Accept": "text/csv"}
    answer = httpx.post(f"{url}/invocations", content=table, headers=headers)
    assert (answer.status_code, answer.text) == (200, "predict\n106.0\n7.5\n")
    packed = httpx.post(
        f"{url}/invocations", content=gzip.compress(table.encode()), headers=headers | {"Content-Encoding": "gzip"}
    )
    assert packed.text == answer.text


@pytest.mark.parametrize(
    ("path", "headers"),
    [
        ("/invocations", {"X-Drivetrain-Endpoint": b"\xff\xfe"}),
        ("/invocations", {"X-Drivetrain-Endpoint": b"plain", "Content-Type": b"\xff"}),
        ("/v1/models/plain:predict", {"X-Drivetrain-Request-Id": b"\xc3\xa9\xff"}),
        ("/v2/models/plain/infer", {"Inference-Header-Content-Length": b"\xff"}),
        ("/v2/models/plain/infer", {"Inference-Header-Content-Length": b"1", "Content-Encoding": b"\xff"}),
        ("/v1/models/%ff:predict", {}),
    ],
)
def test_headers_and_paths_that_are_no_text_are_not_the_servers_fault(url, path, headers):
    answer = httpx.post(f"{url}{path}", json={"instances": ROWS}, headers=headers)
    assert answer.status_code < 500
    assert "Traceback (most" not in answer.text


def test_a_prediction_of_any_protocol_is_in_the_log(tmp_path):
    store = world.make(tmp_path)
    with running(tmp_path) as server:
        url = f"http://127.0.0.1:{server.port}"
        with InferenceServerClient(f"127.0.0.1:{server.port}") as client:
            client.infer("plain", inputs(binary=True), request_id="v2")
        named = {"X-Drivetrain-Endpoint": "plain"}
        for path, body, name in (
            ("/v1/models/plain:predict", {"instances": ROWS}, "v1"),
            ("/invocations", {"dataframe_records": ROWS}, "mlflow"),
        ):
            answer = httpx.post(url + path, json=body, headers=named | {"X-Drivetrain-Request-Id": name})
            assert answer.headers["x-drivetrain-request-id"] == name
    compact(store, server.log)
    rows = store.tables.read("log/plain/predictions").sort("request_id", "row")
    assert rows["request_id"].to_list() == ["mlflow"] * 2 + ["v1"] * 2 + ["v2"] * 2
    assert rows["prediction"].to_list() == ANSWERS * 3
    assert len(set(rows["request"].to_list()[::2])) == 1
