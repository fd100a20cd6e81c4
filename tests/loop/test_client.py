"""The commands that ask the endpoint, where it takes tokens and speaks TLS."""

from __future__ import annotations

import json

import pytest
from tests.loop.shop import ORDER, command, copy_shop, serving
from tests.serve.test_tls import certify

from drivetrain.core.errors import RequestError
from drivetrain.loop.project import Project


def test_predict_brings_its_token_over_tls(made_shop, tmp_path, monkeypatch):
    folder = copy_shop(made_shop, tmp_path / "shop")
    certify(folder, "own")
    toml = folder / "drivetrain.toml"
    files = 'tls_certificate = "own.pem"\ntls_key = "own.key"\ntls_ca = "own.pem"\naccess_log = "access.jsonl"\n'
    toml.write_text(toml.read_text().replace("[serve]\n", f'[serve]\ntokens = "on"\n{files}'))
    monkeypatch.chdir(folder)
    project = Project.load(folder)
    made = project.tokens.create("web", ["predict", "read"])
    monkeypatch.setenv("DRIVETRAIN_TOKEN", made.token)
    with serving(folder):
        told = json.loads(command(folder, "predict", json.dumps(ORDER), "--json").stdout)
        assert told["model_version"] == 1
        monkeypatch.chdir(tmp_path)
        assert project.predict(None, [ORDER])["model_version"] == 1
        monkeypatch.setenv("DRIVETRAIN_TOKEN", "dt_none")
        with pytest.raises(RequestError, match="not known"):
            project.predict(None, [ORDER])
    project.store.close()
    lines = [json.loads(line) for line in (folder / "access.jsonl").read_text().splitlines()]
    assert {line["token"] for line in lines if line["route"] == "predict" and line["status"] == 200} == {made.id}
