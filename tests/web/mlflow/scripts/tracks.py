"""Everything that a client does with experiments and runs; each claim is checked here, where the client is."""

from __future__ import annotations

import math
import random
import tempfile
from pathlib import Path

import mlflow
import pandas as pd
from mlflow import MlflowClient
from mlflow.entities import Metric, Param, RunTag, ViewType
from mlflow.exceptions import MlflowException
from mlflow.utils.search_utils import SearchUtils


def refused(code, call):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (error.error_code, str(error))
        return str(error)
    raise AssertionError(f"not refused: {code}")


client = MlflowClient()
assert client.get_experiment("0").name == "Default"
assert client.get_experiment_by_name("none") is None
experiment = mlflow.set_experiment("Fraud / first try")
assert mlflow.set_experiment("Fraud / first try").experiment_id == experiment.experiment_id
refused("RESOURCE_ALREADY_EXISTS", lambda: client.create_experiment("Fraud / first try"))
refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_experiment("12345"))
client.set_experiment_tag(experiment.experiment_id, "team", "payments")
assert client.get_experiment(experiment.experiment_id).tags == {"team": "payments"}
other = client.create_experiment("other", tags={"a": "1"})
client.rename_experiment(other, "renamed")
assert client.get_experiment_by_name("renamed").experiment_id == other
assert client.get_experiment_by_name("other") is None
assert client.create_experiment("other") != other
client.delete_experiment(other)
assert client.get_experiment(other).lifecycle_stage == "deleted"
assert [one.name for one in client.search_experiments(view_type=ViewType.DELETED_ONLY)] == ["renamed"]
client.restore_experiment(other)
found = client.search_experiments(filter_string="tags.team = 'payments' AND name ILIKE 'fraud%'")
assert [one.experiment_id for one in found] == [experiment.experiment_id]
by_name = [one.name for one in client.search_experiments(order_by=["name ASC"])]
assert by_name == sorted(by_name) == ["Default", "Fraud / first try", "other", "renamed"]

# a run, everything that is said of it, and a run within it
with mlflow.start_run(run_name="one", tags={"a b": "x%y"}, description="the first") as run:
    mlflow.log_param("depth", 3)
    mlflow.log_params({"rate": 0.1, "name": "ß / é"})
    mlflow.log_metric("loss", 2.0, step=0)
    mlflow.log_metric("loss", 1.0, step=1)
    mlflow.log_metrics({"loss": 0.5, "auc": 0.9, "odd": math.nan, "large": math.inf}, step=2)
    mlflow.set_tags({"t": "1", "gone": "soon"})
    mlflow.delete_tag("gone")
    mlflow.log_text("hello\n", "notes/a ß.txt")
    mlflow.log_dict({"x": [1, 2]}, "d.json")
    with tempfile.TemporaryDirectory() as folder:
        (Path(folder) / "deep" / "er").mkdir(parents=True)
        (Path(folder) / "deep" / "er" / "b.bin").write_bytes(bytes(range(256)) * 20_000)
        (Path(folder) / "empty").write_bytes(b"")
        mlflow.log_artifacts(folder, "all")
    data = mlflow.data.from_pandas(pd.DataFrame({"a": [1.0, 2.0]}), name="mine")
    mlflow.log_input(data, context="training")
    with mlflow.start_run(nested=True, run_name="child") as child:
        mlflow.log_metric("loss", 9)
run_id = run.info.run_id
got = client.get_run(run_id)
assert (got.info.status, got.info.run_name, got.info.lifecycle_stage) == ("FINISHED", "one", "active")
assert got.info.end_time >= got.info.start_time > 1_600_000_000_000
assert got.data.params == {"depth": "3", "rate": "0.1", "name": "ß / é"}
assert {key: value for key, value in got.data.metrics.items() if key != "odd"} == {
    "loss": 0.5,
    "auc": 0.9,
    "large": math.inf,
}
assert math.isnan(got.data.metrics["odd"])
assert got.data.tags["a b"] == "x%y"
assert "gone" not in got.data.tags
assert [(one.dataset.name, one.tags[0].value) for one in got.inputs.dataset_inputs] == [("mine", "training")]
assert client.get_run(child.info.run_id).data.tags["mlflow.parentRunId"] == run_id
assert [(one.step, one.value) for one in client.get_metric_history(run_id, "loss")] == [(0, 2.0), (1, 1.0), (2, 0.5)]
assert client.get_metric_history(run_id, "none") == []
assert [(one.path, one.is_dir) for one in client.list_artifacts(run_id)] == [
    ("all", True),
    ("d.json", False),
    ("notes", True),
]
assert [(one.path, one.file_size) for one in client.list_artifacts(run_id, "all/deep/er")] == [
    ("all/deep/er/b.bin", 5_120_000)
]
assert client.list_artifacts(run_id, "d.json") == []
assert mlflow.artifacts.load_text(f"{run.info.artifact_uri}/notes/a ß.txt") == "hello\n"
with tempfile.TemporaryDirectory() as folder:
    there = Path(mlflow.artifacts.download_artifacts(f"runs:/{run_id}/all", dst_path=folder))
    assert (there / "deep/er/b.bin").read_bytes() == bytes(range(256)) * 20_000
    assert (there / "empty").read_bytes() == b""

