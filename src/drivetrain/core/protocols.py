"""The seams: what a store, an engine, a trainer, a tuner and a sink must do. Conformance suites are in ``testing/``."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, Any, NamedTuple, Protocol, TypeVar

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.frames import Matrix
from drivetrain.core.hashing import Digest
from drivetrain.core.progress import Progress
from drivetrain.core.records import InputSchema, Link, Metric, Record
from drivetrain.core.records.run import Scalar
from drivetrain.core.records.task import TaskKind

R = TypeVar("R", bound=Record)
T = TypeVar("T")

Reader = Callable[[Sequence[bytes]], list[bytes | None]]
"""Keys → their rows, ``None`` where there is none."""


class Noised(NamedTuple):
    """Figures with noise.

    Attributes:
        values: The figures.
        scale: Scale of the noise: Laplace's, or a normal's standard deviation.
        sure: What the noise of one figure stays below, either way, with a probability of 95 %.
    """

    values: list[int]
    scale: float
    sure: float


class Noise(Protocol):
    """Adds noise to figures, so that what they say of one subject is bounded: differential privacy."""

    def __call__(self, values: Sequence[int], *, reach: int, epsilon: float, delta: float) -> Noised:
        """The figures with noise.

        Args:
            values: The figures.
            reach: How far they may move, all of them together, when a subject comes or goes.
            epsilon: How much the log of any outcome's probability may change with that.
            delta: Probability of what may change it more; 0 for none.
        """
        ...


class Catalog(Protocol):
    """Records and the links between them; every call is atomic and durable when it returns."""

    def commit(self, *records: Record, links: Sequence[Link] = (), expect: Mapping[str, int] | None = None) -> int:
        """Keeps records and links, all or none; one with a known kind and key is replaced.

        Args:
            records: What to keep.
            links: Lineage to keep with them; a link that is there already changes nothing.
            expect: Ref (``kind:key``) → revision it must still have (0: must not exist).

        Returns:
            The catalog's revision after the commit.

        Raises:
            Conflict: A record named in ``expect`` has another revision; nothing was kept.
            StoreError: The database is away or full; nothing was kept.
        """
        ...

    def body(self, ref: str) -> bytes | None:
        """A record's bytes as they were committed; none where there is no such record."""
        ...

    def erase(self, *refs: str) -> int:
        """Removes records for good, so that no file of the catalog holds their bytes any more; how many there were.

        What is removed so is gone from every history: it is for what must be forgotten, and for nothing else.
        """
        ...

    def get(self, kind: type[R], key: str) -> R | None:
        """The record of that kind and key, if there is one."""
        ...

    def find(
        self, kind: type[R], subject: str | None = None, *, since: Micros | None = None, limit: int | None = None
    ) -> list[R]:
        """Records of a kind, newest first (by ``at``, then by commit)."""
        ...

    def record_revision(self, ref: str) -> int:
        """Revision at which ``kind:key`` was last committed; 0 if never."""
        ...

    def revision(self) -> int:
        """Grows with every commit by anyone; cheap enough to poll."""
        ...

    def links(self, *, source: str | None = None, target: str | None = None) -> list[Link]:
        """Links out of ``source``, or into ``target``, in the order they were kept."""
        ...

    def close(self) -> None:
        """Lets go of connections."""
        ...


