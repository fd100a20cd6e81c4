"""Chapters say what happened, in the order in which one brought about the next, and say plainly what did not."""

from __future__ import annotations

from unittest import mock

import msgspec
import pytest

from drivetrain.core.clock import DAY, WEEK
from drivetrain.core.records import Contribution, Estimation, Measure, Segment, Why
from drivetrain.monitor.reporting import chapter
from drivetrain.monitor.reporting.page import to_html
from drivetrain.monitor.reporting.story import Story, tell
from drivetrain.monitor.reporting.timeline import drawing
from monitor.reporting.happened import account, asked, decided, drifted, left, raised, week

FELL = Measure(0.6, 0.55, 0.65, 900)
WHY = Why(
    metric="roc_auc",
    worse=Measure(0.2, 0.15, 0.25, 900),
    inputs=Measure(0.05, 0.03, 0.07, 900),
    concept=Measure(0.15, 0.1, 0.2, 900),
    features=(Contribution("weather.temp", 0.04), Contribution("plane.age", -0.01)),
    segments=(Segment(where="carrier is EV", share=0.16, count=150, now=0.9, then=0.5, worse=Measure(0.4, 0.2, 0.6)),),
    upstream=("weather.temp comes from table weather: the contract refused 31 % of its rows",),
)


def chain(end: str) -> Story:
    """Drift, an estimated fall, a real fall with its cause, a retraining, a shadow, and what became of it."""
    windows = [
        week(0),
        drifted(1),
        drifted(2, estimated={"roc_auc": FELL}),
        drifted(3, performance={"roc_auc": FELL}, why=WHY),
        week(4, shadow={"shadow v2": {"roc_auc": Measure(0.81, 0.78, 0.84, 990)}}),
        week(5),
    ]
    alerts = [
        raised("drift", 1, ended=4),
        raised("estimated.roc_auc", 2, ended=4),
        raised("performance.roc_auc", 3, ended=4, severity="critical"),
    ]
    decisions = [
        decided("promote", 0, 1, "v1 is the first version to pass its gates."),
        asked(28, *(one.id for one in alerts)),
        decided("register", 28, 2, "3 of 3 gates passed"),
        decided("shadow", 28, 2),
        decided(end, 42, 2, "After 14 days in the shadow of v1, on 900 labelled requests: it led by 0.1."),
    ]
    if end == "refuse":
        decisions.append(left(42, 2))
    return tell(account(windows, alerts, decisions))


def said(story: Story, place: int = -1) -> dict[str, str]:
    return {one.kind: one.words for one in story.chapters[place].steps}


