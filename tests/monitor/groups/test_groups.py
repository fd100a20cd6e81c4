"""Groups and segments of a window: the rates by hand, no cry where nothing changed, and one where something did."""

from __future__ import annotations

import msgspec
import numpy as np
import polars as pl
import pytest

from drivetrain.core.clock import DAY, HOUR
from drivetrain.core.errors import ProjectError, UnknownName
from drivetrain.core.records import Measure, MonitorReport, Task
from drivetrain.evaluate.bias.groups import Protected, groupings
from drivetrain.evaluate.bootstrap import Bootstrap, draw
from drivetrain.evaluate.fairness.rates import disparities
from drivetrain.evaluate.fairness.report import Answers as Judged
from drivetrain.evaluate.fairness.report import fairness_report
from drivetrain.evaluate.metrics.answers import Answers
from drivetrain.evaluate.report import Subject
from drivetrain.evaluate.slices import measure_slices
from drivetrain.monitor.groups.judging import groups_judged, judge_groups, judge_segments, segments_judged
from drivetrain.monitor.groups.rates import Said, Told, measure_groups
from drivetrain.monitor.groups.segments import measure_segments
from drivetrain.monitor.groups.spec import Fairness, Segments

SEX, REGION = Protected("sex"), Protected("region")
ASKED = Fairness(least=100)


def world(dice, *, days=7, a_day=300, turned=0.0, blind=0.0):
    """Answers by day, with luck of the day: one region is said yes to more often, and more where it has turned."""
    rows = days * a_day
    day = np.repeat(np.arange(days), a_day)
    south, woman = dice.random(rows) < 0.4, dice.random(rows) < 0.5
    chance = np.clip(dice.normal(0.3, 0.03, days)[day] + 0.1 * south, 0.02, 0.98)
    labels = (dice.random(rows) < chance).astype(float)
    said = np.clip(
        0.3 + 0.5 * (1 - blind * south) * (labels - chance) + 0.1 * south + turned * south + dice.normal(0, 0.15, rows),
        0,
        1,
    )
    columns = pl.DataFrame({"region": np.where(south, "south", "north"), "sex": np.where(woman, "w", "m")})
    return labels, said, day * DAY + 5 * HOUR, columns


def told(columns, **without):
    every = np.ones(columns.height, bool)
    known = {name: without.get(name, every) for name in columns.columns}
    return Told(columns=columns, known=known, origins=dict.fromkeys(columns.columns, "the request"), unknown={})


def evaluated(dice, **more):
    labels, said, ats, columns = world(dice, days=30, **more)
    subject = Subject(run_id="r", model="m", data="t")
    return fairness_report(
        Judged(predictions=said, labels=labels, ats=ats, threshold=0.45), columns, [SEX, REGION], subject=subject
    )


def seen_of(window, then=None, asked=ASKED, came=None, gates=None):
    labels, said, ats, columns = window
    labels = np.where(np.ones(len(labels), bool) if came is None else came, labels, np.nan)
    answers = Said(predictions=said, labels=labels, ats=ats, threshold=0.45)
    return measure_groups(answers, told(columns), [SEX, REGION], asked, then=then, gates=gates)


def report_of(seen, **more):
    return MonitorReport(
        at=0, endpoint="e", model="m", version=1, since=0, until=7 * DAY, predictions=2_100, groups=seen, **more
    )


def test_a_metric_of_segments_that_is_none_is_refused():
    with pytest.raises(UnknownName, match="acuracy"):
        Segments(metric="acuracy")
    assert Segments(metric="accuracy").metric == "accuracy"


@pytest.mark.parametrize("evaluated_as", [pl.Int64, pl.Float64])
def test_segments_of_whole_numbers_are_those_of_the_evaluation(evaluated_as):
    """A training set has integers, the log floats; evaluations of before named floats with a fraction."""
    labels, said, ats, columns = world(np.random.default_rng(3))
    floors = (columns["region"] == "south").cast(pl.Float64) + 2
    answers = Answers(labels, said, Task())
    frame = pl.DataFrame({"floor": floors.cast(evaluated_as)})
    then = measure_slices(answers, frame, draw(ats, Bootstrap()))
    assert {one.value for one in then} == {"2", "3"}
    old = tuple(msgspec.structs.replace(one, value=f"{one.value}.0") for one in then)
    for before in (then, old):
        seen = measure_segments(answers, ats, pl.DataFrame({"floor": floors}), metric="roc_auc", then=before)
        assert {one.value for one in seen} == {"2", "3"}
        assert all(one.then is not None for one in seen)


