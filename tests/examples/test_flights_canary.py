"""The canaries of the flights model, under real traffic of July 2013."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from unittest import mock

import pytest
from tests.loop.shop import free_port

from drivetrain.core.clock import micros_of
from drivetrain.core.records import Policy
from drivetrain.registry.aliases import current

FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"


@pytest.mark.slow
def test_the_worse_one_is_ended_and_the_better_one_becomes_champion(tmp_path):
    before = set(sys.modules)
    settings = {"DRIVETRAIN_SERVE__PORT": str(free_port()), "DRIVETRAIN_COMPUTE__THREADS": "1"}
    with mock.patch.object(sys, "path", [str(FLIGHTS), *sys.path]), mock.patch.dict(os.environ, settings):
        import canary  # noqa: PLC0415 - an example's folder is on the path only here

        try:
            project = canary.prepared(tmp_path / "flights")
            with canary.served(project):
                ended = canary.play(project, 2, micros_of(canary.START))
                assert "canary v2 is ended" in ended[-1].because
                assert "mean squared error lies +" in ended[-1].because
                assert current(project.store, "late")["champion"] == 1
                promoted = canary.play(project, 3, ended[-1].at)
            told = [one.because.split(":")[0] for one in promoted]
            assert told[1:] == ["canary v3 goes up to 50%", "canary v3 becomes champion"]
            assert current(project.store, "late")["champion"] == 3
            assert project.store.catalog.get(Policy, "late").mode == "champion"
            project.store.close()
        finally:
            for name in set(sys.modules) - before:
                if getattr(sys.modules[name], "__file__", None) and str(FLIGHTS) in str(sys.modules[name].__file__):
                    del sys.modules[name]
