"""Pages of what MLflow's clients logged."""

from __future__ import annotations

from web.conftest import Caller
from web.tracked import EXPERIMENT, RUNS


def test_experiments_are_listed_without_anything_being_written(call: Caller, desk):
    before = desk.store.catalog.revision()
    page = call("/experiments")
    assert page.status_code == 200
    assert "3 runs in 1 experiment" in page.text
    assert "1 under way" in page.text
    assert f'href="/experiments/{EXPERIMENT}"' in page.text
    assert desk.store.catalog.revision() == before


def test_an_experiment_shows_its_runs_what_tells_them_apart_and_how_each_went(call: Caller):
    page = call(f"/experiments/{EXPERIMENT}").text
    assert "3 runs" in page
    assert ">depth<" in page.replace("<wbr>", "")
    assert "learning_rate" not in page.replace("<wbr>", "")  # the same in all of them
    assert page.count("<polyline") == 3
    assert "valid loss over 60 values" in page
    found = call(f"/experiments/{EXPERIMENT}?filter=metrics.auc+>+0.72&order=metrics.auc+DESC").text
    assert "2 runs of these" in found
    assert found.index(RUNS[2]) < found.index(RUNS[1])
    assert RUNS[0] not in found


def test_a_filter_that_is_none_is_refused_on_the_page(call: Caller):
    page = call(f"/experiments/{EXPERIMENT}?filter=metrics.auc+~+1")
    assert page.status_code == 400
    assert "can&#39;t be searched by" in page.text
    assert call("/experiments/none").status_code == 404


def test_a_run_shows_what_it_said_and_what_became_of_it(call: Caller):
    page = call(f"/runs/{RUNS[0]}").text
    for part in ("net-0", "learning_rate", "first try", "training/late", "model/MLmodel", "<polyline", "Done"):
        assert part in page.replace("<wbr>", ""), part
    assert "Registered as late-net version 1. It can&#39;t be served here: it is a pickle" in page
    assert "can&#39;t be served here" in call("/models").text


def test_what_clients_say_is_text_and_nothing_else(call: Caller, desk):
    desk.store.run_log.log(RUNS[0], parameters={"<b>x</b>": "<script>alert(1)</script>"}, tags={"t": '"><img src=x>'})
    page = call(f"/runs/{RUNS[0]}").text
    assert "<script>alert(1)" not in page
    assert "<img src=x>" not in page


def test_where_there_is_nothing_the_page_says_how_to_begin(call_empty: Caller):
    page = call_empty("/experiments").text
    assert "No run was logged yet" in page
    assert "MLFLOW_TRACKING_URI=http://127.0.0.1:8700" in page
