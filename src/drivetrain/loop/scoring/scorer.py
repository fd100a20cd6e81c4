"""A version as it scores batches: features, engine, and the columns its answers make."""

from __future__ import annotations

import numpy as np
import polars as pl

from drivetrain.core.errors import NotReady
from drivetrain.core.records import ModelVersion
from drivetrain.data.privacy.vault import KeyRing
from drivetrain.features.exact import Floats
from drivetrain.features.request import TYPES
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.endpoint import Endpoint
from drivetrain.loop.keys import verify_path
from drivetrain.loop.scoring.features import Features, FeatureSource, OfflineFeatures, OnlineFeatures
from drivetrain.loop.scoring.reading import read_columns, read_schema
from drivetrain.registry.aliases import champion, find_version
from drivetrain.registry.load import load_engine
from drivetrain.serve.lookup import Lookup
from drivetrain.serve.narrow import narrowed
from drivetrain.serve.plan import EndpointPlan
from drivetrain.serve.refusal import EngineFailed
from drivetrain.serve.treating import RequestTreating
from drivetrain.serve.version import LoadedVersion

PREDICTION, VERSION, AT = "prediction", "model_version", "at"
"""Columns that scoring makes; where there are several classes, ``prediction_0`` and so on."""


class Scorer:
    """Answers batches as an endpoint does.

    Args:
        project: Whose store is read.
        endpoint: The endpoint.
        plan: What it must be asked with.
        version: Number of the version that answers; the champion if none.
        source: Where features of views come from.

    Raises:
        NotReady: There is no champion.
        UnknownName: There is no such version.
        RefusedError: The version was trained with other definitions than the project's, or its signature is refused.
        StoreError: The version's artifact can't be read.
    """

    def __init__(
        self, project: Definitions, endpoint: Endpoint, plan: EndpointPlan, version: int | None, source: FeatureSource
    ) -> None:
        self.record = _version(project, endpoint, version)
        schema = self.record.input_schema
        # What the endpoint refuses a version for, it is refused for here.
        lookup = Lookup(plan, project.store.online)
        engine = load_engine(project.store, self.record, verify=verify_path(project))
        self._treating = RequestTreating(plan, KeyRing(project.store.catalog, project.folder))
        loaded = LoadedVersion(self.record, engine, lookup.names, lookup.definitions)
        self._engine, self._decides = loaded.engine, loaded.decides
        plan = narrowed(plan, schema.names)
        self._features: Features = (
            OnlineFeatures(plan, schema, project.store.online)
            if source == "online"
            else OfflineFeatures(plan, schema, project.store.tables)
        )

    def answered(self, carried: pl.DataFrame, values: pl.DataFrame, at: pl.Series) -> pl.DataFrame:
        """Rows with their answers.

        Args:
            carried: The rows as they came.
            values: The endpoint's fields of the same rows, typed.
            at: Their moments.

        Raises:
            FeatureError: A feature can't be computed from these rows.
            EngineFailed: The model failed, or gave something that is no number.
            StoreError: The store can't be read.
        """
        treated = self._treating.frame(values) if self._treating else values
        outputs = self._predicted(self._features.matrix(treated, at))
        columns = (
            [pl.Series(PREDICTION, outputs)]
            if outputs.ndim == 1
            else [pl.Series(f"{PREDICTION}_{place}", column) for place, column in enumerate(outputs.T)]
        )
        if self._decides is not None:
            columns += read_columns(self._decides, outputs)
        number = pl.lit(self.record.version, dtype=pl.Int64).alias(VERSION)
        return carried.with_columns(*columns, number, at.alias(AT))

    @property
    def more(self) -> dict[str, pl.DataType]:
        """Columns that it makes beside the prediction, with their types."""
        return read_schema(self._decides)

    def columns_of_none(self, carried: pl.Schema) -> pl.Schema:
        """The columns of rows with their answers, where there are no rows."""
        return pl.Schema({**carried, PREDICTION: pl.Float64(), **self.more, VERSION: pl.Int64(), AT: TYPES["time"]})

    def _predicted(self, inputs: Floats) -> Floats:
        try:
            outputs = np.asarray(self._engine.predict(inputs), dtype=np.float64)
        except Exception as error:  # an engine is foreign code
            raise EngineFailed(f"{self.record.key} failed: {error}", do="Ask whoever owns the model") from error
        if not np.isfinite(outputs).all():
            raise EngineFailed(f"{self.record.key} gave something that is no number")
        return outputs


def _version(project: Definitions, endpoint: Endpoint, number: int | None) -> ModelVersion:
    if number is not None:
        return find_version(project.store, endpoint.model.name, number)
    found = champion(project.store, endpoint.model.name)
    if found is None:
        raise NotReady(
            f"endpoint {endpoint.name} has no version to answer with",
            found=f"no champion of model {endpoint.model.name}",
            do="Run the project, or promote a version",
        )
    return found
