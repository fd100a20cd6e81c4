from msgspec.structs import replace

from drivetrain.core.clock import DAY
from drivetrain.monitor.alerting.lifecycle import Told
from drivetrain.monitor.alerting.message import paragraphs
from drivetrain.monitor.alerting.words import commands_of, meaning_of
from monitor.alerting.windows import alert, message

STILL = "table flights stood still: newest row is 3 days old."


def test_an_alert_says_everything_a_person_on_call_needs():
    full = replace(
        alert(message="late: the AUC fell to 0.6.", severity="critical", windows=2),
        meaning="For “Warn passengers early”: answers are worse.",
        cause=STILL,
        runbook="https://run.example/drift",
        commands=("drivetrain report late --since 2013-07-01 --until 2013-07-08", "drivetrain trace r-1"),
    )
    (text,) = paragraphs(message(Told(full, "opened")))
    assert text.splitlines() == [
        "CRITICAL: late: the AUC fell to 0.6.",
        "Broken since 2 January 1970, 2 windows.",
        "Means: For “Warn passengers early”: answers are worse.",
        f"Probably: {STILL}",
        "Do: https://run.example/drift",
        "More: drivetrain report late --since 2013-07-01 --until 2013-07-08",
        "More: drivetrain trace r-1",
        "Page: https://trains.example/alerts/a1",
    ]


def test_what_has_one_cause_is_told_together_and_the_cause_first():
    told = [
        Told(alert("a", severity="critical", rule="slow"), "opened"),
        Told(alert("b", cause=STILL, endpoint="early"), "opened"),
        Told(alert("c", cause=STILL), "opened"),
        Told(alert("d", state="resolved", rule="calibration"), "resolved"),
    ]
    found = message(*told)
    assert [one.alert.id for one in found.told] == ["b", "c", "a", "d"]
    assert found.shared == STILL
    assert found.severity == "critical"
    assert found.title == (
        "[flights] critical – opened: drift on early, drift on late and 1 more; ended: calibration on late"
    )
    first, *rest = paragraphs(found)
    assert first == f"Shared cause: {STILL}"
    assert not any("Probably" in text for text in rest)
    assert rest[-1] == "calibration on late ended: the rule is kept again."


def test_what_a_person_ended_is_told_with_the_reason():
    ended = alert(state="resolved", because="a known outage", by="ines")
    found = message(Told(ended, "resolved"))
    assert paragraphs(found) == ["drift on late ended by ines: a known outage."]
    assert found.severity == "info"
    assert found.title == "[flights] note – ended: drift on late"


def test_a_hundred_alerts_are_one_message_that_says_how_many_are_left():
    found = paragraphs(message(*(Told(alert(f"a{at}"), "opened") for at in range(100))))
    assert len(found) == 21
    assert found[-1].startswith("And 80 more")


def test_words_quote_what_a_shell_would_read():
    assert commands_of(alert(endpoint="a b"), 0, DAY // 2, "r;1") == (
        "drivetrain report 'a b' --since 1970-01-01 --until 1970-01-01T12:00:00Z",
        "drivetrain trace 'r;1'",
    )
    assert meaning_of("mine", "", "nobody is warned") == "Nobody is warned."
    assert "not known until labels come" in meaning_of("drift.weather.temp", "Warn.")
