"""A model of the flights that is leaky, biased, slower or worse is refused by name, and the champion stays."""

from __future__ import annotations

import shutil
import sys
from pathlib import Path

import pytest
from tests.loop.shop import edit

from drivetrain.core.clock import micros_of
from drivetrain.core.errors import TrainingError
from drivetrain.core.records import Decision, Run
from drivetrain.loop.project import Project
from drivetrain.registry.aliases import current

pytestmark = pytest.mark.slow
FLIGHTS = Path(__file__).parents[2] / "examples" / "flights"
SPRING = "2013-04-01"
TRAINER = "trainer=dt.LightGBM(learning_rate=0.15),"
SMALL = "trainer=dt.LightGBM(num_iterations=30, num_leaves=15, learning_rate=0.15),"
CHANGES = {
    "leaky": [('"distance": "float",\n', '"distance": "float",\n        "air_time": "float",\n'),
              ('        pl.col("distance"),\n', '        pl.col("distance"),\n        pl.col("air_time"),\n')],
    "biased": [('slices=["schedule.carrier", "schedule.origin"],',
                'slices=["schedule.carrier", "schedule.origin"],\n    protected=["schedule.origin"],'),
               ("gates=[\n", "gates=[\n        dt.Gate.fairness('demographic_parity_difference', at_most=0.001),\n")],
    "slower": [(SMALL, "trainer=dt.LightGBM(num_iterations=400, num_leaves=127, min_data_in_leaf=5),"),
               ("gates=[\n", "gates=[\n        dt.Gate.latency(times_champion=2.0),\n")],
    "worse": [(SMALL, "trainer=dt.LightGBM(num_iterations=1, num_leaves=2),")],
}  # fmt: skip

WORDS = {
    "biased": "demographic parity difference",
    "slower": "times that of champion v1",
    "worse": "of champion v1 on the same rows",
}


@pytest.fixture(scope="module")
def spring(tmp_path_factory):
    """The project with a small champion, made of the first three months."""
    folder = tmp_path_factory.mktemp("flights") / "flights"
    shutil.copytree(FLIGHTS, folder, ignore=shutil.ignore_patterns(".drivetrain", "raw", "__pycache__"))
    edit(folder, TRAINER, SMALL)
    edit(folder, "    tune=dt.Tune(trials=3, rows=30_000),\n", "")
    edit(folder, '        "logistic regression": dt.Sklearn("logistic_regression"),\n', "")
    edit(folder, 'split=dt.TimeSplit(test="30d", valid="28d")', 'split=dt.TimeSplit(test="20d", valid="14d")')
    project = Project.load(folder)
    sys.modules["world"].lay_out(folder / "raw", micros_of(SPRING))
    assert project.run(at=SPRING).refused == ()
    project.store.close()
    yield folder
    for name in ("project", "world", "cleaning", "contracts"):
        sys.modules.pop(name, None)


@pytest.mark.parametrize("how", CHANGES)
def test_it_is_refused_by_name(spring, tmp_path, how):
    folder = shutil.copytree(spring, tmp_path / "flights")
    for old, new in CHANGES[how]:
        edit(folder, old, new)
    project = Project.load(folder)
    try:
        if how == "leaky":
            with pytest.raises(TrainingError, match=r"schedule\.air_time leaks"):
                project.run(at=SPRING)
            assert project.store.catalog.find(Run, "late")[0].status == "failed"
        else:
            assert WORDS[how] in " ".join(project.run(at=SPRING).refused)
            decided = project.store.catalog.find(Decision, "late")
            assert [one.version for one in decided if one.what == "refuse"] == [2]
        assert current(project.store, "late")["champion"] == 1
    finally:
        project.store.close()
