"""The nouns that stages hand to one another: frozen, typed, kept in the catalog as they are."""

from drivetrain.core.records.alert import SEVERITIES, Alert, Delivery, Severity, Silence
from drivetrain.core.records.alias import Alias, AliasName
from drivetrain.core.records.audit import Access, AuditEntry
from drivetrain.core.records.base import Link, Record
from drivetrain.core.records.behaviour import BehaviourOutcome, BehaviourReport, Example
from drivetrain.core.records.bias import BiasGroup, BiasReport, MissingGap
from drivetrain.core.records.budget import PrivacyBudget
from drivetrain.core.records.concept import Concept, CountedDay, ErrorChunk, ErrorRise, ErrorStream
from drivetrain.core.records.cost import Cost, Intake
from drivetrain.core.records.deciding import Acting, Covering, Decided, Decider
from drivetrain.core.records.decision import Decision
from drivetrain.core.records.dependence import Dependence, DependencePoint, DependenceReport
from drivetrain.core.records.discovery import Condition, Discovery, FoundSlice
from drivetrain.core.records.estimation import Contribution, Estimation, Maturity, Ripe, Segment, Why
from drivetrain.core.records.evaluation import (
    CalibrationBin,
    ClassMeasure,
    Comparison,
    Evaluation,
    Measure,
    SliceMeasure,
)
from drivetrain.core.records.explanation import Explanation
from drivetrain.core.records.fairness import Disparity, FairnessGroup, FairnessReport
from drivetrain.core.records.forgetting import Forgetting
from drivetrain.core.records.gate import GateOutcome, GateReport
from drivetrain.core.records.metric import Metric
from drivetrain.core.records.monitoring import FeatureDrift, JointDrift, MonitorReport
from drivetrain.core.records.policy import Arm, Guardrail, Policy, PolicyKind, Rollout
from drivetrain.core.records.prediction import Feedback, Prediction
from drivetrain.core.records.replay import Replay
from drivetrain.core.records.robustness import RobustnessReport, Strain
from drivetrain.core.records.run import Run
from drivetrain.core.records.schema import Field, InputSchema
from drivetrain.core.records.signature import Signature, Statement
from drivetrain.core.records.step import Step
from drivetrain.core.records.table import ColumnType, TableVersion
from drivetrain.core.records.task import Task, TaskKind
from drivetrain.core.records.token import Token, TokenScope
from drivetrain.core.records.tracking import (
    Dataset,
    LoggedModel,
    RegisteredModel,
    RegisteredVersion,
    TakenName,
    Tracked,
    TrackedExperiment,
    TrackedFile,
)
from drivetrain.core.records.vault import VaultKey
from drivetrain.core.records.version import Artifact, ModelVersion
from drivetrain.core.records.watched import (
    ArmSeen,
    AttributionSeen,
    ExperimentSeen,
    FeatureShare,
    GroupsSeen,
    SegmentSeen,
    WorthSeen,
)
from drivetrain.core.records.watching import ColumnSeen, DataReport, Usual

__all__ = [
    "SEVERITIES",
    "Access",
    "Acting",
    "Alert",
    "Alias",
    "AliasName",
    "Arm",
    "ArmSeen",
    "Artifact",
    "AttributionSeen",
    "AuditEntry",
    "BehaviourOutcome",
    "BehaviourReport",
    "BiasGroup",
    "BiasReport",
    "CalibrationBin",
    "ClassMeasure",
    "ColumnSeen",
    "ColumnType",
    "Comparison",
    "Concept",
    "Condition",
    "Contribution",
    "Cost",
    "CountedDay",
    "Covering",
    "DataReport",
    "Dataset",
    "Decided",
    "Decider",
    "Decision",
    "Delivery",
    "Dependence",
    "DependencePoint",
    "DependenceReport",
    "Discovery",
    "Disparity",
    "ErrorChunk",
    "ErrorRise",
    "ErrorStream",
    "Estimation",
    "Evaluation",
    "Example",
    "ExperimentSeen",
    "Explanation",
    "FairnessGroup",
    "FairnessReport",
    "FeatureDrift",
    "FeatureShare",
    "Feedback",
    "Field",
    "Forgetting",
    "FoundSlice",
    "GateOutcome",
    "GateReport",
    "GroupsSeen",
    "Guardrail",
    "InputSchema",
    "Intake",
    "JointDrift",
    "Link",
    "LoggedModel",
    "Maturity",
    "Measure",
    "Metric",
    "MissingGap",
    "ModelVersion",
    "MonitorReport",
    "Policy",
    "PolicyKind",
    "Prediction",
    "PrivacyBudget",
    "Record",
    "RegisteredModel",
    "RegisteredVersion",
    "Replay",
    "Ripe",
    "RobustnessReport",
    "Rollout",
    "Run",
    "Segment",
    "SegmentSeen",
    "Severity",
    "Signature",
    "Silence",
    "SliceMeasure",
    "Statement",
    "Step",
    "Strain",
    "TableVersion",
    "TakenName",
    "Task",
    "TaskKind",
    "Token",
    "TokenScope",
    "Tracked",
    "TrackedExperiment",
    "TrackedFile",
    "Usual",
    "VaultKey",
    "Why",
    "WorthSeen",
]
