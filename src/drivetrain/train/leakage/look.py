"""Every check, over one training set; and the refusal of what they find."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from types import MappingProxyType

import polars as pl

from drivetrain.core.errors import TrainingError
from drivetrain.core.records.run import LeakageFinding, Severity
from drivetrain.train.leakage.alone import too_good_alone
from drivetrain.train.leakage.duplicates import duplicates
from drivetrain.train.leakage.fitted import fitted_on_test, target_encoding
from drivetrain.train.leakage.found import Found
from drivetrain.train.leakage.ids import id_like
from drivetrain.train.leakage.leakage import Leakage
from drivetrain.train.leakage.nulls import known_with_the_label, nulls_tell
from drivetrain.train.leakage.parts import in_two_parts, train_after_test
from drivetrain.train.leakage.recent import missing_when_recent, relation_breaks, tells_when_the_label_comes
from drivetrain.train.leakage.subject import Subject
from drivetrain.train.leakage.target import target
from drivetrain.train.rows import Lesson, TrainingRows


def look_for_leaks(
    frame: pl.DataFrame,
    data: TrainingRows,
    *,
    groups: Sequence[str] = (),
    lesson: Lesson | None = None,
    claims: Mapping[str, str] = MappingProxyType({}),
    rules: Leakage = Leakage(),
) -> tuple[LeakageFinding, ...]:
    """Looks for leaks in a training set before anything is fitted to it; nothing is learned from rows that judge.

    Args:
        frame: The training set, rows without a label among them.
        data: The same, cut and encoded.
        groups: Columns that the split was to keep together.
        lesson: What was learned from the rows that teach; learned here if not given.
        claims: View → a sentence, for those that read rows earlier than their table has them.
        rules: What is looked at, and what is done about what is found.

    Returns:
        What was found, what is refused first. Of a feature that is certain to leak, nothing more is told.
    """
    subject = Subject(frame, data, rules)
    found = list(_rows(subject, groups, data.lesson() if lesson is None else lesson))
    found += [Found("read too early", view, said) for view, said in claims.items()]
    if data.labels.ndim == 1:
        found += _features(subject)
    gone = {one.feature for one in found if one.certain and one.feature}
    kept = [one for one in found if one.certain or one.feature not in gone]
    told = [
        LeakageFinding(
            check=one.check,
            feature=one.feature,
            severity=_severity(one, rules),
            evidence=one.evidence,
            figure=one.figure,
        )
        for one in kept
    ]
    return tuple(sorted(told, key=lambda one: ("refused", "warned", "allowed").index(one.severity)))


def in_short(findings: Sequence[LeakageFinding]) -> str:
    """What was found, for a line of progress.

    Example:
        >>> in_short([LeakageFinding(check="id-like", feature="f.row", severity="warned", evidence="f.row names rows")])
        'warned of f.row (id-like)'
        >>> in_short([])
        'none found'
    """
    words = {"refused": "refused", "warned": "warned of", "allowed": "allowed"}
    told = [f"{words[one.severity]} {one.feature or 'rows'} ({one.check})" for one in findings]
    return "; ".join(told) or "none found"


def refuse(findings: Sequence[LeakageFinding]) -> None:
    """Refuses to fit where a finding says so.

    Raises:
        TrainingError: It names the feature and the evidence.
    """
    refused = [one for one in findings if one.severity == "refused"]
    if not refused:
        return
    first = refused[0]
    names = list(dict.fromkeys(one.feature or one.check for one in refused))
    more = f" (and {len(refused) - 1} more: {', '.join(names[1:])})" if len(names) > 1 else ""
    allowed = f"leakage=dt.Leakage(allow=[{', '.join(map(repr, names))}])"
    raise TrainingError(
        f"{first.feature or 'the split'} leaks, by the check {first.check!r}: {first.evidence}{more}",
        do=(
            f"Take it out of the features, or read it as it was known at the moment of prediction; "
            f"if it is known then, say {allowed}"
            if first.feature
            else f"Mend the split or the preparation; if it must be so, say {allowed}"
        ),
    )


def _rows(subject: Subject, groups: Sequence[str], lesson: Lesson) -> Iterator[Found]:
    """What is found of the rows, whatever their labels are."""
    yield from train_after_test(subject)
    yield from in_two_parts(subject, groups)
    yield from fitted_on_test(subject, lesson)
    yield from id_like(subject)
    yield from known_with_the_label(subject)
    yield from missing_when_recent(subject)


def _features(subject: Subject) -> Iterator[Found]:
    """What is found by the labels, a number each."""
    yield from target(subject)
    yield from target_encoding(subject)
    yield from too_good_alone(subject)
    yield from nulls_tell(subject)
    yield from relation_breaks(subject)
    yield from tells_when_the_label_comes(subject)
    yield from duplicates(subject)


def _severity(one: Found, rules: Leakage) -> Severity:
    if one.check in rules.allow or one.feature in rules.allow:
        return "allowed"
    if rules.on == "refuse" or (rules.on == "certain" and one.certain):
        return "refused"
    return "warned"