def test_declared_shares_find_whole_numbers_however_they_are_kept():
    sizes = {3: 0.4, 2.0: 0.5}
    for kind in (pl.Int64, pl.Float64):
        protected = Protected("floor", shares=sizes)
        [way] = groupings(pl.DataFrame({"floor": pl.Series([2, 2, 3], dtype=kind)}), [protected])
        assert dict(protected.shares) == {"3": 0.4, "2": 0.5}
        assert way.values == (("2",), ("3",))


def test_rates_are_those_of_counting_by_hand_whatever_has_come():
    labels, said, _, columns = window = world(np.random.default_rng(1))
    came = np.random.default_rng(2).random(len(labels)) < 0.5
    seen = seen_of(window, came=came)
    acted = said >= 0.45
    frame = columns.with_columns(acted=acted, label=labels, came=came)
    for group in seen.groups:
        mine = frame.filter(*(pl.col(name) == value for name, value in group.attributes.items()))
        known = mine.filter("came")
        assert (group.rows, group.selected) == (mine.height, mine["acted"].sum())
        assert group.rates["selection_rate"].value == pytest.approx(mine["acted"].mean())
        positives = known.filter(pl.col("label") == 1)
        assert group.rates["true_positive_rate"].value == pytest.approx(positives["acted"].mean())
        assert group.rates["true_positive_rate"].count == positives.height
        assert group.rates["base_rate"].value == pytest.approx(known["label"].mean())
    south = (columns["region"] == "south").to_numpy().astype(int)
    by_region = {each.metric: each.value.value for each in seen.disparities if each.attributes == ("region",)}
    every, labelled = disparities(labels, acted, south), disparities(labels[came], acted[came], south[came])
    assert by_region["demographic_parity_difference"] == pytest.approx(every["demographic_parity_difference"])
    assert by_region["equalized_odds_difference"] == pytest.approx(labelled["equalized_odds_difference"])
    assert seen.labelled == came.sum()


def test_without_labels_only_what_was_said_is_told():
    seen = seen_of(world(np.random.default_rng(3)), came=False)
    assert {each.metric for each in seen.disparities} == {"demographic_parity_difference"}
    assert all(set(group.rates) == {"selection_rate", "mean_prediction"} for group in seen.groups)
    report = report_of(seen)
    assert groups_judged("demographic_parity_difference", report, ASKED)
    assert not groups_judged("equalized_odds_difference", report, ASKED), "an alert on it stays as it is"


def test_small_groups_are_shown_nowhere_and_counted():
    labels, said, ats, columns = world(np.random.default_rng(4))
    few = columns.with_columns(
        region=pl.when(pl.int_range(pl.len()) % 30 == 0).then(pl.lit("rare")).otherwise("region")
    )
    seen = seen_of((labels, said, ats, few))
    assert "rare" not in repr(seen.groups) + repr(seen.disparities)
    assert seen.few == 70
    assert {group.name for group in seen.groups if tuple(group.attributes) == ("region",)} == {"north", "south"}


def test_rows_of_whom_nothing_is_known_are_in_no_figure():
    labels, said, ats, columns = world(np.random.default_rng(5))
    known = np.arange(len(labels)) % 4 > 0
    answers = Said(predictions=said, labels=labels, ats=ats, threshold=0.45)
    seen = measure_groups(answers, told(columns, region=known), [SEX, REGION], ASKED)
    assert seen.known == {"sex": 1.0, "region": pytest.approx(0.75)}
    assert sum(group.rows for group in seen.groups if tuple(group.attributes) == ("sex",)) == known.sum()
    nothing = measure_groups(
        answers, Told(columns=pl.DataFrame(), known={}, origins={}, unknown={"sex": "no"}), [SEX], ASKED
    )
    assert (nothing.groups, nothing.unknown) == ((), {"sex": "no"})


