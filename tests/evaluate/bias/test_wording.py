"""What is said of a report: the widest first, and of several attributes only what no single one explains."""

from __future__ import annotations

from drivetrain.core.records import BiasGroup, BiasReport, Measure, MissingGap
from drivetrain.evaluate.bias.wording import findings


def group(gap: float | None, *, half: float = 0.02, missing: tuple[MissingGap, ...] = (), **values: str) -> BiasGroup:
    return BiasGroup(
        attributes=values,
        rows=500,
        share=Measure(0.1, 0.08, 0.12),
        rate=Measure(0.3, 0.28, 0.32),
        gap=None if gap is None else Measure(gap, gap - half, gap + half),
        missing=missing,
    )


def report(*groups: BiasGroup) -> BiasReport:
    return BiasReport(
        report_id="r", model="late", data="table:t@1", since=0, until=1, rows=5_000, unlabelled=0, positives=1_000,
        protected=("sex", "age"), block="day", least=100, level=0.95, groups=groups,
        compared={"label rate": 4, "missingness": 4, "representation": 0},
    )  # fmt: skip


def test_an_intersection_is_told_of_where_no_single_attribute_explains_it() -> None:
    told = findings(
        report(
            group(-0.1, sex="f"), group(0.01, age="old"), group(-0.2, sex="f", age="old"),
            group(0.2, sex="m", age="old"),
            group(0.15, sex="f", age="young"),
        )
    )  # fmt: skip
    assert told == [
        "sex f: 30 % positive, -10.0 points (-12.0 to -8.0) against the others.",
        "sex m, age old: 30 % positive, +20.0 points (+18.0 to +22.0) against the others.",
        "sex f, age young: 30 % positive, +15.0 points (+13.0 to +17.0) against the others.",
    ]


def test_nothing_is_said_to_differ_where_luck_explains_it() -> None:
    assert findings(report(group(0.01, sex="f"))) == [
        "No group's label rate differs from the others' by more than luck explains."
    ]


def test_what_is_left_is_counted_and_less_often_missing_is_no_finding() -> None:
    less, more = (MissingGap("_label", Measure(0.2), Measure(by, by - 0.01, by + 0.01)) for by in (-0.05, 0.05))
    told = findings(
        report(*(group(0.1 + at / 100, age=str(at)) for at in range(7)), group(None, sex="f", missing=(less, more)))
    )
    assert told[0].startswith("age 6: ")
    assert told[4] == "3 more groups have another label rate than the others."
    assert told[5:] == ["sex f: the label is missing in 20 %, +5.0 points (+4.0 to +6.0) against the others."]
