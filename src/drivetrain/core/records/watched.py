"""What a window shows of groups, segments, worth, reasons and a running experiment."""

from __future__ import annotations

import msgspec

from drivetrain.core.records.fairness import Disparity, FairnessGroup
from drivetrain.core.records.measure import Measure


class GroupsSeen(msgspec.Struct, frozen=True, kw_only=True):
    """How answers of a window fell out for protected groups."""

    threshold: float
    """A prediction at or above it is acted on: as at the version's evaluation."""
    groups: tuple[FairnessGroup, ...] = ()
    """Those that are large enough to show. Rates that need no label are of all answers, the others of labelled ones."""
    disparities: tuple[Disparity, ...] = ()
    then: dict[str, Measure] = {}
    """Disparity and attributes (``equalized_odds_difference by sex``) → its value at the version's evaluation."""
    limits: dict[str, float] = {}
    """The same → the limit in force."""
    few: int = 0
    """Answers that belong to groups too small to show."""
    least: int = 0
    """Answers below which a group is too small to show."""
    origins: dict[str, str] = {}
    """Attribute → where its values come from, in words."""
    known: dict[str, float] = {}
    """Attribute → share of answers of which its value is known; the others are in no figure."""
    unknown: dict[str, str] = {}
    """Attribute → why nothing can be said of its groups."""
    labelled: int = 0


class SegmentSeen(msgspec.Struct, frozen=True, kw_only=True):
    """The metric among the answers of a window that share a value of a column."""

    column: str
    value: str
    metric: str
    count: int
    """Labelled answers."""
    now: Measure | None = None
    """None where they are too few to tell."""
    then: Measure | None = None
    """At the version's evaluation."""


class WorthSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What answers of a window were worth."""

    name: str
    unit: str
    per: int
    """For how many predictions it is told."""
    now: Measure | None = None
    """None where the worth of no answer is known yet."""
    then: Measure | None = None
    """On the version's evaluation."""
    note: str = ""
    """Why there is no figure of one or the other."""
    digest: str = ""
    """Of what is measured."""


class FeatureShare(msgspec.Struct, frozen=True, kw_only=True):
    """A feature's share of what moved the answers, and its rank among all, 1 the first."""

    feature: str
    now: float
    then: float
    """On the version's evaluation."""
    rank: int
    rank_then: int


class AttributionSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What moved the answers of a window, beside what moved those of the version's evaluation."""

    value: float = 0.0
    """Total variation between the shares: how much of what moves the answers is another feature's now."""
    threshold: float = 0.0
    chance: float = 0.0
    """What days of the evaluation reach against its other days."""
    drifted: bool = False
    agreement: float = 1.0
    """NDCG of the order of features; 1 for the same order."""
    rows: int = 0
    """Answers that were explained; 0 where none could be."""
    days: int = 0
    features: tuple[FeatureShare, ...] = ()
    """Those whose share changed most come first."""
    asked: str = ""
    """Digest of what was asked."""
    note: str = ""
    """Why there is no figure."""


class ArmSeen(msgspec.Struct, frozen=True, kw_only=True):
    """What one arm of an experiment did in a window."""

    name: str
    version: int
    """The version that it stands for; 0 for whichever is champion."""
    answers: int
    failed: float
    """Share of its requests that somebody else had to answer."""
    latency_p99_us: float
    labelled: int
    label: Measure | None = None
    """Mean label of the requests it was given; none where labels are no numbers, or none has come."""


class ExperimentSeen(msgspec.Struct, frozen=True, kw_only=True):
    """A canary, a split or a bandit that was under way in a window; who tests it by an override is not counted."""

    experiment: str
    mode: str
    """What kind of policy; empty where another one is in force by now."""
    arms: tuple[ArmSeen, ...] = ()
    guardrails: tuple[str, ...] = ()
    """What its canary must not do, in words."""
