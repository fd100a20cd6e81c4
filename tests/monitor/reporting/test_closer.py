"""Sentences on worth, groups and reasons, and their places in the report."""

from __future__ import annotations

import json

from drivetrain.core.records import WorthSeen
from drivetrain.monitor.reporting.closer import closer_sentences
from drivetrain.monitor.reporting.page import to_html, to_json
from monitor.alerting.windows import report
from monitor.reporting.test_page import account
from web.closely import closely


def test_the_newest_window_that_tells_is_told():
    known, unknown = report(1, **closely(23)), report(2)
    said = closer_sentences([known, unknown])
    assert said == [
        "Saved of 1,000 answers was 4,210 EUR [3,600, 4,820], 4,900 EUR [4,700, 5,100] when v1 was evaluated.",
        "Groups lie farthest apart by flight.origin: demographic parity difference 0.110 [0.050, 0.170], between LGA "
        "and EWR.",
        "18 % of what moves the answers is another feature's than when evaluated, more than chance explains.",
    ]
    assert closer_sentences([unknown]) == []
    nothing = report(3, worth=WorthSeen(name="saved", unit="EUR", per=1_000, note="no label has come"))
    assert closer_sentences([nothing]) == ["What saved answers brought is not known: no label has come."]


def test_the_page_and_its_json_hold_every_part():
    made = account(windows=(report(1), report(2, **closely(25))))
    page = to_html(made)
    for heading in (
        "Protected groups in",
        "Segments in",
        "What moved the answers in",
        "Canary canary-v3@2013-12-20 in",
    ):
        assert heading in page
    assert "at most 1 % left to others; at most 5 % slower than 50ms" in page
    [_, last] = json.loads(to_json(made))["windows"]
    assert last["worth"]["now"]["value"] == 4_210.0
    assert last["experiments"][0]["arms"][0]["failed"] == 0.003
    assert last["groups"]["limits"] == {"demographic_parity_difference by flight.origin": 0.15}
    plain = to_html(account(windows=(report(1),)))
    assert "Protected groups" not in plain
