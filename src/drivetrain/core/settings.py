"""Settings: ``drivetrain.toml``, then the environment, read once at the door into frozen records."""

from __future__ import annotations

import os
import tomllib
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import msgspec

from drivetrain.core.errors import SettingsError

if TYPE_CHECKING:
    from collections.abc import Mapping

PREFIX = "DRIVETRAIN_"


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """A table of ``drivetrain.toml``."""


class StoreSettings(Section, frozen=True):
    """Where state lives. Relative paths are relative to the project folder."""

    root: str = ".drivetrain"
    catalog: str = "sqlite:///.drivetrain/catalog.db"
    tables: str = ".drivetrain/tables"
    blobs: str = ".drivetrain/blobs"
    online: str = "lmdb:.drivetrain/online"
    online_gib: float = 8.0
    """Upper bound of the online store's map, in GiB; disk is taken only as it fills."""
    online_durability: Literal["process", "disk"] = "process"
    """What the local online store outlives: the death of any process, or a power cut too, at a flush a commit."""


class ServeSettings(Section, frozen=True):
    """The inference server."""

    host: str = "127.0.0.1"
    port: int = 8701
    grpc_port: Annotated[int, msgspec.Meta(ge=0, le=65535)] = 0
    """Where Open Inference Protocol V2 is spoken over gRPC too (``pip install "drivetrain[grpc]"``); 0 for nowhere."""
    workers: int = 1
    threads: Annotated[int, msgspec.Meta(ge=1)] = 1
    """Threads of a worker's engine for a batch: more than one helps large batches on idle cores, else it hurts."""
    log: str = ".drivetrain/log"
    durability: Literal["process", "disk", "memory"] = "process"
    log_share: Annotated[float, msgspec.Meta(gt=0.0, le=1.0)] = 1.0
    """Share of requests that the log keeps, 0 to 1; each that it keeps says how many it stands for. Requests of an
    experiment are always kept."""
    log_days: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Days that the log's tables keep a row; 0 for ever."""
    queue: int = 1024
    """Requests that may wait before new ones are answered 429."""
    max_rows: int = 10_000
    max_bytes: int = 16 * 1024 * 1024
    allow_at: bool = False
    """Whether a request may name the moment it is made at; replays need it."""
    body_seconds: float = 30.0
    """How long a request's head may take to arrive, and its body; a slower body is answered 408."""
    tokens: Literal["off", "on"] = "off"
    """Whether everything but liveness takes a token (``drivetrain token create``)."""
    rate: str = ""
    """Requests without a token that the server takes, all together, such as ``"500/s"``; empty for no limit."""
    tls_certificate: str = ""
    """PEM file of the certificate, and of those between it and its authority; with it, the server speaks HTTPS only."""
    tls_key: str = ""
    """PEM file of its private key, without a password."""
    tls_ca: str = ""
    """PEM file of the authority that our own clients trust; the system's authorities where it is empty."""
    explain_rows: int = 100
    """Instances that one request may have explained."""
    explain_queue: int = 16
    """Requests for explanations that may be under way or wait before new ones are answered 429."""
    explain_seconds: float = 10.0
    """How long one may take, waiting included; then it is answered 429."""
    explain_share: Annotated[float, msgspec.Meta(ge=0.0, le=1.0)] = 0.0
    """Share of requests, 0 to 1, whose answers are explained in the prediction log after they were given."""
    access_log: str = ""
    """File that gets one JSON line a request, ``-`` for standard output; empty for none."""
    traces: str = ""
    """Where spans go, over OTLP/HTTP, such as ``http://localhost:4318``; empty for nowhere, unless
    ``OTEL_EXPORTER_OTLP_ENDPOINT`` says so."""


class KeepSettings(Section, frozen=True):
    """Which versions keep their artifacts at ``drivetrain clean``; one that meets either bound does."""

    versions: Annotated[int, msgspec.Meta(ge=0)] = 0
    """The newest so many of a model; 0 for no bound of that kind."""
    days: Annotated[int, msgspec.Meta(ge=0)] = 0
    """Those registered in the last so many days; 0 for no bound of that kind."""


class RegistrySettings(Section, frozen=True):
    """Model versions. Relative paths are relative to the project folder; keys are best kept outside it."""

    signing_key: str = ""
    """PEM file of the private Ed25519 key that versions are signed with when they are registered; empty for none."""
    verify_key: str = ""
    """PEM file of the public key; with it, no version is opened to answer unless that key signed it."""
    keep: KeepSettings = KeepSettings()
    """Of models that do not say it themselves; everything is kept by default."""


class ModelSettings(Section, frozen=True):
    """What models may do."""

    trust_pickles: tuple[str, ...] = ()
    """Models, by name, whose versions may be opened from a pickle: opening one runs code of its author's."""


class TrackingSettings(Section, frozen=True):
    """Where runs are told of elsewhere."""

    wandb: str = ""
    """The project at Weights & Biases that every run is mirrored to (``pip install "drivetrain[wandb]"``); empty for
    none."""


class WebSettings(Section, frozen=True):
    """The control API and dashboard."""

    host: str = "127.0.0.1"
    port: int = 8700
    address: str = ""
    """Where people reach it, such as ``https://drivetrain.example.org``, for links in messages; by default what it
    listens on."""


class ComputeSettings(Section, frozen=True):
    """Where steps run."""

    engine: str = "local"
    threads: int = 0
    """Threads for training; 0 means one per core."""


class PrivacySettings(Section, frozen=True):
    """Personal data."""

    key: str = ""
    """Where the key is that digests of forgotten subjects are made with: ``env:NAME`` or ``file:path``. By default a
    file ``privacy.key`` under ``[store] root``, which is made when it is needed."""
    epsilon: float = 1.0
    """What differentially private figures of one table may tell of a subject, all of them together, for ever."""
    delta: float = 1e-6
    """Probability with which they may tell more."""


class Settings(Section, frozen=True):
    """Everything ``drivetrain.toml`` may say."""

    project: str = "project.py"
    store: StoreSettings = StoreSettings()
    registry: RegistrySettings = RegistrySettings()
    models: ModelSettings = ModelSettings()
    tracking: TrackingSettings = TrackingSettings()
    serve: ServeSettings = ServeSettings()
    web: WebSettings = WebSettings()
    compute: ComputeSettings = ComputeSettings()
    privacy: PrivacySettings = PrivacySettings()


def load_settings(folder: Path, environment: Mapping[str, str] | None = None) -> Settings:
    """Reads a project folder's settings.

    Args:
        folder: The project folder; ``drivetrain.toml`` in it is optional.
        environment: Overrides such as ``DRIVETRAIN_STORE__CATALOG``; the process's own by default. Two underscores
            part a section from its key.

    Raises:
        SettingsError: The file is no TOML, or a key is unknown or of the wrong type.
    """
    path = folder / "drivetrain.toml"
    raw: dict[str, Any] = {}
    if path.is_file():
        try:
            raw = tomllib.loads(path.read_text("utf-8"))
        except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
            raise SettingsError(f"{path} is not TOML: {error}", do="Mend the line it names") from None
    for name, value in sorted((os.environ if environment is None else environment).items()):
        if name.startswith(PREFIX) and "__" in name:
            section, _, key = name.removeprefix(PREFIX).lower().partition("__")
            table = raw.setdefault(section, {})
            if isinstance(table, dict):
                table[key] = value
    try:
        return msgspec.convert(raw, Settings, strict=False)
    except msgspec.ValidationError as error:
        where = f"{path} or the environment ({PREFIX}…)"
        raise SettingsError(f"a setting in {where} can't be used: {error}") from None