# what is refused
assert "never change" in refused("INVALID_PARAMETER_VALUE", lambda: client.log_param(run_id, "depth", "4"))
client.log_param(run_id, "depth", "3")
refused("RESOURCE_DOES_NOT_EXIST", lambda: client.get_run("0" * 32))
refused("RESOURCE_DOES_NOT_EXIST", lambda: client.log_metric("0" * 32, "m", 1))
refused("RESOURCE_DOES_NOT_EXIST", lambda: client.delete_tag(run_id, "none"))
refused("INVALID_PARAMETER_VALUE", lambda: client.search_runs([experiment.experiment_id], "metrics.loss >> 1"))
refused("INVALID_PARAMETER_VALUE", lambda: client.search_runs([experiment.experiment_id], page_token="x"))

# deleted and restored, ended otherwise
client.delete_run(run_id)
refused("INVALID_PARAMETER_VALUE", lambda: client.log_metric(run_id, "m", 1))
assert run_id not in [one.info.run_id for one in client.search_runs([experiment.experiment_id])]
assert [
    one.info.run_id for one in client.search_runs([experiment.experiment_id], run_view_type=ViewType.DELETED_ONLY)
] == [run_id]
client.restore_run(run_id)
failed = client.create_run(experiment.experiment_id, run_name="failed")
client.set_terminated(failed.info.run_id, "FAILED")
client.update_run(failed.info.run_id, name="broke")
assert client.get_run(failed.info.run_id).info.run_name == "broke"
assert client.get_run(failed.info.run_id).data.tags["mlflow.runName"] == "broke"

# a batch of a thousand, and what is logged without waiting
batch = client.create_run(experiment.experiment_id)
client.log_batch(
    batch.info.run_id,
    [Metric(f"m{number % 7}", number / 3, 1_700_000_000_000 + number, number) for number in range(1000)],
    [Param(f"p{number}", str(number)) for number in range(100)],
    [RunTag("t", "v")],
)
assert len(client.get_metric_history(batch.info.run_id, "m3")) == len(range(3, 1000, 7))
assert client.get_run(batch.info.run_id).data.metrics["m0"] == 994 / 3
assert len(client.get_run(batch.info.run_id).data.params) == 100
for step in range(50):
    client.log_metric(batch.info.run_id, "late", step, step=step, synchronous=False)
mlflow.flush_async_logging()
client.set_terminated(batch.info.run_id)

# MLflow's own search, over the same runs, finds the same in the same order
dice = random.Random(5)
many = client.create_experiment("many")
for number in range(24):
    one = client.create_run(
        many, start_time=1_700_000_000_000 + number, run_name=f"r{number % 5}", tags={"k": f"v{number % 3}"}
    )
    if number % 4:
        client.log_metric(one.info.run_id, "m", math.nan if number % 11 == 5 else round(dice.uniform(-1, 1), 1))
    if number % 3:
        client.log_param(one.info.run_id, "a b", dice.choice(["x", "Xy", "it's", "100%"]))
    if number % 2:
        client.set_terminated(
            one.info.run_id, dice.choice(["FINISHED", "FAILED", "KILLED"]), end_time=1_700_000_001_000 + number
        )
everything = client.search_runs([many], max_results=100)
assert [one.info.start_time for one in everything] == sorted((one.info.start_time for one in everything), reverse=True)
filters = [
    "", "metrics.m > 0", "metrics.m <= 0.1 and params.`a b` = 'x'", "params.`a b` != 'x'", "params.`a b` LIKE 'X%'",
    "params.`a b` ILIKE 'x%'", 'params."a b" = "it\'s"', "tags.k = 'v1' AND attributes.status = 'FINISHED'",
    "attributes.run_name = 'r3'", "run_name LIKE 'r%' and tags.k != 'v0'", "attributes.start_time > 1700000000010",
    "attributes.end_time >= 1700000001005", "status != 'RUNNING'", "metrics.m != 0.3", "metrics.none = 1",
    f"attributes.run_id IN ('{everything[3].info.run_id}', '{everything[7].info.run_id}')", "created < 1700000000005",
]  # fmt: skip
orders = [[], ["metrics.m DESC"], ["metrics.m ASC"], ["params.`a b` ASC", "attributes.start_time ASC"], ["tags.k DESC"]]
checked = 0
for text in filters:
    for order in orders:
        ours = [one.info.run_id for one in client.search_runs([many], text, max_results=100, order_by=order)]
        theirs = SearchUtils.sort(SearchUtils.filter(everything, text), order)
        assert ours == [one.info.run_id for one in theirs], (text, order)
        checked += 1
first = client.search_runs([many], max_results=10)
pages = [*first]
while first.token:
    first = client.search_runs([many], max_results=10, page_token=first.token)
    pages += first
assert [one.info.run_id for one in pages] == [one.info.run_id for one in everything]
print("checked", checked)
