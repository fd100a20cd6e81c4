"""The store's protocols in memory: fakes for tests, held to the same conformance suites as the real ones."""

from __future__ import annotations

import shutil
import tempfile
import threading
import weakref
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import IO, TypeVar, cast

import msgspec

from drivetrain.core.clock import SECOND, Micros
from drivetrain.core.clock import now as _present
from drivetrain.core.errors import Conflict, LeaseLost, StoreError
from drivetrain.core.hashing import Digest, digest_bytes
from drivetrain.core.protocols import Lease, Reader
from drivetrain.core.records import AuditEntry, Link, Metric, Record
from drivetrain.store.audit import entries
from drivetrain.store.run_log import changed, newest_of, newness

R = TypeVar("R", bound=Record)
T = TypeVar("T")


_encode = msgspec.msgpack.Encoder().encode


def _number(entry: AuditEntry) -> int:
    return entry.number


class MemoryCatalog:
    """A :class:`~drivetrain.core.protocols.Catalog` that is gone with its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._revision = 0
        self._records: dict[str, tuple[tuple[Micros, int, int], Record]] = {}
        self._links: dict[Link, None] = {}

    def commit(self, *records: Record, links: Sequence[Link] = (), expect: Mapping[str, int] | None = None) -> int:
        """Keeps records and links, all or none."""
        with self._lock:
            for ref, wanted in (expect or {}).items():
                if self._revision_of(ref) != wanted:
                    raise Conflict(f"{ref} was changed by somebody else", found=self._revision_of(ref), expected=wanted)
            self._revision += 1
            last = max(
                (record for _, record in self._records.values() if isinstance(record, AuditEntry)),
                key=_number,
                default=None,
            )
            told = entries(((record, _encode(record)) for record in {one.ref: one for one in records}.values()), last)
            for place, record in enumerate([*records, *told]):
                self._records[record.ref] = ((record.at, self._revision, place), record)
            self._links.update(dict.fromkeys(links))
            return self._revision

    def body(self, ref: str) -> bytes | None:
        """A record's bytes as they were committed; none where there is no such record."""
        kept = self._records.get(ref)
        return None if kept is None else _encode(kept[1])

    def erase(self, *refs: str) -> int:
        """Removes records; how many there were."""
        with self._lock:
            self._revision += 1
            return sum(self._records.pop(ref, None) is not None for ref in refs)

    def get(self, kind: type[R], key: str) -> R | None:
        """The record of that kind and key, if there is one."""
        kept = self._records.get(f"{kind.kind}:{key}")
        return None if kept is None else cast("R", kept[1])

    def find(
        self, kind: type[R], subject: str | None = None, *, since: Micros | None = None, limit: int | None = None
    ) -> list[R]:
        """Records of a kind, newest first (by ``at``, then by commit); ``since`` is inclusive."""
        with self._lock:
            kept = sorted(self._records.values(), key=lambda entry: entry[0], reverse=True)
        found = [
            cast("R", record)
            for _, record in kept
            if record.kind == kind.kind
            and (subject is None or record.subject == subject)
            and (since is None or record.at >= since)
        ]
        return found[:limit]

    def record_revision(self, ref: str) -> int:
        """Revision at which ``kind:key`` was last committed; 0 if never."""
        return self._revision_of(ref)

    def revision(self) -> int:
        """How many commits there were."""
        return self._revision

    def links(self, *, source: str | None = None, target: str | None = None) -> list[Link]:
        """Links out of ``source``, or into ``target``, in the order they were kept."""
        with self._lock:
            return [
                link
                for link in self._links
                if (source is None or link.source == source) and (target is None or link.target == target)
            ]

    def close(self) -> None:
        """Nothing to let go of."""

    def _revision_of(self, ref: str) -> int:
        kept = self._records.get(ref)
        return 0 if kept is None else kept[0][1]


