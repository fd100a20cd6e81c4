"""Answers that the endpoint gives are explained in its log, as many as it is asked for."""

from __future__ import annotations

import numpy as np
import pytest

from drivetrain.core.records import Explanation
from drivetrain.serve.log.read import in_segments
from serve import world
from serve.fakes import door


class Additive(world.Sum):
    def explain(self, rows):
        given = np.nan_to_num(np.asarray(rows, dtype=np.float64))
        return np.column_stack([given, np.full(len(given), self.bias)])


@pytest.mark.parametrize(("share", "explained"), [(1.0, 20), (0.0, 0)])
def test_a_share_of_the_answers_is_explained_in_the_log(tmp_path, share, explained):
    store = world.make(tmp_path)
    load = lambda store, version: Additive(world.load(store, version).bias)  # noqa: E731 - a loader in one line
    with door(store, tmp_path / "log", plans=[world.PLAIN], load=load, explain_share=share) as ask:
        for at in range(20):
            body = {"instances": [world.instance(seats=at)], "request_id": f"r{at}"}
            assert ask.post("/v1/endpoints/plain/predict", body)[0] == 200
    logged = [one for one in in_segments(tmp_path / "log" / "plain", [b""]) if isinstance(one, Explanation)]
    assert len(logged) == explained
    assert {(one.request_id, one.contributions[0][2]) for one in logged} == {
        (f"r{at}", float(at)) for at in range(explained)
    }