def test_no_cry_where_nothing_changed_and_one_where_a_group_has_turned():
    """Sixty weeks of each; a quarter of them may cry at most, were there no margin: with one, hardly any does."""
    dice = np.random.default_rng(6)
    then = evaluated(dice)
    strict = Fairness(wider=0.0)
    calm = sum(bool(judge_groups(report_of(seen_of(world(dice), then, strict)), strict)) for _ in range(60))
    assert calm <= 4, "5 % of windows, and the evaluation's own luck"
    turned = 0
    for _ in range(20):
        found = judge_groups(report_of(seen_of(world(dice, turned=0.3), then)), ASKED)
        turned += any(one.rule == "fairness.demographic_parity_difference" for one in found)
    assert turned >= 19


def test_a_finding_names_the_groups_their_rates_and_what_was_allowed():
    dice = np.random.default_rng(7)
    then = evaluated(dice)
    seen = seen_of(world(dice, turned=0.35), then)
    found = {one.rule: one for one in judge_groups(report_of(seen), ASKED)}
    message = found["fairness.demographic_parity_difference"].message
    assert "e: demographic parity difference by region is 0." in message
    assert "surely more than 0.1" in message
    assert "wider than the" in message
    assert "farthest apart are north (" in message
    assert "by share of the rows that are acted on. Too wide as well by sex × region." in message
    gated = seen_of(world(dice), then, gates={"demographic_parity_difference by region": 0.02})
    [one] = judge_groups(report_of(gated), Fairness(wider=None))
    assert "where 0.020 is allowed" in one.message
    assert judge_groups(report_of(seen_of(world(dice), then)), Fairness(wider=None)) == []
    ratio = Fairness(of=("demographic_parity_ratio",), limits={"demographic_parity_ratio": 0.8}, wider=None)
    assert (
        "demographic parity ratio by region"
        in judge_groups(report_of(seen_of(world(dice, turned=0.3), asked=ratio)), ratio)[0].message
    )
    assert judge_groups(report_of(None), ASKED) == []


@pytest.mark.parametrize(
    ("more", "error"),
    [({"of": ("luck",)}, UnknownName), ({"limits": {"equalized_odds_ratio": 2.0}}, ProjectError),
     ({"wider": -1.0}, ProjectError), ({"least": 0}, ProjectError)],
)  # fmt: skip
def test_a_rule_that_cannot_be_is_refused(more, error):
    with pytest.raises(error):
        Fairness(**more)


def segments_of(window, then):
    labels, said, ats, columns = window
    return measure_segments(Answers(labels, said, Task()), ats, columns.select("region"), metric="roc_auc", then=then)


def test_a_segment_that_fell_alone_is_told_and_a_calm_one_is_not():
    dice = np.random.default_rng(8)
    labels, said, ats, columns = world(dice, days=30)
    then = measure_slices(Answers(labels, said, Task()), columns.select("region"), draw(ats, Bootstrap()))
    whole = {"roc_auc": Measure(0.8, 0.7, 0.9, 100)}
    assert [one.value for one in segments_of(world(dice), then)] == ["north", "south"]
    calm = 0
    for _ in range(40):
        calm += bool(
            judge_segments(
                report_of(None, segments=segments_of(world(dice), then), performance=whole, reference=whole), 0.02
            )
        )
    assert calm <= 3
    fallen = report_of(None, segments=segments_of(world(dice, blind=1.0), then), performance=whole, reference=whole)
    [one] = judge_segments(fallen, 0.02)
    assert one.rule == "segment.roc_auc"
    assert "where region is south" in one.message
    assert "region is north" not in one.message
    worse = report_of(
        None, segments=fallen.segments, performance={"roc_auc": Measure(0.5, 0.49, 0.51, 9)}, reference=whole
    )
    assert judge_segments(worse, 0.02) == [], "the fall of the whole is told already"
    assert segments_judged("roc_auc", fallen, Segments(drop=0.02))
    assert not segments_judged("roc_auc", report_of(None), Segments(drop=0.02))
