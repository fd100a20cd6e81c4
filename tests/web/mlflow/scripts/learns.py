"""Models as clients log, register and load them: autologging, aliases, stages, tags, and reading them back."""

from __future__ import annotations

import sys

import lightgbm
import mlflow
import numpy as np
import pandas as pd
import sklearn.linear_model
import xgboost
from mlflow import MlflowClient
from mlflow.exceptions import MlflowException

dice = np.random.default_rng(3)
rows = pd.DataFrame(dice.normal(size=(300, 4)), columns=["a", "b", "c", "d"])
labels = (rows["a"] + rows["b"] > 0).astype(int)
client = MlflowClient()
mlflow.set_experiment("models")
mlflow.autolog()


def fitted(name):
    if name == "sklearn":
        return sklearn.linear_model.LogisticRegression(max_iter=50).fit(rows, labels)
    if name == "lightgbm":
        settings = {"objective": "binary", "verbose": -1, "num_threads": 1}
        data = lightgbm.Dataset(rows, labels)
        return lightgbm.train(settings, data, 5, valid_sets=[data])
    matrix = xgboost.DMatrix(rows, labels)
    return xgboost.train({"objective": "binary:logistic", "nthread": 1}, matrix, 5, evals=[(matrix, "train")])


for name in sys.argv[1:]:
    with mlflow.start_run(run_name=name) as run:
        model = fitted(name)
    got = client.get_run(run.info.run_id)
    assert got.data.params, name
    assert got.data.metrics, name
    [output] = got.outputs.model_outputs
    registered = mlflow.register_model(f"models:/{output.model_id}", f"auto-{name}")
    assert (registered.version, registered.run_id) == ("1", run.info.run_id)
    print(name, registered.status_message)
    client.set_registered_model_alias(f"auto-{name}", "best", 1)
    loaded = mlflow.pyfunc.load_model(f"models:/auto-{name}@best")
    flavour = getattr(mlflow, name).load_model(f"runs:/{run.info.run_id}/model")
    said = loaded.predict(rows.head(20))
    expected = model.predict(xgboost.DMatrix(rows.head(20)) if name == "xgboost" else rows.head(20))
    assert np.allclose(said, expected, atol=1e-6), name
    assert type(flavour) is type(model)
    logged = mlflow.get_logged_model(output.model_id)
    assert logged.source_run_id == run.info.run_id
    assert str(logged.status) == "READY"

mlflow.autolog(disable=True)
model = sklearn.linear_model.LogisticRegression().fit(rows, labels)
signature = mlflow.models.infer_signature(rows, labels.astype(float))
with mlflow.start_run():
    info = mlflow.sklearn.log_model(
        model, name="by-hand", signature=signature, pip_requirements=["scikit-learn"], serialization_format="skops",
        registered_model_name="by-hand", metadata={"k": "v"}, params={"depth": 3}, tags={"x": "y"},
    )  # fmt: skip
    mlflow.log_metric("auc", 0.75, model_id=info.model_id, step=4)
version = client.get_model_version("by-hand", 1)
print("by-hand", version.status_message)
found = mlflow.search_logged_models(filter_string="metrics.auc > 0.7 AND params.depth = '3'", output_format="list")
assert [one.model_id for one in found] == [info.model_id]
assert found[0].metrics[0].value == 0.75
assert found[0].tags["x"] == "y"
assert list(mlflow.sklearn.load_model("models:/by-hand/1").predict(rows)) == list(model.predict(rows))
assert mlflow.models.get_model_info("models:/by-hand/1").metadata == {"k": "v"}

# the registry's nouns
client.update_registered_model("by-hand", "made by hand")
client.set_registered_model_tag("by-hand", "team", "payments")
client.set_registered_model_tag("by-hand", "gone", "soon")
client.delete_registered_model_tag("by-hand", "gone")
client.update_model_version("by-hand", 1, "the first")
client.set_model_version_tag("by-hand", 1, "ok", "yes")
client.set_model_version_tag("by-hand", 1, "gone", "soon")
client.delete_model_version_tag("by-hand", 1, "gone")
second = client.create_model_version("by-hand", f"models:/{info.model_id}", tags={"n": "2"}, description="again")
assert second.version == "2"
assert client.transition_model_version_stage("by-hand", 1, "Production").current_stage == "Production"
client.transition_model_version_stage("by-hand", 2, "production", archive_existing_versions=True)
assert client.get_model_version("by-hand", 1).current_stage == "Archived"
assert [one.version for one in client.get_latest_versions("by-hand", ["Production"])] == ["2"]
client.set_registered_model_alias("by-hand", "live", 2)
assert client.get_model_version_by_alias("by-hand", "live").version == "2"
model = client.get_registered_model("by-hand")
assert (model.description, model.tags, model.aliases) == ("made by hand", {"team": "payments"}, {"live": "2"})
assert client.get_model_version("by-hand", 2).aliases == ["live"]
assert client.get_model_version("by-hand", 1).tags.get("ok") == "yes"
assert "gone" not in client.get_model_version("by-hand", 1).tags
assert [one.name for one in client.search_registered_models("name LIKE 'by%' and tags.team = 'payments'")] == [
    "by-hand"
]
assert [one.version for one in client.search_model_versions("name = 'by-hand'", order_by=["version_number ASC"])] == [
    "1",
    "2",
]
assert [one.version for one in client.search_model_versions(f"run_id = '{version.run_id}' and tags.ok = 'yes'")] == [
    "1"
]
client.delete_registered_model_alias("by-hand", "live")
client.delete_model_version("by-hand", 2)
third = client.create_model_version("by-hand", f"models:/{info.model_id}")
assert third.version == "3"  # a number is never given twice
client.rename_registered_model("by-hand", "renamed")
assert sorted(one.version for one in client.search_model_versions("name = 'renamed'")) == ["1", "3"]
for code, call in (
    ("RESOURCE_ALREADY_EXISTS", lambda: client.create_registered_model("renamed")),
    ("RESOURCE_DOES_NOT_EXIST", lambda: client.get_registered_model("by-hand")),
    ("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version("renamed", 2)),
    ("RESOURCE_DOES_NOT_EXIST", lambda: client.get_model_version_by_alias("renamed", "live")),
    ("INVALID_PARAMETER_VALUE", lambda: client.create_model_version("renamed", "/etc/passwd")),
    ("INVALID_PARAMETER_VALUE", lambda: client.search_registered_models("nothing = 'x'")),
    ("INVALID_PARAMETER_VALUE", lambda: client.transition_model_version_stage("renamed", 1, "Limbo")),
):
    try:
        call()
    except MlflowException as error:
        assert error.error_code == code, (code, str(error))
    else:
        raise AssertionError(code)
client.delete_registered_model("renamed")
assert client.search_model_versions("name = 'renamed'") == []
print("all")
