"""What was looked at beside a version's evaluation: fairness of its answers, and what would make it fairer."""

from __future__ import annotations

from drivetrain.core.errors import NotReady, UnknownName, UsageError
from drivetrain.core.records import FairnessReport, ModelVersion
from drivetrain.evaluate.fairness.mitigation import By, Mitigated
from drivetrain.evaluate.fairness.thresholds import Constraint
from drivetrain.loop.audit import note_read
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.mitigate import mitigate
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

    def mitigate(
        self,
        model: str | Model | None = None,
        *,
        by: By,
        column: str | None = None,
        constraint: Constraint = "equalized_odds",
        version: int | None = None,
    ) -> Mitigated:
        """Tries a mitigation, and says what it changes and what it costs; nothing that serves is changed.

        Everything is judged on the later half of the version's test days. Thresholds are learned from the earlier
        half; reweighing and exponentiated gradient learn from the rows that the version learned from.

        Args:
            model: Which model, by name or as declared; not needed where there is one.
            by: ``threshold``: one for each group (Hardt et al., 2016); ``reweigh``: the model fitted anew with weights
                (Kamiran and Calders, 2012); ``gradient``: exponentiated gradient (Agarwal et al., 2018), which needs
                the extra ``fairlearn``.
            column: The protected attribute whose groups are to be treated alike; the first by default.
            constraint: ``demographic_parity``, ``equal_opportunity`` or ``equalized_odds``; reweighing knows none.
            version: Which version; the newest by default.

        Raises:
            UsageError: The model protects no such attribute, or fewer than two groups are large enough.
            UnknownName: There is no such model or version.
            MissingExtra: fairlearn is not installed.
            TrainingError: It can't be fitted anew.
        """
        report = self.fairness(model, version=version)
        found = self._project.find_model(report.model)
        judged = self._version(found, version)
        return mitigate(self._project, found, judged, by, column=column, constraint=constraint)

    def _version(self, model: Model, number: int | None) -> ModelVersion:
        if number is not None:
            return find_version(self._project.store, model.name, number)
        versions = self._project.store.catalog.find(ModelVersion, model.name)
        if not versions:
            raise UnknownName(f"model {model.name!r} has no version yet", do="Make one: drivetrain run")
        return max(versions, key=lambda each: each.version)
