"""The rule on reasons: which features gained, and which lost."""

from __future__ import annotations

import msgspec

from drivetrain.core.records import FeatureShare, MonitorReport
from drivetrain.evaluate.wording import percent, span
from drivetrain.monitor.attribution.spec import Attribution
from drivetrain.monitor.finding import Finding

_TOLD = 3
_WORTH = 0.02
"""Change of a share from which on a feature is named."""


def judge_attribution(report: MonitorReport) -> list[Finding]:
    """A finding where what moves the answers surely is not what it was."""
    seen = report.attribution
    if seen is None or not seen.drifted:
        return []
    moved = [one for one in seen.features if abs(one.now - one.then) >= _WORTH] or list(seen.features[:1])
    gained = _told([one for one in moved if one.now > one.then])
    lost = _told([one for one in moved if one.now <= one.then])
    told = "; ".join(words for words in (gained and f"more by {gained}", lost and f"less by {lost}") if words)
    message = (
        f"{report.endpoint}: answers of {span(report.since, report.until)} are moved by other features than on the "
        f"evaluation of v{report.version}: {told}. {percent(seen.value)} of what moves them is another's now, "
        f"{percent(seen.threshold)} is allowed ({seen.rows:,} answers explained)."
    )
    evidence: dict[str, object] = {
        "total_variation": seen.value,
        "threshold": seen.threshold,
        "rank_agreement": seen.agreement,
        "features": msgspec.to_builtins(moved),
    }
    return [Finding("attribution", "warning", message, evidence)]


def attribution_judged(report: MonitorReport, asked: Attribution | None) -> bool:
    """Whether a window could tell; what is not asked for any more counts as told."""
    return asked is None or (report.attribution is not None and report.attribution.rows > 0)


def _told(features: list[FeatureShare]) -> str:
    return ", ".join(f"{one.feature} ({percent(one.now)}, {percent(one.then)} then)" for one in features[:_TOLD])
