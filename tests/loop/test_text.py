"""Texts from raw rows to answers over HTTP, their reasons, the log, batches, and what watches them."""

from __future__ import annotations

import json
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec
import numpy as np
import polars as pl
import pytest
from tests.loop.shop import command, serving
from tests.loop.sms import make_sms

from drivetrain.core.errors import ProjectError
from drivetrain.core.records import DependenceReport, Discovery, ModelVersion
from drivetrain.loop.project import Project
from drivetrain.monitor.reference import load
from drivetrain.registry.load import predict_version
from drivetrain.serve.log.read import find

FREE = "free prize call me later"


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = make_sms(tmp_path_factory.mktemp("sms") / "sms")
    project = Project.load(folder)
    assert project.run().refused == ()
    project.store.close()
    return folder


@pytest.fixture(scope="module")
def base(made: Path) -> Iterator[str]:
    with serving(made, endpoint="spam"):
        yield f"http://127.0.0.1:{Project.load(made).settings.serve.port}"


def post(url: str, body: Any) -> tuple[int, Any]:
    data = body if isinstance(body, bytes) else json.dumps(body).encode()
    request = urllib.request.Request(url, data, {"content-type": "application/json"})
    try:
        with urllib.request.urlopen(request, timeout=30) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        return error.code, json.loads(error.read())


def ask(base: str, *messages: object) -> tuple[int, Any]:
    instances = [{"id": f"x{at}", "message": text} for at, text in enumerate(messages)]
    return post(f"{base}/v1/endpoints/spam/predict", {"instances": instances})


def version_of(made: Path) -> tuple[Project, ModelVersion]:
    project = Project.load(made)
    version = project.store.catalog.get(ModelVersion, "spam@1")
    assert version is not None
    return project, version


def test_what_is_served_is_what_was_trained(base: str, made: Path) -> None:
    texts = [FREE, "see you at home", "", "👍🏽 ok \u0000 İ", "win " * 5_000]
    status, answer = ask(base, *texts)
    assert status == 200
    project, version = version_of(made)
    digits = pl.Series([sum(map(str.isdigit, text)) for text in texts])
    frame = pl.DataFrame({"sms_text.message": texts, "sms_text.digits": digits})
    assert np.allclose(answer["predictions"], predict_version(project.store, version, frame), rtol=0, atol=1e-12)
    one = [ask(base, text)[1]["predictions"][0] for text in texts]
    assert np.allclose(one, answer["predictions"], rtol=0, atol=1e-12)
    assert answer["predictions"][0] > 0.9 > 0.2 > answer["predictions"][1]


def test_the_log_has_the_request_and_the_length(base: str, made: Path) -> None:
    _, answer = ask(base, FREE)
    project = Project.load(made)
    [entry] = find(project.store, project.log_folder, answer["request_id"])
    assert entry.values == [float(len(FREE)), 0.0]
    assert msgspec.json.decode(entry.request)["message"] == FREE
    told = project.trace(answer["request_id"])
    assert told["features"][0]["value"] == f"a text of {len(FREE)} characters"


@pytest.mark.parametrize(("wrong", "found"), [(7, "7"), (["free"], '["free"]'), (None, "null")])
def test_what_is_no_text_is_refused_by_name(base: str, wrong: object, found: str) -> None:
    status, answer = ask(base, wrong)
    assert status == 422 or status == 400
    assert answer["error"] == {
        "message": answer["error"]["message"],
        "field": "instances[0].message",
        "found": found,
        "expected": "a string",
    }


@pytest.mark.parametrize("surrogate", [rb"\ud800", rb"x\udc00y", rb"\ud83d\ud83d"])
def test_half_a_character_is_refused(base: str, surrogate: bytes) -> None:
    body = b'{"instances": [{"id": "x", "message": "' + surrogate + b'"}]}'
    status, answer = post(f"{base}/v1/endpoints/spam/predict", body)
    assert status in {400, 422}
    assert "message" in answer["error"]


def test_its_reasons_name_words(base: str) -> None:
    instance = {"id": "x", "message": FREE}
    status, answer = post(f"{base}/v1/endpoints/spam/explain", {"instances": [instance]})
    assert status == 200
    assert (answer["unit"], answer["method"]) == ("log-odds", "exact")
    told = {each["feature"]: each for each in answer["explanations"][0]["contributions"]}
    text = told["sms_text.message"]
    assert text["value"] == FREE
    assert "is a text of 24 characters: raises the odds" in text["sentence"]
    assert "words" not in told["sms_text.digits"]
    first = text["words"][0]
    assert first["word"] in {"'free'", "'prize'", "'free prize'"}
    assert first["sentence"].startswith(f"{first['word']} raises the odds by a factor of ")
    assert first["contribution"] > 0.5