def test_the_whole_chain_is_one_chapter_that_names_figures_dates_and_cause():
    story = chain("promote")
    first, second = story.chapters
    assert (first.title, first.outcome, len(first.steps)) == ("v1 was promoted", "released", 1)
    assert second.title == "Drift, an estimated fall and a fall on labels: v2 was promoted"
    assert (second.since, second.until, second.tone, second.version) == (14 * DAY, 42 * DAY, "good", 2)
    assert [(one.kind, one.happened, one.at // DAY) for one in second.steps] == [
        ("drift", True, 14), ("estimated", True, 21), ("real", True, 28), ("cause", True, 28), ("retrain", True, 28),
        ("shadow", True, 28), ("end", True, 42),
    ]  # fmt: skip
    assert said(story) == {
        "drift": "On 8–14 January 1970 1 of 2 features had drifted, weather.temp furthest (psi 0.500, 2.5 times its "
        "threshold).",
        "estimated": "ROC AUC was estimated to have fallen to 0.600 [0.550, 0.650] on 15–21 January 1970, from 0.800 "
        "[0.780, 0.820] when v1 was evaluated.",
        "real": "ROC AUC fell to 0.600 [0.550, 0.650] on 900 labels of 22–28 January 1970, from 0.800 [0.780, 0.820] "
        "when v1 was evaluated.",
        "cause": "Of 0.200 by which ROC AUC was worse on 22–28 January 1970, +0.050 [+0.030, +0.070] came from inputs "
        "unlike the evaluation's, above all weather.temp (+0.040), +0.150 [+0.100, +0.200] from labels that follow "
        "like inputs otherwise; worst hit were rows where carrier is EV (16 % of them): mean loss 0.900, 0.500 then; "
        "upstream, weather.temp comes from table weather: the contract refused 31 % of its rows.",
        "retrain": "Retraining began, as 3 alerts were open: drift, estimated.roc_auc, performance.roc_auc; v2 came of "
        "it (3 of 3 gates passed).",
        "shadow": "v2 passed its gates and answered in the shadow of v1 until 12 February 1970; on 29 January – 4 "
        "February 1970 its ROC AUC was 0.810 [0.780, 0.840], and v1's 0.790 [0.750, 0.830].",
        "end": "v2 was promoted: After 14 days in the shadow of v1, on 900 labelled requests: it led by 0.1.",
    }


def test_a_refusal_says_that_the_champion_stayed():
    story = chain("refuse")
    assert len(story.chapters) == 2, "that the shadow was taken away is no chapter of its own"
    assert (story.chapters[1].outcome, story.chapters[1].tone) == ("refused", "bad")
    assert said(story)["end"].startswith("v2 was refused, and the champion stayed, v1: After 14 days")


def test_what_did_not_happen_is_said_plainly():
    alert = raised("drift", 1)
    decisions = [asked(14, alert.id), decided("refuse", 14, None, "Nothing changed since the last training; it stays.")]
    story = tell(account([week(0), drifted(1)], [alert], decisions))
    assert story.chapters[0].title == "Drift: nothing came of the training"
    assert [one.kind for one in story.chapters[0].steps if not one.happened] == ["estimated", "real", "cause", "shadow"]
    words = said(story)
    assert words["estimated"].startswith("No sure fall was estimated: ROC AUC was estimated at 0.800 [0.760, 0.840]")
    assert words["real"].startswith("Labels showed no sure fall: on 50 % of the labels ROC AUC was 0.790")
    assert words["cause"] == "Nothing fell, so there is no cause to name."
    assert words["shadow"] == "No version answered in the shadow."
    assert words["end"] == (
        "Nothing came of it, and the champion stayed, v1: Nothing changed since the last training; it stays."
    )


def test_an_estimate_that_labels_do_not_confirm_and_a_cause_that_is_not_known():
    fell = week(1, estimated={"roc_auc": FELL}, drift=())
    story = tell(account([week(0), fell], [raised("estimated.roc_auc", 1)]))
    words = said(story)
    assert words["drift"] == "Drift was not measured."
    assert words["real"].startswith("Labels did not confirm it: on 50 % of the labels ROC AUC was 0.790")
    assert words["cause"] == "No cause of the fall is on record."
    assert (words["retrain"], words["end"]) == ("No retraining began.", "Nothing was decided yet: v1 answers.")
    assert (story.chapters[0].outcome, story.chapters[0].until) == ("open", None)
    unlabelled = tell(account([msgspec.structs.replace(fell, performance={})], [raised("estimated.roc_auc", 1)]))
    assert said(unlabelled)["real"] == "No label was known yet."


def test_a_window_without_an_estimate_says_why_there_is_none():
    few = drifted(1, estimated={}, estimation=Estimation(refused="not estimated: 90 predictions, 200 are needed"))
    assert said(tell(account([few], [raised("drift", 1)])))["estimated"] == (
        "Nothing was estimated before labels came: 90 predictions, 200 are needed."
    )
    assert said(tell(account([drifted(1, estimated={})], [raised("drift", 1)])))["estimated"] == (
        "Nothing was estimated before labels came."
    )


def test_a_sure_fall_that_no_alert_was_raised_on_is_told_all_the_same_and_begins_nothing():
    rates = {"average_precision_at_reference_rate": Measure(0.5, 0.45, 0.55, 900)}
    slight = drifted(1, estimated={"roc_auc": Measure(0.74, 0.72, 0.76, 2000)} | rates)
    story = tell(account([week(0), slight], [raised("drift", 1)]))
    words = said(story)
    assert words["estimated"] == (
        "ROC AUC was estimated to have fallen to 0.740 [0.720, 0.760] on 8–14 January 1970, from 0.800 [0.780, 0.820] "
        "when v1 was evaluated; no alert was raised on that."
    )
    assert words["real"].startswith("Labels did not confirm it: on 50 % of the labels ROC AUC was 0.790")
    assert words["cause"] == "No cause was looked for, as no alert was raised on the fall."
    assert story.chapters[0].title == "Drift: still open"
    within = drifted(1, estimated={"roc_auc": Measure(0.78, 0.75, 0.81, 2000)})
    assert said(tell(account([within], [raised("drift", 1)])))["estimated"].startswith("No sure fall was estimated")
    lower = drifted(1, performance={"average_precision": Measure(0.3, 0.28, 0.32, 900)} | rates, estimated={},
                    reference={"average_precision": Measure(0.6, 0.58, 0.62, 9000)})  # fmt: skip
    told = tell(account([lower], [raised("drift", 1)], metric="average_precision"))
    assert said(told)["real"].startswith(
        "Average precision fell to 0.300 [0.280, 0.320] (0.500 [0.450, 0.550] at the base rate of then) on 900 labels"
    )


def test_what_came_after_the_training_is_no_reason_for_it():
    alerts = [raised("drift", 1), raised("performance.roc_auc", 3)]
    windows = [drifted(1), week(2), week(3, performance={"roc_auc": FELL})]
    decisions = [asked(14, "drift-1"), decided("shadow", 14, 2), decided("promote", 28, 2)]
    (chapter,) = tell(account(windows, alerts, decisions)).chapters
    assert chapter.title == "Drift: v2 was promoted"
    assert [one.kind for one in chapter.steps] == ["drift", "estimated", "retrain", "shadow", "real", "cause", "end"]


def test_why_and_causes_are_named_as_they_are_on_record():
    fell = week(1, performance={"roc_auc": FELL})
    apart = "the parts can't be told apart: the window's inputs are unlike the evaluation's: 90 rows are left"
    refused = Why(metric="roc_auc", worse=Measure(0.2), refused=apart)
    told = tell(account([msgspec.structs.replace(fell, why=refused)], [raised("performance.roc_auc", 1)]))
    assert said(told)["cause"] == (
        "How much of what ROC AUC lost on 8–14 January 1970 comes from inputs can't be told, as the window's inputs "
        "are unlike the evaluation's."
    )
    cause = "table weather stood still: its newest row is 3 days old."
    told = tell(account([fell], [raised("performance.roc_auc", 1, cause=cause)]))
    assert said(told)["cause"] == "Probably table weather stood still: its newest row is 3 days old."


def test_inputs_that_are_broken_are_told_and_are_the_likely_cause_of_a_fall():
    fell = week(1, performance={"roc_auc": FELL})
    broken = raised("inputs", 1, message="late: on 8 January 1970, 1 of 2 inputs is broken. Mend it.")
    words = said(tell(account([fell], [broken, raised("performance.roc_auc", 1)])))
    assert words["also"] == "On 8 January 1970, 1 of 2 inputs is broken."
    assert words["cause"] == "Probably because on 8 January 1970, 1 of 2 inputs is broken."
    assert said(tell(account([week(1)], [broken])))["cause"] == "Nothing fell, so there is no cause to name."


def test_alerts_for_the_record_begin_no_chapter_but_are_told_in_one():
    note = raised("drift", 0, severity="info")
    assert tell(account([drifted(0)], [note])).chapters == ()
    fell = week(2, performance={"roc_auc": FELL}, drift=drifted(2).drift)
    (chapter,) = tell(account([drifted(0), fell], [note, raised("performance.roc_auc", 2)])).chapters
    assert chapter.since == 3 * WEEK
    assert chapter.title == "A fall on labels: still open"
    words = chapter.steps[0].words
    assert words.startswith("An alert of 8 January 1970 stood, and is open still: on 15–21 January 1970 1 of 2")
    assert words.endswith("that is a note and no alarm, as little of the model rests on it.")


def test_alarms_that_ended_by_themselves_are_a_chapter_unless_they_flap():
    windows = [week(number) for number in range(12)]
    alerts = [raised("latency", 1, ended=2), raised("latency", 8)]
    first, second = tell(account(windows, alerts)).chapters
    assert (first.outcome, first.until, first.title) == (
        "ended",
        3 * WEEK,
        "Other alerts: the alerts ended by themselves",
    )
    assert first.steps[-1].words == "Nothing was decided, as the alerts ended, the last on 22 January 1970: v1 answers."
    assert [one.words for one in first.steps if one.kind == "also"] == ["Latency broke."]
    assert (second.since, second.outcome) == (9 * WEEK, "open")
    (flapped,) = tell(account(windows, [raised("latency", 1, ended=2), raised("latency", 4)])).chapters
    assert (flapped.since, flapped.outcome) == (2 * WEEK, "open")
    (alone,) = tell(account(windows, alerts[:1])).chapters
    assert (alone.outcome, alone.until) == ("ended", 3 * WEEK)


@pytest.mark.parametrize(
    ("decisions", "title", "outcome", "words"),
    [
        ([decided("rollback", 9, 1, "v2 is slow", actor="ada")], "back to v1", "rolled back",
         "Rolled back to v1 by ada: v2 is slow."),
        ([decided("wait", 9, 2)], "a version waits for approval", "waits",
         "v2 waits for a person's approval: v1 answers."),
        ([decided("wait", 9, 2), decided("approve", 10, 2), decided("promote", 10, 2, actor="ada")],
         "v2 was promoted", "released", "v2 was promoted by ada: for a reason."),
        ([decided("retrain", 9, evidence='{"every": "30d"}'), decided("promote", 9, 2)],
         "A retraining by schedule: v2 was promoted", "promoted", "v2 was promoted: for a reason."),
        ([decided("retrain", 9), decided("register", 9, 2), decided("shadow", 9, 2)],
         "A retraining: a new version is in the shadow", "open", "Nothing was decided yet: v1 answers."),
        ([decided("retrain", 9, evidence='{"forgetting": "f1"}'), decided("promote", 9, 2)],
         "A retraining after a subject was forgotten: v2 was promoted", "promoted", "v2 was promoted: for a reason."),
        ([decided("wait", 9, 2), decided("approve", 10, 2, actor="ada"), decided("shadow", 10, 2)],
         "a new version is in the shadow", "open", "Nothing was decided yet: v1 answers."),
        ([decided("shadow", 8, 2), decided("wait", 9, 3), left(10, 2)],
         "a version waits for approval", "waits", "v3 waits for a person's approval: v1 answers."),
        ([decided("wait", 9, 2), decided("retrain", 10)],
         "A retraining: retraining", "open", "Nothing was decided yet: v1 answers."),
    ],
)  # fmt: skip
def test_decisions_without_alerts_are_chapters_too(decisions, title, outcome, words):
    (chapter,) = tell(account([week(0), week(1)], decisions=decisions)).chapters
    assert (chapter.title, chapter.outcome, chapter.steps[-1].words) == (title, outcome, words)


def test_a_schedule_and_reasons_that_nobody_noted_are_told():
    windows = [week(0), week(1)]
    by_time = tell(account(windows, decisions=[decided("retrain", 14, evidence='{"every": "30d"}')]))
    assert said(by_time)["retrain"] == "Retraining began, as the schedule asks for a new version every 30d."
    assert said(by_time)["shadow"] == "No version answered in the shadow yet."
    odd = tell(account(windows, decisions=[decided("retrain", 14, because="Ada asked. Twice.", evidence="[")]))
    assert said(odd)["retrain"] == "Retraining began, as Ada asked."
    at_once = tell(account(windows, [raised("drift", 0)], [asked(7, "drift-0"), decided("promote", 7, 2)]))
    assert said(at_once)["shadow"] == "No version answered in the shadow: the new one answers at once."


def test_an_alarm_that_ended_after_the_last_window_has_ended_unless_the_time_asked_for_ends_before():
    windows = [week(0), week(1)]
    ended = raised("latency", 1, state="resolved", resolved=15 * DAY, by="ada", because="A test of ours.")
    (chapter,) = tell(account(windows, [ended], closing=20 * DAY)).chapters
    assert (chapter.outcome, chapter.until) == ("ended", 15 * DAY)
    assert chapter.title == "Other alerts: the alerts were ended by a person"
    assert (
        chapter.steps[-1].words == "Nothing was decided, as the alerts ended, the last on 16 January 1970: v1 answers."
    )
    (open_then,) = tell(account(windows, [ended], closing=14 * DAY)).chapters
    assert (open_then.outcome, open_then.until) == ("open", None)


def test_a_thousand_chapters_are_told_as_few_are_and_pages_show_the_newest():
    windows = [week(number) for number in range(1500)]
    alerts = [raised("latency", number, ended=number + 1) for number in range(0, 1500, 6)]
    alerts.append(raised("inputs", 0, severity="info", ended=800))
    decisions = [decided("promote", 7 * number, number) for number in range(3, 1500, 6)]
    with mock.patch.object(chapter, "moved", wraps=chapter.moved) as ordered:
        chapters = chapter.chapters_of(account(windows, alerts, decisions))
    assert ordered.call_count == 1, "decisions are put in order once, not once a chapter"
    assert len(chapters) == 250
    for place, one in enumerate(chapters):
        assert one.champion == (6 * place - 3 if place else 1)
        assert [each.rule for each in one.alerts] == (["inputs", "latency"] if not place else ["latency"])
        assert [each.rule for each in one.standing] == (["inputs"] if 0 < 6 * place < 800 else [])
        assert [each.until // WEEK for each in one.windows] == [6 * place + 1, 6 * place + 2, 6 * place + 3]
    made = account(windows, alerts, decisions)
    story = tell(made)
    assert (len(story.chapters), len(story.newest), story.newest[-1].number) == (250, 60, 250)
    assert story.earlier.startswith("190 more chapters came before these; ")
    text = to_html(made)
    assert text.count('class="chapter-of"') == 60
    assert story.earlier in text
    assert drawing(story).count('class="chapter"') == 60
    assert chain("promote").earlier == ""
    assert "more chapter" not in to_html(account(windows[:2], alerts[:1]))


def test_a_long_reason_is_told_by_its_first_sentence():
    because = "v2 is the first. " + "Yes: it is good. " * 40
    assert said(tell(account(decisions=[decided("promote", 1, 2, because)])))["end"] == (
        "v2 was promoted: v2 is the first."
    )


def test_nothing_is_no_story_and_json_is_exact():
    empty = tell(account())
    assert empty.chapters == ()
    whole = chain("promote")
    assert msgspec.json.decode(msgspec.json.encode(whole), type=Story) == whole
