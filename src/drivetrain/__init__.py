"""drivetrain: one package for the production life of a model, from raw rows to an endpoint that retrains itself.

``import drivetrain as dt`` loads next to nothing: each public name is fetched from its floor when first used.
"""

from __future__ import annotations

import importlib
from typing import Any

_PUBLIC = {
    "Attribution": "drivetrain.monitor.attribution.spec",
    "Bandit": "drivetrain.experiment.policies",
    "Bootstrap": "drivetrain.evaluate.bootstrap",
    "Business": "drivetrain.monitor.worth.spec",
    "Canary": "drivetrain.experiment.policies",
    "Calibrate": "drivetrain.train.deciding.calibrate",
    "CatBoost": "drivetrain.train.trainers",
    "ClassWeights": "drivetrain.train.weigh",
    "Column": "drivetrain.data.column",
    "Conformal": "drivetrain.train.deciding.conformal",
    "Contract": "drivetrain.data.contract",
    "DerivedView": "drivetrain.features.derived",
    "Alternative": "drivetrain.monitor.spec",
    "Drift": "drivetrain.monitor.spec",
    "DrivetrainError": "drivetrain.core.errors",
    "Email": "drivetrain.monitor.alerting.sinks.mail",
    "Embed": "drivetrain.train.text.embed",
    "Entity": "drivetrain.features.entity",
    "Fairness": "drivetrain.monitor.groups.spec",
    "FeatureView": "drivetrain.features.view",
    "Flax": "drivetrain.train.trainers",
    "Gate": "drivetrain.evaluate.gate",
    "GroupSplit": "drivetrain.train.split.group_split",
    "Guardrail": "drivetrain.core.records.policy",
    "HistoricalRate": "drivetrain.train.baselines",
    "Holdout": "drivetrain.train.split.holdout",
    "KAnonymity": "drivetrain.data.privacy.anonymity",
    "Keep": "drivetrain.registry.keep",
    "Keras": "drivetrain.train.trainers",
    "Leakage": "drivetrain.train.leakage.leakage",
    "LightGBM": "drivetrain.train.trainers",
    "Naive": "drivetrain.train.baselines",
    "PagerDuty": "drivetrain.monitor.alerting.sinks.pagerduty",
    "Performance": "drivetrain.monitor.spec",
    "Project": "drivetrain.loop.project",
    "Protected": "drivetrain.evaluate.bias.groups",
    "PurgedSplit": "drivetrain.train.split.purged",
    "RequestFeatures": "drivetrain.features.request",
    "Retrain": "drivetrain.monitor.spec",
    "Reweigh": "drivetrain.train.weigh",
    "RollingOrigin": "drivetrain.train.split.rolling_origin",
    "Rule": "drivetrain.monitor.alerting.rule",
    "Segments": "drivetrain.monitor.groups.spec",
    "Select": "drivetrain.train.select",
    "Sklearn": "drivetrain.train.trainers",
    "Slack": "drivetrain.monitor.alerting.sinks.slack",
    "Split": "drivetrain.experiment.policies",
    "StratifiedSplit": "drivetrain.train.split.stratified",
    "TargetEncode": "drivetrain.train.encode",
    "TextLinear": "drivetrain.train.trainers",
    "Tfidf": "drivetrain.train.text.tfidf",
    "Threshold": "drivetrain.train.deciding.threshold",
    "TimeSplit": "drivetrain.train.split.time_split",
    "Tokens": "drivetrain.train.text.tokens",
    "Torch": "drivetrain.train.trainers",
    "Traffic": "drivetrain.loop.endpoint",
    "Transformer": "drivetrain.train.trainers",
    "Tune": "drivetrain.train.tune",
    "Webhook": "drivetrain.monitor.alerting.sinks.webhook",
    "XGBoost": "drivetrain.train.trainers",
    "adopt": "drivetrain.loop.adopt.adopt",
    "asgi_app": "drivetrain.loop.serving",
    "clean": "drivetrain.data.cleaning.clean",
    "compare": "drivetrain.monitor.comparison.compare",
    "count": "drivetrain.features.aggregate",
    "count_distinct": "drivetrain.features.aggregate",
    "dlt": "drivetrain.data.readers.dlt",
    "direction": "drivetrain.evaluate.behaviour.spec",
    "drop": "drivetrain.data.treatment",
    "embedding": "drivetrain.features.aggregate",
    "files": "drivetrain.data.readers.files",
    "generalise": "drivetrain.data.treatment",
    "grid": "drivetrain.features.grid",
    "http": "drivetrain.data.readers.http",
    "impute": "drivetrain.train.impute",
    "interactions": "drivetrain.features.interactions",
    "invariance": "drivetrain.evaluate.behaviour.spec",
    "label": "drivetrain.features.label",
    "last": "drivetrain.features.aggregate",
    "last_n": "drivetrain.features.aggregate",
    "mask": "drivetrain.data.treatment",
    "max": "drivetrain.features.aggregate",
    "mean": "drivetrain.features.aggregate",
    "min": "drivetrain.features.aggregate",
    "minimum": "drivetrain.evaluate.behaviour.spec",
    "pseudonym": "drivetrain.data.treatment",
    "push": "drivetrain.loop.push",
    "quantile": "drivetrain.features.aggregate",
    "ratios": "drivetrain.features.grid",
    "rows": "drivetrain.data.readers.rows",
    "share": "drivetrain.features.aggregate",
    "since_last": "drivetrain.features.aggregate",
    "sql": "drivetrain.data.readers.sql",
    "std": "drivetrain.features.aggregate",
    "steps": "drivetrain.data.cleaning",
    "stream": "drivetrain.data.readers.stream",
    "sum": "drivetrain.features.aggregate",
    "top_k": "drivetrain.features.aggregate",
    "trainer": "drivetrain.train.trainers",
    "truncate": "drivetrain.data.treatment",
    "vault": "drivetrain.data.privacy.vault",
}

__version__ = "0.1.0"
__all__ = [*_PUBLIC, "__version__"]  # noqa: PLE0604 - all are strings


def __getattr__(name: str) -> Any:  # noqa: ANN401 - whatever the name stands for; __init__.pyi has the types
    if name not in _PUBLIC:
        raise AttributeError(f"module 'drivetrain' has no attribute {name!r}")
    value = getattr(importlib.import_module(_PUBLIC[name]), name)
    globals()[name] = value
    return value


def __dir__() -> list[str]:
    return sorted(__all__)