class RunLog(Protocol):
    """What runs say of themselves while they are under way; several may say it at once, and nothing is lost.

    A run is named by its id; whether there is such a run is the caller's to know. Every call is atomic, and durable
    when it returns.
    """

    def log(
        self,
        run: str,
        metrics: Sequence[Metric] = (),
        *,
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps all of it, or nothing.

        Args:
            run: The run's id.
            metrics: Points of its metrics' histories. The same point again changes nothing.
            parameters: Name → value. A parameter never changes.
            tags: Name → value; the last one said is the one that holds.

        Raises:
            Conflict: A parameter has another value already; nothing was kept.
            StoreError: The database is away or full; nothing was kept.
        """
        ...

    def untag(self, run: str, key: str) -> bool:
        """Takes a tag away; whether there was one."""
        ...

    def latest(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, Metric]]:
        """Run → metric → its newest point: of the greatest step, then time, then value; NaN comes before all others.

        Args:
            runs: Which runs.
            keys: Only these metrics; all by default.
        """
        ...

    def history(
        self, run: str, key: str, *, since: int | None = None, until: int | None = None, limit: int | None = None,
        skip: int = 0,
    ) -> list[Metric]:  # fmt: skip
        """A metric's points by step, then time; those of the steps from ``since`` to ``until``, both included."""
        ...

    def parameters(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Run → name → value."""
        ...

    def tags(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Run → name → value."""
        ...


class Blobs(Protocol):
    """Bytes under their digest; written once, checked whenever read."""

    def put(self, data: bytes) -> Digest:
        """Keeps bytes; the same bytes again change nothing."""
        ...

    def put_file(self, file: IO[bytes]) -> Digest:
        """Keeps what a file holds from where it stands, read in pieces: it stands at its end afterwards."""
        ...

    def get(self, digest: Digest) -> bytes:
        """The bytes.

        Raises:
            StoreError: There is no such blob.
            CorruptBlob: What is there does not match the digest.
        """
        ...

    def path(self, digest: Digest) -> Path:
        """A local file with the bytes, checked; raises as :meth:`get`."""
        ...

    def has(self, digest: Digest) -> bool:
        """Whether there is such a blob."""
        ...

    def remove(self, digest: Digest) -> bool:
        """Takes a blob away; whether it was there."""
        ...


class OnlineStore(Protocol):
    """Packed rows by (space, key); a space is one view at one definition (``view@digest``)."""

    def read(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of the keys, in order; ``None`` where there is none."""
        ...

    def read_many(self, asks: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
        """Rows from several spaces in one round trip."""
        ...

    def read_in_place(
        self, asks: Sequence[tuple[str, Sequence[bytes]]], use: Callable[[Sequence[bytes | memoryview | None]], T]
    ) -> T:
        """What ``use`` makes of rows of several spaces, each with its keys, in one round trip.

        It is given the rows of the first space's keys, then those of the next. They may lie where the store has them,
        and be gone when ``use`` returns: it keeps none of them.
        """
        ...

    def write(self, space: str, rows: Iterable[tuple[bytes, bytes]], *, mark: bytes | None = None) -> None:
        """Keeps rows and, with them or not at all, the space's mark (how far it is filled).

        Raises:
            StoreError: The store is full or away; nothing was kept.
        """
        ...

    def update(
        self,
        space: str,
        change: Callable[[Reader], Iterable[tuple[bytes, bytes | None]]],
        *,
        mark: bytes | None = None,
    ) -> None:
        """Reads and writes in one step that no other writer comes between.

        Args:
            space: Which space.
            change: Given a function that reads rows of the space as they are (its own writes not among them), returns
                the rows to keep; ``None`` deletes. It may be called again if another writer came first, and others
                may wait for it: it must be quick and have no effects of its own.
            mark: As for :meth:`write`; kept with the rows or not at all.

        Raises:
            StoreError: The store is full or away, or other writers came first too often; nothing was kept.
        """
        ...

    def keys(self, space: str) -> list[bytes]:
        """Every key of a space, in no order; those that the store had to cut for their length may be left out."""
        ...

    def mark(self, space: str) -> bytes | None:
        """The mark of the last write that set one."""
        ...

    def delete(self, space: str, keys: Iterable[bytes]) -> None:
        """Forgets keys; ones that are not there change nothing."""
        ...

    def drop(self, space: str) -> None:
        """Forgets a space and its mark."""
        ...

    def scrub(self) -> None:
        """Leaves no bytes of rows that were deleted or replaced, as far as the store's files are ours.

        Raises:
            StoreError: Somebody reads without a pause, or the store is away.
        """
        ...

    def spaces(self) -> dict[str, int]:
        """Every space and how many rows it holds."""
        ...

    def close(self) -> None:
        """Lets go of files or connections."""
        ...


class Lease(msgspec.Struct, frozen=True):
    """A right to work on something until it expires. ``token`` grows with every new holder (a fencing token)."""

    name: str
    holder: str
    token: int
    expires: Micros


class Leases(Protocol):
    """At most one holder of a name at a time."""

    def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        """The lease, or ``None`` while somebody else's has not expired. The holder itself gets its own anew."""
        ...

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """The same lease, longer.

        Raises:
            LeaseLost: It ran out and another holder has, or had, it.
        """
        ...

    def release(self, lease: Lease) -> None:
        """Gives it back; one that is lost already changes nothing."""
        ...


class Engine(Protocol):
    """A model loaded for serving; no more threads than it was opened with, no allocation it can avoid."""

    def predict(self, rows: Matrix) -> Matrix:
        """Predictions for a float64 matrix of shape (n, fields): shape (n,), or (n, classes)."""
        ...

    def predict_row(self, row: Sequence[float]) -> float | list[float]:
        """The prediction for one row."""
        ...

    def explain(self, rows: Matrix) -> Matrix | None:
        """Contributions in units of the margin, shape (n, fields + 1) with the expected value last; none if unknown."""
        ...


class LoadEngine(Protocol):
    """How an adapter opens an artifact: its attribute ``engine``."""

    def __call__(self, path: Path, schema: InputSchema, threads: int = 1, /) -> Engine:
        """Opens the artifact.

        Args:
            path: The file.
            schema: What its rows hold.
            threads: How many a batch may be computed on; a row is always answered on the calling one.

        Raises:
            StoreError: The file is no such model, or reads another number of columns than the schema has.
        """
        ...


class FitTask(msgspec.Struct, frozen=True, kw_only=True):
    """What a trainer is given: encoded rows in time order, and validation rows that come after them."""

    rows: Any
    """float64 matrix, shape (n, fields)."""
    labels: Any
    """float64 vector, shape (n,); of several labels, 0 or 1, shape (n, labels)."""
    weights: Any = None
    """float64 vector, shape (n,): how much each row counts; none where all count alike. Validation rows always do."""
    valid_rows: Any = None
    valid_labels: Any = None
    kind: TaskKind = "binary"
    classes: tuple[str, ...] = ()
    """Names of the classes, of which labels are the positions, or of the columns of several labels."""
    levels: tuple[float, ...] = ()
    """Of quantiles: the probabilities wanted, ascending."""
    groups: Any = None
    """int64 vector, shape (n,), of ranking: rows of a group have the same number and stand together."""
    valid_groups: Any = None
    schema: InputSchema
    parameters: Mapping[str, Scalar]
    seed: int
    threads: int
    report: Callable[[int, float], None] | None = None
    """Called with (iteration, metric on validation rows); may raise to prune. A trainer that does not follow the metric
    tells its loss instead: as it is where :attr:`rising` is false, negative where it is true."""
    metric: str = "average_precision"
    rising: bool = True
    """Whether more of the metric is better."""
    checkpoints: Path | None = None
    """Folder where a fit that may be killed leaves how far it is; the same fit with the same folder goes on from there,
    to the same result. None where nothing is to be left."""
    checkpoint_seconds: float = 30.0
    """How far apart they are, at least."""


class Fitted(Protocol):
    """A model just fitted."""

    def predict(self, rows: Matrix) -> Matrix:
        """As :meth:`Engine.predict`."""
        ...

    def save(self, folder: Path) -> list[tuple[str, str]]:
        """Writes every form it can be served in.

        Returns:
            (file name, format) of each; the first is served unless another agrees and is enough faster.
        """
        ...

    def importance(self) -> dict[str, float]:
        """Feature → share, adding to one; empty if unknown."""
        ...

    def parameters(self) -> dict[str, Scalar]:
        """What was really used, for example the number of trees after early stopping."""
        ...


class Trainer(Protocol):
    """Fits models; a frozen record of its own settings."""

    @property
    def name(self) -> str:
        """Name in runs and reports."""
        ...

    @property
    def engine(self) -> str:
        """Adapter that serves what it fits."""
        ...

    def search_space(self) -> Mapping[str, Space]:
        """What tuning may vary; empty if nothing."""
        ...

    def fit(self, task: FitTask) -> Fitted:
        """Fits a model.

        Raises:
            TrainingError: The rows can't be fitted; the message says why.
        """
        ...


class Space(msgspec.Struct, frozen=True):
    """Values a parameter may take: a range, or choices."""

    low: float = 0.0
    high: float = 1.0
    integer: bool = False
    log: bool = False
    choices: tuple[Scalar, ...] = ()


class Tuner(Protocol):
    """Searches for good parameters."""

    def tune(
        self,
        objective: Callable[[Mapping[str, Scalar], Callable[[int, float], None]], float | Sequence[float]],
        space: Mapping[str, Space],
        *,
        trials: int,
        seed: int,
        seconds: float | None,
        storage: Path | None,
        progress: Progress,
        objectives: Sequence[str] = (),
        enqueue: Sequence[Mapping[str, Scalar]] = (),
    ) -> list[Any]:
        """Runs trials of ``objective`` (greater is better); returns :class:`Trial` records, in order.

        Where ``objectives`` names several, the objective returns a value of each, in that order. Parameters in
        ``enqueue`` are tried first, what they leave out as the search sees fit. A trial that raises has failed, with
        what it raised as its reason, and the search goes on.
        """
        ...
