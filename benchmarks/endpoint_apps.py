"""What ``endpoint_server.py`` starts: one model behind a bare loop and behind drivetrain, in several dresses."""

from __future__ import annotations

import random
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
import polars as pl

from drivetrain.adapters.lightgbm import LightGBMEngine
from drivetrain.core.records import Field, InputSchema
from drivetrain.core.settings import ServeSettings, StoreSettings
from drivetrain.features.aggregate import mean
from drivetrain.features.entity import Entity
from drivetrain.features.request import RequestFeatures
from drivetrain.features.view import FeatureView
from drivetrain.serve.app import Application
from drivetrain.serve.plan import EndpointPlan, RequestField
from drivetrain.store.bundle import open_store

FEATURES = 30


@dataclass(frozen=True)
class Origin:
    """A table's name and key."""

    name: str
    key: tuple[str, ...]


NUMBERS = tuple(RequestField(f"x{at}", "float") for at in range(FEATURES))
VIEWS = tuple(
    FeatureView(
        name=f"view{at}",
        entity=Entity("thing", keys=("thing",)),
        source=Origin("events", ("thing",)),
        features=(mean("amount", windows=[f"{hours}h" for hours in range(1, 11)]),),
    )
    for at in range(3)
)


def asked(request: pl.DataFrame) -> list[pl.Expr]:
    """Ten expressions over the request."""
    del request
    return [(pl.col(f"x{at}") * 2 + pl.col(f"x{at + 1}")).alias(f"f{at}") for at in range(10)]


ASKED = RequestFeatures(name="asked", function=asked, inputs={field.name: "float" for field in NUMBERS})
PLANS = {
    "numbers": EndpointPlan(name="numbers", model="numbers", fields=NUMBERS),
    "online": EndpointPlan(name="online", model="online", fields=(RequestField("thing", "string"),), views=VIEWS),
    "asked": EndpointPlan(name="asked", model="asked", fields=NUMBERS, requests=(ASKED,)),
}
NAMES: dict[str, list[str]] = {
    "numbers": [field.name for field in NUMBERS],
    "online": [name for view in VIEWS for name in view.feature_names],
    "asked": [*ASKED.feature_names, *(field.name for field in NUMBERS[10:])],
}


def numbers(seed: int) -> list[float]:
    """A row of the model's numbers."""
    chance = random.Random(seed)
    return [round(chance.random(), 3) for _ in NUMBERS]


def instance(name: str, row: list[float]) -> dict[str, Any]:
    """One instance of an endpoint's requests."""
    if name == "online":
        return {"thing": "t1"}
    return {field.name: value for field, value in zip(NUMBERS, row, strict=True)}


def computed(row: list[float]) -> list[float]:
    """What the model behind ``asked`` is given for a row, by hand."""
    return [*(row[at] * 2 + row[at + 1] for at in range(10)), *row[10:]]


def application(folder: str, durability: str, log: str) -> Application:
    """The whole server, with validation, routing, metrics and log on."""
    place = Path(folder)
    settings = msgspec.convert({"durability": durability}, ServeSettings)
    return Application(list(PLANS.values()), open_store(StoreSettings(), place), settings, place / f"log-{log}")


def bare(folder: str) -> Any:
    """The least a Python server can do: decode, ask the model, encode."""
    fields = [(field.name, float) for field in NUMBERS]
    body = msgspec.defstruct("Body", [("instances", list[msgspec.defstruct("Instance", fields)])])  # type: ignore[misc]
    decode, encode = msgspec.json.Decoder(body).decode, msgspec.json.Encoder().encode
    schema = InputSchema(tuple(Field(field.name) for field in NUMBERS))
    ask = LightGBMEngine(Path(folder) / "model.txt", schema).predict_row
    headers = [("content-type", "application/json")]

    async def loop(_: Any, wire: Any) -> None:
        instances = decode(await wire()).instances
        predictions = [ask(msgspec.structs.astuple(one)) for one in instances]
        wire.response_bytes(200, headers, encode({"predictions": predictions}))

    return loop
