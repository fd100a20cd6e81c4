"""What is said of all features together."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import JointDrift, MonitorReport
from drivetrain.evaluate.wording import figure, percent, span
from drivetrain.monitor.finding import Finding, Severity
from drivetrain.monitor.reference import Reference
from drivetrain.monitor.spec import Drift

JOINT = "drift.joint"
"""The rule."""

_TOLD = 4
_MOST = 0.8
"""Features are named until they make up this share."""
_SHOWN = 20


def judge_joint(report: MonitorReport, reference: Reference, asked: Drift) -> list[Finding]:
    """Says by which features the window's rows are told from those of before.

    A warning where the features named carry ``weight`` of the model's importance, or that is not known; else a note.
    """
    drifted = [one for one in report.joint if one.drifted]
    if not drifted:
        return []
    named = list(dict.fromkeys(name for one in drifted for name in leading(one)))
    alone = [one.feature for one in report.drift if one.drifted and one.feature in named]
    known = reference.importance
    heavy = sum(known.get(name, 0.0) for name in named)
    severity: Severity = "warning" if heavy >= asked.weight or not known else "info"
    share = f" They carry {percent(heavy)} of the model's importance." if known else ""
    ours = f"{', '.join(alone)} drifted alone as well." if alone else "None of them drifted alone."
    message = (
        f"{report.endpoint}: on {span(report.since, report.until)}, all features together are not as "
        f"{_before(report, drifted[0])}: {'; '.join(_sentence(one) for one in drifted)}. {ours}{share}"
    )
    evidence: dict[str, object] = {
        "methods": [
            msgspec.to_builtins(msgspec.structs.replace(one, importance=dict(list(one.importance.items())[:_SHOWN])))
            for one in drifted
        ],
        "features": named,
        "alone": alone,
    }
    return [Finding(JOINT, severity, message, evidence)]


def leading(joint: JointDrift) -> list[str]:
    """The features that make up most of it: each more than an even share, four at the most.

    Example:
        >>> leading(JointDrift(name="classifier", value=.7, effect=.6, p_value=.001, drifted=True,
        ...     importance={"a": .5, "b": .4, "c": .1}))
        ['a', 'b']
    """
    found: list[str] = []
    held = 0.0
    for name, share in joint.importance.items():
        if found and (held >= _MOST or len(found) == _TOLD or share * len(joint.importance) < 1):
            break
        found.append(name)
        held += share
    return found


def _sentence(joint: JointDrift) -> str:
    most = ", ".join(f"{name} ({percent(joint.importance[name])})" for name in leading(joint))
    if joint.name == "classifier":
        return (
            f"trees that learned on other days tell the two apart (area under the ROC curve {figure(joint.value)}, "
            f"from {joint.effect:g} on it is worth a word; p = {joint.p_value:.4f}), mostly by {most}"
        )
    way = "worse" if joint.value > 0 else "better"
    return (
        f"rows are rebuilt {percent(abs(joint.value))} {way} from what usually goes together (from "
        f"{percent(joint.effect)} on it is worth a word; p = {joint.p_value:.4f}), mostly {most}"
    )


def _before(report: MonitorReport, joint: JointDrift) -> str:
    what = {
        "evaluation": f"in the {joint.rows:,} kept rows that v{report.version} was evaluated on",
        "trailing": f"in {joint.rows:,} rows that v{report.version} answered just before",
        "season": f"in {joint.rows:,} rows that v{report.version} answered in this season of the years before",
    }
    return what[joint.against]
