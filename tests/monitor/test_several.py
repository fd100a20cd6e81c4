import numpy as np
import pytest

from drivetrain.core.clock import DAY
from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.monitor.against import Against
from drivetrain.monitor.drift import measure_drift
from drivetrain.monitor.reference import load, profile
from drivetrain.monitor.several import measure_several
from drivetrain.monitor.spec import Drift, Monitor
from drivetrain.monitor.statistics.statistic import STATISTICS
from drivetrain.monitor.window import Watched, assess
from monitor.world import SCHEMA, START, logs, stream

WEEKS = 20


@pytest.fixture(scope="module")
def steady():
    values, predictions, ats = stream(1, WEEKS + 1, 200, level=0.1)
    new = ats >= START + WEEKS * 7 * DAY
    reference = load(profile(values[~new], predictions[~new], ats[~new], SCHEMA))
    return reference, values[new], predictions[new], ats[new]


@pytest.mark.parametrize("statistic", STATISTICS)
def test_every_statistic_sees_what_moved_and_nothing_else(steady, statistic):
    reference, values, predictions, _ = steady
    settings = {"days": 7, "statistic": statistic, "effect": 0.05, "false_alarm": 0.15}
    assert not any(one.drifted for one in measure_drift(reference, values, predictions, **settings)[0])
    for column, change in [(1, 1.5), (1, np.nan), (6, np.nan)]:
        moved = values.copy()
        third = np.arange(len(moved)) % 3 == 0
        moved[third, column] = np.nan if np.isnan(change) else moved[third, column] + 3 * change
        found = measure_drift(reference, moved, predictions, **settings)[0]
        assert [one.feature for one in found if one.drifted] == [SCHEMA.names[column]], (column, change)


@pytest.mark.truth
@pytest.mark.parametrize("statistic", ["chi2", "hellinger", "tv", "wasserstein", "energy"])
def test_weeks_alike_cry_wolf_no_more_often_than_stated(statistic):
    wrong = 0
    for seed in range(20):
        values, predictions, ats = stream(seed, 21, 150)
        new = ats >= START + 20 * 7 * DAY
        reference = load(profile(values[~new], predictions[~new], ats[~new], SCHEMA))
        drift, output = measure_drift(
            reference, values[new], predictions[new], days=7, statistic=statistic, effect=0.0, false_alarm=0.15
        )
        wrong += output.drifted or any(one.drifted for one in drift)
    assert wrong <= 8  # of 20 at .15: with probability .999


def test_one_word_a_feature_and_all_that_each_says(steady):
    reference, values, predictions, _ = steady
    asked = Drift(also=["ks", "psi"], effect=0.05)
    assert asked.statistics == ("psi", "ks")
    drift, output, further = measure_several(reference, values, predictions, asked=asked, days=7)
    assert len({one.feature for one in drift}) == len(drift) == 8
    assert {one.statistic for one in (*drift, output)} == {"psi"}
    assert {(one.feature, one.statistic) for one in further} == {(name, "ks") for name in (*SCHEMA.names, "prediction")}
    alone = measure_several(reference, values, predictions, asked=Drift(effect=0.05), days=7)
    assert alone[2] == ()
    once = measure_drift(reference, values, predictions, days=7, statistic="psi", effect=0.05, false_alarm=0.075)
    assert {one.feature: one.threshold for one in drift} == {one.feature: one.threshold for one in once[0]}


def test_what_only_a_further_statistic_sees_is_said_by_it(steady):
    reference, values, predictions, _ = steady
    moved = values.copy()
    moved[:, 1] += 0.7
    drift, _, further = measure_several(reference, moved, predictions, asked=Drift(effect=9.0, also=["ks"]), days=7)
    assert (drift[0].feature, drift[0].statistic, drift[0].drifted) == ("x1", "ks", True)
    assert ("x1", "psi") in {(one.feature, one.statistic) for one in further}


def test_a_report_says_what_it_is_held_against(steady):
    reference, values, predictions, ats = steady
    moved = values.copy()
    moved[:, 1] += 2.0
    log, feedback = logs(moved, predictions, ats, np.zeros(len(ats)))

    def message(against):
        found = assess(
            log,
            feedback,
            monitor=Monitor(endpoint="late", performance=None, drift=Drift(also=["ks"])),
            watched=Watched(model="late", version=1, reference=reference, against=against),
            since=START + WEEKS * 7 * DAY,
            until=START + (WEEKS + 1) * 7 * DAY,
        )
        said = next(each.message for each in found.findings if each.rule == "drift")
        return found.report, said

    report, said = message(None)
    assert "unlike any 7 days v1 was trained on" in said
    assert report.against == "training"
    assert {one.statistic for one in report.further} == {"ks"}
    report, said = message(Against(reference, "trailing"))
    assert "unlike any 7 days that v1 answered just before" in said
    assert report.against == "trailing"
    report, said = message(Against(reference, "season"))
    assert "in this season of the years before" in said
    report, said = message(Against(reference, note="too few answers: held against its training rows"))
    assert said.endswith("(Too few answers: held against its training rows.)")
    assert report.against_note


def test_a_wrong_setting_is_named():
    with pytest.raises(UnknownName, match="no drift statistic is called 'mmd'"):
        Drift(also=["mmd"])
    with pytest.raises(ProjectError, match="unknown reference"):
        Drift(reference="yesterday")