def test_openapi_and_the_v2_protocol_say_and_take_text(base: str) -> None:
    with urllib.request.urlopen(f"{base}/openapi.json", timeout=30) as answer:
        document = answer.read().decode()
    assert '"message":{"type":"string"' in document.replace(" ", "")
    with urllib.request.urlopen(f"{base}/v2/models/spam", timeout=30) as answer:
        inputs = {each["name"]: each["datatype"] for each in json.loads(answer.read())["inputs"]}
    assert inputs["message"] == "BYTES"
    tensors = [
        {"name": name, "datatype": "BYTES", "shape": [2], "data": data}
        for name, data in {"id": ["a", "b"], "message": [FREE, "see you at home"]}.items()
    ]
    status, told = post(f"{base}/v2/models/spam/infer", {"inputs": tensors})
    assert status == 200
    assert np.allclose(told["outputs"][0]["data"], ask(base, FREE, "see you at home")[1]["predictions"])


def test_batches_are_answered_as_requests_are(base: str, made: Path, tmp_path: Path) -> None:
    texts = [FREE, "see you at home", "", "claim £100 now"]
    (tmp_path / "rows.csv").write_text("id,message\n" + "".join(f'r{at},"{text}"\n' for at, text in enumerate(texts)))
    expected = ask(base, *texts)[1]["predictions"]
    for source in ("online", "offline"):
        out = tmp_path / f"{source}.parquet"
        command(made, "predict", "--input", str(tmp_path / "rows.csv"), "--output", str(out), "--features", source)
        assert np.allclose(pl.read_parquet(out)["prediction"], expected, rtol=0, atol=1e-12)


def test_the_length_is_what_is_watched(made: Path) -> None:
    project, version = version_of(made)
    assert version.reference is not None
    reference = load(project.store.blobs.get(version.reference))
    assert [(column.name, column.type) for column in reference.columns] == [
        ("sms_text.message", "number"), ("sms_text.digits", "number"),
    ]  # fmt: skip
    assert 20 < reference.columns[0].quantiles[2] < 60


def test_no_report_quotes_a_text(made: Path) -> None:
    """Neither as a point of a feature's dependence, nor as a group that the model is worse for."""
    project, version = version_of(made)
    catalog = project.store.catalog
    [dependence] = catalog.find(DependenceReport)
    assert [each.feature for each in dependence.features] == ["sms_text.digits"]
    assert {
        condition.column for found in catalog.find(Discovery) for each in found.found for condition in each.conditions
    } <= {"sms_text.digits"}
    assert version.card is not None
    assert "call me later" not in project.store.blobs.get(version.card).decode()


def test_versions_and_logs_are_compared_as_any(base: str, made: Path) -> None:
    ask(base, FREE, "see you at home")
    project, _ = version_of(made)
    told = project.diff(1, 1)
    assert told.predictions.rows > 0
    compared = project.skew("spam")
    assert compared["mismatches"] == {}
    assert compared["predictions"] > 0


def test_it_is_made_again_to_the_same(made: Path) -> None:
    project, _ = version_of(made)
    said = project.reproduce("spam@1")
    assert said.verdict == "bits", said


def test_an_export_takes_what_reads_its_texts_along(made: Path, tmp_path: Path) -> None:
    project, _ = version_of(made)
    project.versions.export("spam@1", tmp_path / "spam.dt")
    taker = Project.load(make_sms(tmp_path / "taker"))
    taker.versions.take(tmp_path / "spam.dt", because="a test")
    taken = taker.store.catalog.get(ModelVersion, "spam@1")
    assert taken is not None
    frame = pl.DataFrame({"sms_text.message": [FREE], "sms_text.digits": [0]})
    assert predict_version(taker.store, taken, frame)[0] > 0.9


def test_what_is_sensitive_is_not_written_down(tmp_path: Path) -> None:
    folder = make_sms(tmp_path / "sms", privacy="sensitive", rows=600)
    project = Project.load(folder)
    assert project.run().refused == ()
    with serving(folder, endpoint="spam"):
        base = f"http://127.0.0.1:{project.settings.serve.port}"
        _, answer = ask(base, "free zanzibar prize")
    [entry] = find(project.store, project.log_folder, answer["request_id"])
    assert np.isnan(entry.values).all()  # the count of its digits is made of it
    assert msgspec.json.decode(entry.request)["message"] != "free zanzibar prize"
    for path in (folder / ".drivetrain").rglob("*"):
        assert not path.is_file() or b"zanzibar" not in path.read_bytes(), path


def test_a_text_that_is_no_feature_is_refused(tmp_path: Path) -> None:
    folder = make_sms(tmp_path / "sms", rows=10)
    project = (folder / "project.py").read_text()
    (folder / "project.py").write_text(project.replace('dt.Tfidf("sms_text.message"', 'dt.Tfidf("message"'))
    with pytest.raises(ProjectError, match="model 'spam' reads as text a feature it does not have; found 'message'"):
        Project.load(folder)
    for text, message in (
        (
            '[dt.Tfidf("sms_text.message"), dt.Tfidf("sms_text.message", chars=(3, 4))]',
            "declares 'sms_text.message' as text twice",
        ),
        (
            'dt.Tokens("sms_text.message", "models/bert")',
            "Tokens, and the trainer 'text_linear'; expected the trainer 'transf",
        ),
    ):
        changed = project.replace('dt.Tfidf("sms_text.message", words=(1, 2), most=300)', text)
        (folder / "project.py").write_text(changed)
        with pytest.raises(ProjectError, match=message):
            Project.load(folder)
