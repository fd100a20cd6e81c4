"""What experiments, runs, models and versions can be searched by."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from types import MappingProxyType

from drivetrain.core.records import LoggedModel, Metric, RegisteredModel, RegisteredVersion, Run, TrackedExperiment
from drivetrain.registry.tracking import runs
from drivetrain.registry.tracking.filter import Comparison, Kind, Language, Order, parse_filter, parse_orders
from drivetrain.registry.tracking.place import Place
from drivetrain.registry.tracking.search import Told, chosen

STATUSES: Mapping[str, str] = MappingProxyType(
    {"scheduled": "SCHEDULED", "running": "RUNNING", "done": "FINISHED", "failed": "FAILED", "killed": "KILLED"}
)
"""Our word for how a run stands → MLflow's."""

PROMPT_TAG = "mlflow.prompt.is_prompt"
"""A tag by which clients tell prompts from models in every search; whatever lacks it is no prompt."""

_TAGS = {"tags": "tag", "tag": "tag"}
_OWN = {"attributes": "attribute", "attribute": "attribute", "attr": "attribute"}
_METRICS = {"metrics": "metric", "metric": "metric"}
_PARAMS = {"params": "param", "parameters": "param", "param": "param", "parameter": "param"}


def _language(
    text: Sequence[str], numbers: Sequence[str], entities: Mapping[str, str], synonyms: Mapping[str, str] | None = None
) -> Language:
    attributes: dict[str, Kind] = dict.fromkeys(text, "text")
    attributes.update(dict.fromkeys(numbers, "number"))
    return Language(attributes=attributes, synonyms=synonyms or {}, entities=entities)


RUNS = _language(
    ["run_id", "run_name", "status", "user_id", "artifact_uri", "experiment_id"],
    ["start_time", "end_time"],
    {**_OWN, "run": "attribute", **_METRICS, **_PARAMS, **_TAGS, "dataset": "dataset", "datasets": "dataset"},
    {"created": "start_time", "run name": "run_name", "date": "start_time", "user": "user_id"},
)
EXPERIMENTS = _language(
    ["name", "experiment_id"], ["creation_time", "last_update_time"], {**_OWN, **_TAGS}, {"id": "experiment_id"}
)
MODELS = _language(
    ["name"],
    ["creation_timestamp", "last_updated_timestamp"],
    {**_OWN, **_TAGS},
    {"timestamp": "last_updated_timestamp"},
)
VERSIONS = _language(
    ["name", "run_id", "source_path"],
    ["version_number", "creation_timestamp", "last_updated_timestamp"],
    {**_OWN, **_TAGS},
    {"version": "version_number", "source": "source_path", "timestamp": "last_updated_timestamp"},
)
LOGGED = _language(
    ["name", "model_id", "model_type", "status", "source_run_id", "experiment_id"],
    ["creation_timestamp", "last_updated_timestamp"],
    {**_OWN, **_METRICS, **_PARAMS, **_TAGS},
    {"creation_time": "creation_timestamp", "last_updated_time": "last_updated_timestamp"},
)


def search_runs(place: Place, found: Sequence[Run], filter: str, order_by: Sequence[str]) -> list[Run]:
    """Runs that a filter lets through, in order; the newest first where no order is given."""
    comparisons, orders = parse_filter(filter, RUNS), parse_orders(order_by, RUNS)
    asked = _Asked(place, [run.run_id for run in found], comparisons, orders)

    def tell(run: Run, entity: str, key: str) -> Told:
        if entity == "attribute":
            return _of_run(place, run, key)
        if entity == "dataset":
            return _of_datasets(run, key)
        return asked.said(run.run_id, entity, key)

    return chosen(found, tell, comparisons, orders)


