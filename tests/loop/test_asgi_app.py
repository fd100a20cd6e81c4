"""A project's endpoint mounted in somebody's own application."""

from __future__ import annotations

import pytest
from fastapi import FastAPI
from fastapi.testclient import TestClient
from tests.loop.shop import ORDER, copy_shop

import drivetrain as dt
from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.serve.log.read import find


@pytest.mark.parametrize("loaded", [True, False])
def test_an_endpoint_answers_beside_a_hosts_routes_and_is_traced(made_shop, tmp_path, loaded):
    folder = copy_shop(made_shop, tmp_path / "shop")
    project = dt.Project.load(folder)
    model = dt.asgi_app(project if loaded else str(folder), "returned")
    app = FastAPI(lifespan=model.lifespan)
    app.mount("/model", model)
    with TestClient(app) as client:
        answer = client.post("/model/v1/endpoints/returned/predict", json={"instances": [ORDER]})
        assert answer.status_code == 200, answer.text
        assert client.get("/model/v1/endpoints").json() == {"endpoints": ["returned"]}
        event = {"events": []}
        assert client.post("/model/v1/features/history/push", json=event).status_code in {200, 422}
    request_id = answer.json()["request_id"]
    assert len(find(project.store, project.log_folder, request_id)) == 1  # the caller's own store is still open
    assert project.trace(request_id)


def test_all_endpoints_where_none_is_named(made_shop, tmp_path):
    model = dt.asgi_app(copy_shop(made_shop, tmp_path / "shop"))
    with TestClient(model) as client:
        assert client.get("/healthz").json()["ready"] is True


def test_what_is_not_there_is_said_when_it_is_asked_for(made_shop, tmp_path):
    with pytest.raises(UnknownName, match="no such endpoint; found 'late'; expected one of returned"):
        dt.asgi_app(copy_shop(made_shop, tmp_path / "shop"), "late")
    with pytest.raises(ProjectError):
        dt.asgi_app(tmp_path)
