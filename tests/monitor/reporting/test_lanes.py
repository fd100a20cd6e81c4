"""Every lane holds what is on record, where it is, and nothing else."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import DAY, WEEK
from drivetrain.core.records import FeatureDrift, Measure
from drivetrain.monitor.alerting.rule import RESERVED
from drivetrain.monitor.reporting.lanes import Reign, family_of, lanes, moved
from monitor.alerting.windows import alert
from monitor.reporting.happened import THEN, account, asked, decided, drifted, left, raised, week


def test_drift_is_told_by_its_furthest_feature_in_multiples_of_its_threshold():
    far = FeatureDrift("prediction", "psi", 0.4, 0.2, True, 0.0, 0.0, 2000)
    found = lanes(account([week(0), drifted(1, output=far), week(2, drift=())])).drift
    assert [(one.drifted, one.features, one.furthest, round(one.ratio, 6), one.outputs) for one in found] == [
        (0, 2, "weather.temp", 0.5, False),
        (1, 2, "weather.temp", 2.5, True),
    ], "a window in which drift was not measured has no bar"


def test_estimates_stand_beside_labels_and_the_evaluation_and_what_is_lacking_is_none():
    windows = [week(0), week(1, estimated={}), week(2, performance={}), week(3, performance={}, estimated={})]
    found = lanes(account(windows)).figures
    assert [(one.since // WEEK, one.estimated is None, one.real is None) for one in found] == [
        (0, False, False),
        (1, True, False),
        (2, False, True),
    ]
    assert {one.evaluated for one in found} == {THEN}
    assert lanes(account(windows, metric="")).figures == ()


def test_alerts_are_bars_by_family_from_opened_to_ended_and_what_never_opened_is_none():
    bars = lanes(
        account(
            [week(0), week(5)],
            [
                raised("slow trains", 0),
                raised("performance.roc_auc", 2, severity="critical"),
                raised("drift", 1, ended=3),
                raised("drift", 0, state="passed"),
                raised("latency", 1, state="pending"),
            ],
        )
    ).alerts
    assert [(one.family, one.severity, one.since // WEEK, one.until and one.until // WEEK) for one in bars] == [
        ("drift", "warning", 2, 4),
        ("performance", "critical", 3, None),
        ("own", "warning", 1, None),
    ]
    assert family_of("estimated.gap") == "estimated"
    for family in RESERVED:
        assert family_of(f"{family}.x") == family, "what every monitor has is no rule of the project's own"


def test_versions_answer_from_the_decision_on_even_within_a_window():
    windows = [week(0), week(1), week(2, version=2), week(3, version=1)]
    decisions = [decided("promote", 16, 2), decided("rollback", 21, 1)]
    assert lanes(account(windows, decisions=decisions)).answered == (
        Reign(1, 0, 16 * DAY),
        Reign(2, 16 * DAY, 21 * DAY),
        Reign(1, 21 * DAY, 28 * DAY),
    )
    assert lanes(account(windows)).answered[1] == Reign(2, 14 * DAY, 21 * DAY), "windows alone know it by the week"


def test_what_came_since_the_last_window_has_room_and_what_is_far_off_has_not():
    windows = [week(0), week(1)]
    found = lanes(account(windows, [raised("latency", 1, at=16 * DAY)], [decided("promote", 17, 2)]))
    assert found.until == 17 * DAY
    assert found.answered == (Reign(1, 0, 17 * DAY), Reign(2, 17 * DAY, None))
    far = lanes(account(windows, decisions=[decided("promote", 5000, 2)]))
    assert (far.until, far.answered[-1]) == (14 * DAY, Reign(2, 5000 * DAY, None))


def test_a_shadow_lasts_until_it_is_promoted_refused_taken_away_or_followed_by_another():
    begun = [decided("shadow", 2, 2)]
    assert lanes(account(decisions=begun)).shadows == (Reign(2, 2 * DAY, None),)
    assert lanes(account(decisions=[*begun, decided("promote", 5, 2)])).shadows == (Reign(2, 2 * DAY, 5 * DAY),)
    refused = [*begun, decided("refuse", 5, 2), left(5, 2)]
    assert lanes(account(decisions=refused)).shadows == (Reign(2, 2 * DAY, 5 * DAY),)
    assert lanes(account(decisions=[*begun, left(6, 2)])).shadows == (Reign(2, 2 * DAY, 6 * DAY),)
    followed = lanes(account(decisions=[*begun, decided("shadow", 4, 3)])).shadows
    assert followed == (Reign(2, 2 * DAY, 4 * DAY), Reign(3, 4 * DAY, None))
    earlier = week(0, shadow={"shadow v2": {"roc_auc": Measure(0.7)}})
    assert lanes(account([earlier], decisions=[decided("promote", 5, 2)])).shadows == (Reign(2, None, 5 * DAY),)
    assert lanes(account([week(0)], decisions=[decided("promote", 5, 2)])).shadows == ()


def test_marks_are_decisions_on_versions_in_the_order_in_which_they_follow_from_each_other():
    made = [
        decided("shadow", 9, 3),
        decided("register", 9, 3),
        asked(9),
        decided("refuse", 9, 2),
        left(9, 2),
        decided("shadow", 2, 2),
        decided("ingest", 9),
        decided("alert", 9),
    ]
    order = [("shadow", 2), ("refuse", 2), ("retrain", None), ("register", 3), ("shadow", 3)]
    marks = lanes(account(decisions=made)).marks
    assert [(one.what, one.version) for one in marks] == order, "the shadow that ends makes room for the training"
    assert len(moved(made)) == 6
    odd = decided("shadow", 3, 2, evidence="no json")
    assert [one.version for one in lanes(account(decisions=[odd])).shadows] == [2]


def test_lanes_are_exact_in_json():
    found = lanes(account([drifted(0)], [raised("drift", 0)], [decided("promote", 7, 1)]))
    assert msgspec.json.decode(msgspec.json.encode(found), type=type(found)) == found
    assert lanes(account(alerts=[alert(state="pending")])).alerts == ()