class MemoryRunLog:
    """A :class:`~drivetrain.core.protocols.RunLog` that is gone with its process."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._points: dict[tuple[str, str], dict[tuple[int, int, bool, float], Metric]] = {}
        self._parameters: dict[str, dict[str, str]] = {}
        self._tags: dict[str, dict[str, str]] = {}

    def log(
        self,
        run: str,
        metrics: Sequence[Metric] = (),
        *,
        parameters: Mapping[str, str] | None = None,
        tags: Mapping[str, str] | None = None,
    ) -> None:
        """Keeps all of it, or nothing."""
        with self._lock:
            known = self._parameters.get(run, {})
            for key, value in (parameters or {}).items():
                if known.get(key, value) != value:
                    raise changed(run, key, known[key], value)
            self._parameters.setdefault(run, {}).update(parameters or {})
            self._tags.setdefault(run, {}).update(tags or {})
            for metric in metrics:
                self._points.setdefault((run, metric.key), {}).setdefault(newness(metric), metric)

    def untag(self, run: str, key: str) -> bool:
        """Takes a tag away; whether there was one."""
        with self._lock:
            return self._tags.get(run, {}).pop(key, None) is not None

    def latest(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, Metric]]:
        """Run → metric → its newest point."""
        with self._lock:
            found: dict[str, dict[str, Metric]] = {run: {} for run in runs}
            for (run, key), points in self._points.items():
                if run in found and (keys is None or key in keys):
                    found[run] |= newest_of(points.values())
            return found

    def history(
        self, run: str, key: str, *, since: int | None = None, until: int | None = None, limit: int | None = None,
        skip: int = 0,
    ) -> list[Metric]:  # fmt: skip
        """A metric's points by step, then time."""
        with self._lock:
            points = sorted(self._points.get((run, key), {}).items())
        steps = [
            point
            for _, point in points
            if (since is None or point.step >= since) and (until is None or point.step <= until)
        ]
        return steps[skip:][:limit]

    def parameters(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Run → name → value."""
        return self._said(self._parameters, runs, keys)

    def tags(self, runs: Sequence[str], keys: Sequence[str] | None = None) -> dict[str, dict[str, str]]:
        """Run → name → value."""
        return self._said(self._tags, runs, keys)

    def _said(
        self, kept: Mapping[str, Mapping[str, str]], runs: Sequence[str], keys: Sequence[str] | None
    ) -> dict[str, dict[str, str]]:
        with self._lock:
            return {
                run: {key: value for key, value in kept.get(run, {}).items() if keys is None or key in keys}
                for run in runs
            }


class MemoryBlobs:
    """:class:`~drivetrain.core.protocols.Blobs` that are gone with their process."""

    def __init__(self) -> None:
        self._blobs: dict[Digest, bytes] = {}
        self._folder: Path | None = None

    def put(self, data: bytes) -> Digest:
        """Keeps bytes."""
        digest = digest_bytes(data)
        self._blobs[digest] = bytes(data)
        return digest

    def put_file(self, file: IO[bytes]) -> Digest:
        """Keeps what a file holds."""
        return self.put(file.read())

    def get(self, digest: Digest) -> bytes:
        """The bytes."""
        if digest not in self._blobs:
            raise StoreError(f"there is no blob {digest} in memory")
        return self._blobs[digest]

    def path(self, digest: Digest) -> Path:
        """A temporary file with the bytes."""
        data = self.get(digest)
        if self._folder is None:
            self._folder = Path(tempfile.mkdtemp(prefix="drivetrain-blobs-"))
            weakref.finalize(self, shutil.rmtree, self._folder, ignore_errors=True)
        path = self._folder / digest
        path.write_bytes(data)
        return path

    def has(self, digest: Digest) -> bool:
        """Whether there is such a blob."""
        return digest in self._blobs

    def remove(self, digest: Digest) -> bool:
        """Takes a blob away; whether it was there."""
        return self._blobs.pop(digest, None) is not None


class MemoryOnline:
    """An :class:`~drivetrain.core.protocols.OnlineStore` that is gone with its process."""

    def __init__(self) -> None:
        self._lock = threading.RLock()  # a change may read other spaces
        self._rows: dict[str, dict[bytes, bytes]] = {}
        self._marks: dict[str, bytes] = {}

    def read(self, space: str, keys: Sequence[bytes]) -> list[bytes | None]:
        """The rows of the keys, in order."""
        with self._lock:
            rows = self._rows.get(space, {})
            return [rows.get(key) for key in keys]

    def read_many(self, asks: Sequence[tuple[str, bytes]]) -> list[bytes | None]:
        """Rows from several spaces."""
        with self._lock:
            return [self._rows.get(space, {}).get(key) for space, key in asks]

    def write(self, space: str, rows: Iterable[tuple[bytes, bytes]], *, mark: bytes | None = None) -> None:
        """Keeps rows and, with them or not at all, the space's mark."""
        kept = dict(rows)  # all of them before any is kept: the caller's iterable may raise
        with self._lock:
            if kept or mark is not None:
                self._rows.setdefault(space, {}).update(kept)
            if mark is not None:
                self._marks[space] = mark

    def read_in_place(
        self, asks: Sequence[tuple[str, Sequence[bytes]]], use: Callable[[Sequence[bytes | memoryview | None]], T]
    ) -> T:
        """What ``use`` makes of rows of several spaces."""
        return use(self.read_many([(space, key) for space, keys in asks for key in keys]))

    def update(
        self,
        space: str,
        change: Callable[[Reader], Iterable[tuple[bytes, bytes | None]]],
        *,
        mark: bytes | None = None,
    ) -> None:
        """Reads and writes in one step."""
        with self._lock:
            changed = dict(change(lambda keys: self.read(space, keys)))
            self.delete(space, [key for key, row in changed.items() if row is None])
            self.write(space, [(key, row) for key, row in changed.items() if row is not None], mark=mark)

    def keys(self, space: str) -> list[bytes]:
        """Every key of a space."""
        with self._lock:
            return list(self._rows.get(space, {}))

    def mark(self, space: str) -> bytes | None:
        """The mark of the last write that set one."""
        return self._marks.get(space)

    def delete(self, space: str, keys: Iterable[bytes]) -> None:
        """Forgets keys."""
        with self._lock:
            for key in keys:
                self._rows.get(space, {}).pop(key, None)

    def drop(self, space: str) -> None:
        """Forgets a space and its mark."""
        with self._lock:
            self._rows.pop(space, None)
            self._marks.pop(space, None)

    def scrub(self) -> None:
        """Nothing of deleted rows is left."""

    def spaces(self) -> dict[str, int]:
        """Every space and how many rows it holds."""
        with self._lock:
            return {space: len(rows) for space, rows in self._rows.items()}

    def close(self) -> None:
        """Nothing to let go of."""


class MemoryLeases:
    """:class:`~drivetrain.core.protocols.Leases` between the threads of one process."""

    def __init__(self, now: Callable[[], Micros] = _present) -> None:
        self._now = now
        self._lock = threading.Lock()
        self._leases: dict[str, Lease] = {}

    def acquire(self, name: str, holder: str, seconds: float) -> Lease | None:
        """The lease, or ``None`` while somebody else's has not expired."""
        with self._lock:
            now = self._now()
            held = self._leases.get(name)
            if held is not None and held.holder != holder and held.expires > now:
                return None
            token = 1 if held is None else held.token + 1
            self._leases[name] = Lease(name, holder, token, now + round(seconds * SECOND))
            return self._leases[name]

    def renew(self, lease: Lease, seconds: float) -> Lease:
        """The same lease, longer."""
        with self._lock:
            if not self._is_held(lease):
                raise LeaseLost(f"the lease on {lease.name} is no longer {lease.holder}'s")
            self._leases[lease.name] = Lease(
                lease.name, lease.holder, lease.token, self._now() + round(seconds * SECOND)
            )
            return self._leases[lease.name]

    def release(self, lease: Lease) -> None:
        """Gives it back; one that is lost already changes nothing."""
        with self._lock:
            if self._is_held(lease):
                self._leases[lease.name] = Lease(lease.name, "", lease.token, 0)

    def _is_held(self, lease: Lease) -> bool:
        held = self._leases.get(lease.name)
        return held is not None and (held.holder, held.token) == (lease.holder, lease.token)
