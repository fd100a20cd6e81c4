"""The API as any program may ask it: errors in MLflow's shape, what is not spoken, and who may ask."""

from __future__ import annotations

import asyncio

import httpx
import msgspec
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from drivetrain.web.app import create_app
from drivetrain.web.mlflow.door import ROUTES, UNSPOKEN
from web.conftest import Caller
from web.seed import SeededDesk

API = "/api/2.0/mlflow"


@pytest.fixture(scope="module")
def call() -> Caller:
    """One application for all of these: it is seeded once, and each test begins runs of its own."""
    return Caller(create_app(SeededDesk()))


def ask(call: Caller, method: str, path: str, **said: object) -> httpx.Response:
    async def send() -> httpx.Response:
        transport = httpx.ASGITransport(call.app, raise_app_exceptions=False)
        async with httpx.AsyncClient(transport=transport, base_url=call.base) as client:
            return await client.request(method, path, **said)

    return asyncio.run(send())


def begun(call: Caller, **said: object) -> str:
    answer = ask(call, "POST", f"{API}/runs/create", json={"experiment_id": "0", **said})
    assert answer.status_code == 200, answer.text
    return answer.json()["run"]["info"]["run_id"]


@pytest.mark.parametrize(
    ("method", "path", "said", "status", "code"),
    [
        ("GET", "runs/get?run_id=none", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "runs/get", None, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "experiments/get?experiment_id=77", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "experiments/get", None, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/create", {"name": "  "}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/create", {"name": ["x"]}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "experiments/create", [1], 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": ["0"], "filter": "x ="}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"experiment_ids": ["0"], "run_view_type": "SOME"}, 400, "INVALID_PARAMETER_VALUE"),
        ("POST", "runs/search", {"max_results": 0}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "registered-models/get?name=none", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "registered-models/create", {"name": "a/b"}, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "model-versions/get?name=late&version=99", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("GET", "model-versions/get?name=late&version=x", None, 400, "INVALID_PARAMETER_VALUE"),
        ("GET", "logged-models/m-none", None, 404, "RESOURCE_DOES_NOT_EXIST"),
        ("POST", "traces", {}, 501, "NOT_IMPLEMENTED"),
        ("GET", "nowhere", None, 404, "ENDPOINT_NOT_FOUND"),
        ("DELETE", "runs/get", None, 404, "ENDPOINT_NOT_FOUND"),
    ],
)
def test_errors_are_mlflows_with_a_sentence_of_ours(
    call: Caller, method: str, path: str, said: object, status: int, code: str
):
    answer = ask(call, method, f"{API}/{path}", **({} if said is None else {"json": said}))
    assert (answer.status_code, answer.json()["error_code"]) == (status, code), answer.text
    assert answer.json()["message"].endswith(".")
    assert "Traceback" not in answer.text


def test_what_is_not_json_is_refused(call: Caller):
    for body in (b"{", b"\xff", b"[]x"):
        answer = ask(call, "POST", f"{API}/runs/create", content=body)
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")


def test_what_is_not_spoken_is_said_so(call: Caller):
    for about, words in UNSPOKEN.items():
        answer = ask(call, "POST", f"/api/3.0/mlflow/{about}/search", json={})
        assert (answer.status_code, answer.json()["error_code"]) == (501, "NOT_IMPLEMENTED")
        assert words in answer.json()["message"]


def test_every_path_of_the_clients_services_is_answered_or_said_not_to_be():
    """The paths of mlflow 3.17.2's protobuf services, as its descriptors list them."""
    answered = {(route.method, route.path) for route in ROUTES}
    for line in _SERVICES.split("\n"):
        method, path = line.split()
        spoken = (method, path) in answered
        assert spoken or path.partition("/")[0] in UNSPOKEN or (method, path) in _LEFT_OUT, line


def test_another_site_may_neither_read_nor_change(call: Caller):
    run = begun(call)
    for headers in ({"Origin": "https://evil.example"}, {"Sec-Fetch-Site": "cross-site"}):
        for method, path in (
            ("POST", f"{API}/runs/delete"),
            ("POST", f"{API}/runs/search"),
            ("PUT", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/x"),
            ("DELETE", f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/x"),
        ):
            answer = ask(call, method, path, headers=headers, json={"run_id": run})
            assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED"), path
    for path in (f"{API}/runs/get?run_id={run}", f"/api/2.0/mlflow-artifacts/artifacts?path=0/{run}/artifacts"):
        answer = ask(call, "GET", path, headers={"Host": "evil.example"})
        assert (answer.status_code, answer.json()["error_code"]) == (403, "PERMISSION_DENIED")


def test_a_file_that_was_logged_is_never_a_page_of_ours(call: Caller):
    run = begun(call)
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts/page.html"
    assert ask(call, "PUT", place, content=b"<script src=/static/app.js></script>").status_code == 200
    answer = ask(call, "GET", place)
    assert answer.content == b"<script src=/static/app.js></script>"
    assert answer.headers["content-type"] == "application/octet-stream"
    assert answer.headers["content-disposition"] == "attachment"
    assert "sandbox" in answer.headers["content-security-policy"]
    assert answer.headers["x-content-type-options"] == "nosniff"


@pytest.mark.parametrize(
    "path",
    ["0/RUN/artifacts/../x", "0/RUN/artifacts/a/../../b", "0/RUN/artifacts/a\\b", "0/RUN/artifacts/", "0/RUN/other/x",
     "1/RUN/artifacts/x", "0/none/artifacts/x", "x", "0/RUN/artifacts/a%00b", "0/models/m-none/artifacts/x",
     "0/RUN/artifacts/a//b"],
)  # fmt: skip
def test_a_path_that_is_none_is_refused(call: Caller, path: str):
    run = begun(call)
    place = f"/api/2.0/mlflow-artifacts/artifacts/{path.replace('RUN', run)}"
    answer = ask(call, "PUT", place, content=b"x")
    assert answer.json()["error_code"] in {"INVALID_PARAMETER_VALUE", "RESOURCE_DOES_NOT_EXIST", "ENDPOINT_NOT_FOUND"}
    listed = ask(call, "GET", f"/api/2.0/mlflow-artifacts/artifacts?path=0/{run}/artifacts")
    assert listed.json() == {"files": []}


def test_files_are_replaced_listed_and_deleted(call: Caller):
    run = begun(call)
    place = f"/api/2.0/mlflow-artifacts/artifacts/0/{run}/artifacts"
    for path, data in (("a/b.txt", b"1"), ("a/b.txt", b"22"), ("a/c/d", b""), ("e", b"x")):
        assert ask(call, "PUT", f"{place}/{path}", content=data).status_code == 200
    listed = ask(call, "GET", f"{API}/artifacts/list?run_id={run}&path=a").json()
    assert listed["root_uri"] == f"mlflow-artifacts:/0/{run}/artifacts"
    assert listed["files"] == [{"path": "a/b.txt", "is_dir": False, "file_size": 2}, {"path": "a/c", "is_dir": True}]
    assert ask(call, "GET", f"{place}/a/b.txt").content == b"22"
    assert ask(call, "DELETE", f"{place}/a").status_code == 200
    assert ask(call, "GET", f"{place}/a/b.txt").status_code == 404
    assert [one["path"] for one in ask(call, "GET", f"{API}/artifacts/list?run_id={run}").json()["files"]] == ["e"]


def test_numbers_that_json_lacks_and_large_ones_as_text(call: Caller):
    run = begun(call)
    values = ("NaN", "Infinity", "-Infinity", 1.5, "2.5")
    metrics = [
        {"key": f"m{at}", "value": value, "timestamp": "1700000000123", "step": "7"} for at, value in enumerate(values)
    ]
    body = {"run_id": run, "metrics": metrics, "params": None, "tags": [{"key": "t", "value": None}]}
    assert ask(call, "POST", f"{API}/runs/log-batch", json=body).status_code == 200
    data = ask(call, "GET", f"{API}/runs/get?run_uuid={run}").json()["run"]["data"]
    assert [one["value"] for one in data["metrics"]] == ["NaN", "Infinity", "-Infinity", 1.5, 2.5]
    assert {(one["timestamp"], one["step"]) for one in data["metrics"]} == {(1_700_000_000_123, 7)}
    assert {"key": "t", "value": ""} in data["tags"]


def test_a_batch_is_kept_whole_or_not_at_all(call: Caller):
    run = begun(call)
    ask(call, "POST", f"{API}/runs/log-parameter", json={"run_id": run, "key": "p", "value": "1"})
    batch = {"run_id": run, "metrics": [{"key": "m", "value": 1}], "params": [{"key": "p", "value": "2"}]}
    answer = ask(call, "POST", f"{API}/runs/log-batch", json=batch)
    assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE")
    assert ask(call, "GET", f"{API}/runs/get?run_id={run}").json()["run"]["data"]["metrics"] == []
    for wrong in (
        {"metrics": [{"key": "", "value": 1}]},
        {"metrics": [{"key": "a\nb", "value": 1}]},
        {"metrics": [{"key": "m", "value": 1, "step": 2**63}]},
        {"metrics": [{"key": "m"}]},
        {"metrics": [{"key": "m", "value": 1}] * 10_001},
        {"params": [{"key": "q", "value": "x" * 6_001}]},
        {"params": [{"key": "q", "value": "1"}, {"key": "q", "value": "2"}]},
        {"tags": [{"key": "q", "value": "\x00"}]},
    ):
        answer = ask(call, "POST", f"{API}/runs/log-batch", json={"run_id": run, **wrong})
        assert (answer.status_code, answer.json()["error_code"]) == (400, "INVALID_PARAMETER_VALUE"), wrong


def test_histories_by_page_and_of_several_runs(call: Caller):
    ids = [begun(call) for _ in range(2)]
    for run in ids:
        metrics = [{"key": "m", "value": step, "step": step, "timestamp": 5} for step in range(100)]
        ask(call, "POST", f"{API}/runs/log-batch", json={"run_id": run, "metrics": metrics})
    seen, token = [], ""
    while True:
        page = ask(
            call, "GET", f"{API}/metrics/get-history?run_id={ids[0]}&metric_key=m&max_results=30&page_token={token}"
        )
        seen += [one["step"] for one in page.json()["metrics"]]
        token = page.json()["next_page_token"]
        if not token:
            break
    assert seen == list(range(100))
    asked = f"run_id={ids[0]}&run_id={ids[1]}&metric_key=m&max_results=20"
    bulk = ask(call, "GET", f"/ajax-api/2.0/mlflow/metrics/get-history-bulk?{asked}").json()["metrics"]
    assert [one["run_id"] for one in bulk] == [ids[0]] * 10 + [ids[1]] * 10
    assert [bulk[0]["step"], bulk[9]["step"]] == [0, 99]
    asked = f"run_ids={ids[0]}&metric_key=m&start_step=90&end_step=92"
    bulk = ask(call, "GET", f"{API}/metrics/get-history-bulk-interval?{asked}").json()["metrics"]
    assert [one["step"] for one in bulk] == [90, 91, 92]


def test_the_projects_own_models_are_among_the_registered(call: Caller):
    def alias(method: str, **said: object) -> tuple[int, str]:
        answer = ask(call, method, f"{API}/registered-models/alias", json={"name": "late", **said})
        return answer.status_code, answer.json().get("message", "")

    found, _ = ask(call, "GET", f"{API}/registered-models/search").json()["registered_models"]
    assert (found["name"], found["aliases"]) == ("late", [{"alias": "champion", "version": "2"}])
    versions = ask(call, "GET", f"{API}/model-versions/search?filter=name='late'").json()["model_versions"]
    assert [one["version"] for one in versions] == ["3", "2", "1"]
    champion = ask(call, "GET", f"{API}/registered-models/alias?name=late&alias=champion").json()["model_version"]
    assert (champion["version"], champion["aliases"]) == ("2", ["champion"])
    assert "judged and passed its gates" in champion["status_message"]
    run = begun(call)
    body = {"name": "late", "source": f"runs:/{run}/model", "run_id": run}
    made = ask(call, "POST", f"{API}/model-versions/create", json=body).json()["model_version"]
    assert made["version"] == "4"
    assert "no MLmodel file" in made["status_message"]
    for wanted, version, says in (
        ("champion", "4", "was registered but not judged"),
        ("champion", "3", "did not meet its gates"),
        ("shadow", "2", "is set by the project itself"),
    ):
        status, message = alias("POST", alias=wanted, version=version)
        assert status == 403
        assert says in message
    assert alias("DELETE", alias="champion")[0] == 403
    assert alias("POST", alias="mine", version=4)[0] == 200
    assert alias("DELETE", alias="mine")[0] == 200


_json = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False, allow_infinity=False) | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=120, deadline=None)
@given(data=st.data())
def test_whatever_is_asked_is_answered_or_refused(call: Caller, data: st.DataObject):
    route = data.draw(st.sampled_from(ROUTES))
    names = [field.encode_name for field in msgspec.structs.fields(route.asks)]
    said = data.draw(st.dictionaries(st.sampled_from(names) if names else st.text(), _json, max_size=5))
    path = f"{API}/{route.path.replace('{model_id}', 'm-1').replace('{tag_key}', 'k')}"
    if route.method == "GET":
        answer = ask(call, "GET", path, params={name: str(value) for name, value in said.items()})
    else:
        answer = ask(call, route.method, path, json=said)
    assert answer.status_code in {200, 400, 403, 404}, (answer.text, said)


_LEFT_OUT = {
    ("POST", "artifacts/presigned-upload-url"),
    ("POST", "artifacts/presigned-download-url"),
}
"""Addresses of a bucket's own; clients ask for them only where the server says that it gives such."""
_SERVICES = """\
DELETE datasets/{dataset_id}
DELETE datasets/{dataset_id}/records
DELETE datasets/{dataset_id}/tags/{key}
DELETE gateway/budgets/delete
DELETE gateway/endpoints/bindings/delete
DELETE gateway/endpoints/delete
DELETE gateway/endpoints/delete-tag
DELETE gateway/guardrails/delete
DELETE gateway/guardrails/remove-from-endpoint
DELETE gateway/model-definitions/delete
DELETE gateway/secrets/delete
DELETE label-schemas/delete
DELETE logged-models/{model_id}
DELETE logged-models/{model_id}/tags/{tag_key}
DELETE model-versions/delete
DELETE model-versions/delete-tag
DELETE prompt-optimization/jobs/{job_id}
DELETE registered-models/alias
DELETE registered-models/delete
DELETE registered-models/delete-tag
DELETE scorers/delete
DELETE traces/{request_id}/tags
DELETE traces/{trace_id}/assessments/{assessment_id}
DELETE traces/{trace_id}/tags
DELETE workspaces/{workspace_name}
GET artifacts/list
GET datasets/search
GET datasets/{dataset_id}
GET datasets/{dataset_id}/experiment-ids
GET datasets/{dataset_id}/records
GET experiments/get
GET experiments/get-by-name
GET experiments/search
GET gateway/budgets/get
GET gateway/budgets/list
GET gateway/budgets/windows
GET gateway/endpoints/bindings/list
GET gateway/endpoints/get
GET gateway/endpoints/list
GET gateway/guardrails/get
GET gateway/guardrails/list
GET gateway/guardrails/list-for-endpoint
GET gateway/model-definitions/get
GET gateway/model-definitions/list
GET gateway/secrets/get
GET gateway/secrets/list
GET get-online-trace-details
GET issues/{issue_id}
GET label-schemas/get
GET label-schemas/get-by-name
GET label-schemas/list
GET logged-models/{model_id}
GET logged-models/{model_id}/artifacts/directories
GET metrics/get-history
GET metrics/get-history-bulk-interval
GET model-versions/get
GET model-versions/get-download-uri
GET model-versions/search
GET prompt-optimization/jobs/search
GET prompt-optimization/jobs/{job_id}
GET registered-models/alias
GET registered-models/get
GET registered-models/get-latest-versions
GET registered-models/search
GET review-queues/get
GET review-queues/get-by-name
GET review-queues/items/list
GET review-queues/list
GET runs/get
GET scorers/get
GET scorers/list
GET scorers/versions
GET traces
GET traces/batchGet
GET traces/get
GET traces/{request_id}/info
GET traces/{trace_id}
GET traces/{trace_id}/assessments/{assessment_id}
GET unified-traces
GET workspaces
GET workspaces/{workspace_name}
PATCH datasets/{dataset_id}/tags
PATCH gateway/guardrails/update-config
PATCH issues/{issue_id}
PATCH label-schemas/update
PATCH logged-models/{model_id}
PATCH logged-models/{model_id}/tags
PATCH model-versions/update
PATCH registered-models/update
PATCH traces/{request_id}
PATCH traces/{request_id}/tags
PATCH traces/{trace_id}/assessments/{assessment_id}
PATCH traces/{trace_id}/tags
PATCH workspaces/{workspace_name}
POST artifacts/presigned-download-url
POST artifacts/presigned-upload-url
POST datasets/create
POST datasets/search
POST datasets/{dataset_id}/add-experiments
POST datasets/{dataset_id}/records
POST datasets/{dataset_id}/remove-experiments
POST experiments/create
POST experiments/delete
POST experiments/delete-experiment-tag
POST experiments/restore
POST experiments/search
POST experiments/search-datasets
POST experiments/set-experiment-tag
POST experiments/update
POST gateway/budgets/create
POST gateway/budgets/update
POST gateway/endpoints/bindings/create
POST gateway/endpoints/create
POST gateway/endpoints/models/attach
POST gateway/endpoints/models/detach
POST gateway/endpoints/set-tag
POST gateway/endpoints/update
POST gateway/guardrails/add-to-endpoint
POST gateway/guardrails/create
POST gateway/model-definitions/create
POST gateway/model-definitions/update
POST gateway/secrets/create
POST gateway/secrets/update
POST issues
POST issues/search
POST label-schemas/create
POST logged-models
POST logged-models/search
POST logged-models/{model_id}/params
POST model-versions/create
POST model-versions/set-tag
POST model-versions/transition-stage
POST prompt-optimization/jobs
POST prompt-optimization/jobs/search
POST prompt-optimization/jobs/{job_id}/cancel
POST registered-models/alias
POST registered-models/create
POST registered-models/get-latest-versions
POST registered-models/rename
POST registered-models/set-tag
POST review-queues/create
POST review-queues/delete
POST review-queues/get-or-create-user
POST review-queues/items/add
POST review-queues/items/remove
POST review-queues/items/set-status
POST review-queues/update
POST runs/create
POST runs/delete
POST runs/delete-tag
POST runs/log-batch
POST runs/log-inputs
POST runs/log-metric
POST runs/log-model
POST runs/log-parameter
POST runs/outputs
POST runs/restore
POST runs/search
POST runs/set-tag
POST runs/update
POST scorers/register
POST traces
POST traces/batchGetInfos
POST traces/calculate-filter-correlation
POST traces/delete-traces
POST traces/link-prompts
POST traces/link-to-run
POST traces/metrics
POST traces/search
POST traces/{assessment.trace_id}/assessments
POST workspaces"""