def search_experiments(
    found: Sequence[TrackedExperiment], filter: str, order_by: Sequence[str]
) -> list[TrackedExperiment]:  # fmt: skip
    """Experiments that a filter lets through, in order."""

    def tell(one: TrackedExperiment, entity: str, key: str) -> Told:
        if entity == "tag":
            return one.tags.get(key)
        known: dict[str, Told] = {
            "name": one.name,
            "experiment_id": one.experiment_id,
            "creation_time": float(one.at // 1000),
            "last_update_time": float(one.updated // 1000),
        }
        return known[key]

    return chosen(found, tell, parse_filter(filter, EXPERIMENTS), parse_orders(order_by, EXPERIMENTS))


def search_models(found: Sequence[RegisteredModel], filter: str, order_by: Sequence[str]) -> list[RegisteredModel]:
    """Registered models that a filter lets through, in order."""

    def tell(one: RegisteredModel, entity: str, key: str) -> Told:
        if entity == "tag":
            return one.tags.get(key, "false" if key == PROMPT_TAG else None)
        known: dict[str, Told] = {
            "name": one.name,
            "creation_timestamp": float(one.at // 1000),
            "last_updated_timestamp": float(one.updated // 1000),
        }
        return known[key]

    return chosen(found, tell, parse_filter(filter, MODELS), parse_orders(order_by, MODELS))


def search_versions(
    found: Sequence[RegisteredVersion], filter: str, order_by: Sequence[str]
) -> list[RegisteredVersion]:  # fmt: skip
    """Versions that a filter lets through, in order."""

    def tell(one: RegisteredVersion, entity: str, key: str) -> Told:
        if entity == "tag":
            return one.tags.get(key, "false" if key == PROMPT_TAG else None)
        known: dict[str, Told] = {
            "name": one.model,
            "run_id": one.run_id,
            "source_path": one.source,
            "version_number": float(one.version),
            "creation_timestamp": float(one.at // 1000),
            "last_updated_timestamp": float(one.updated // 1000),
        }
        return known[key]

    return chosen(found, tell, parse_filter(filter, VERSIONS), parse_orders(order_by, VERSIONS))


def search_logged(
    place: Place, found: Sequence[LoggedModel], filter: str, orders: Sequence[Order]
) -> list[LoggedModel]:  # fmt: skip
    """Logged models that a filter lets through, in order."""
    comparisons = parse_filter(filter, LOGGED)
    asked = _Asked(place, [one.model_id for one in found], comparisons, orders)

    def tell(one: LoggedModel, entity: str, key: str) -> Told:
        if entity == "metric":
            return asked.said(one.model_id, entity, key)
        if entity != "attribute":
            return (one.tags if entity == "tag" else one.params).get(key)
        known: dict[str, Told] = {
            "name": one.name,
            "model_id": one.model_id,
            "model_type": one.model_type,
            "status": one.status.upper(),
            "source_run_id": one.run_id,
            "experiment_id": one.experiment,
            "creation_timestamp": float(one.at // 1000),
            "last_updated_timestamp": float(one.updated // 1000),
        }
        return known[key]

    return chosen(found, tell, comparisons, orders)


class _Asked:
    """What things said under the keys that are asked for, read at once."""

    def __init__(
        self, place: Place, ids: Sequence[str], comparisons: Sequence[Comparison], orders: Sequence[Order]
    ) -> None:
        asked: dict[str, set[str]] = {}
        for entity, key in [(one.entity, one.key) for one in comparisons] + [(one.entity, one.key) for one in orders]:
            asked.setdefault(entity, set()).add(key)
        log = place.run_log
        self._metrics: dict[str, dict[str, Metric]] = {}
        self._texts: dict[str, dict[str, dict[str, str]]] = {}
        if "metric" in asked:
            self._metrics = log.latest(ids, sorted(asked["metric"]))
        if "param" in asked:
            self._texts["param"] = log.parameters(ids, sorted(asked["param"]))
        if "tag" in asked:
            self._texts["tag"] = log.tags(ids, sorted(asked["tag"]))

    def said(self, one: str, entity: str, key: str) -> str | float | None:
        if entity == "metric":
            found = self._metrics[one].get(key)
            return None if found is None else found.value
        return self._texts[entity][one].get(key)


def _of_run(place: Place, run: Run, key: str) -> Told:
    tracked = runs.tracked_of(run)
    if key == "artifact_uri":
        return runs.artifact_uri(place, run)
    known: dict[str, Told] = {
        "run_id": run.run_id,
        "run_name": tracked.name,
        "status": STATUSES[run.status],
        "user_id": tracked.user,
        "experiment_id": tracked.experiment,
        "start_time": float(run.at // 1000),
        "end_time": None if tracked.ended is None else float(tracked.ended // 1000),
    }
    return known[key]


def _of_datasets(run: Run, key: str) -> Told:
    datasets = runs.tracked_of(run).datasets
    if key == "context":
        return tuple(one.tags["mlflow.data.context"] for one in datasets if "mlflow.data.context" in one.tags)
    return tuple(one.name if key == "name" else one.digest for one in datasets if key in {"name", "digest"})
