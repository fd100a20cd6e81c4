"""What was looked at beside a version's evaluation: fairness of its answers."""

from __future__ import annotations

from drivetrain.core.errors import NotReady, UnknownName, UsageError
from drivetrain.core.records import FairnessReport, ModelVersion
from drivetrain.loop.audit import note_read
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.model import Model
from drivetrain.loop.stages.bias import personal_attributes
from drivetrain.registry.aliases import find_version


class ModelProbes:
    """Reports on the test rows of model versions; see :attr:`Project.probes`."""

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def fairness(self, model: str | Model | None = None, *, version: int | None = None) -> FairnessReport:
        """How a version's answers fall out for protected groups, as measured when it was judged.

        Args:
            model: Which model, by name or as declared; not needed where there is one.
            version: Which version; the newest by default.

        Raises:
            UsageError: The model declares no protected attribute.
            UnknownName: There is no such model or version.
            NotReady: Nothing was measured when it was judged.
        """
        found = self._project.find_model(model.name if isinstance(model, Model) else model)
        if not found.protected:
            raise UsageError(
                f"model {found.name!r} declares no protected attribute",
                do=f'Say which groups to look at: project.model("{found.name}", …, protected=["carrier"])',
            )
        judged = self._version(found, version)
        report = self._project.store.catalog.get(FairnessReport, judged.run_id)
        if report is None:
            raise NotReady(
                f"fairness of {judged.key} was not measured when it was judged",
                do="Its answers were no probability of a yes, or it is older than the declaration: drivetrain run",
            )
        note_read(self._project, "fairness", judged.key, personal_attributes(self._project, found), report.rows)
        return report

    def _version(self, model: Model, number: int | None) -> ModelVersion:
        if number is not None:
            return find_version(self._project.store, model.name, number)
        versions = self._project.store.catalog.find(ModelVersion, model.name)
        if not versions:
            raise UnknownName(f"model {model.name!r} has no version yet", do="Make one: drivetrain run")
        return max(versions, key=lambda each: each.version)
