"""``forget``: one subject is erased everywhere, it is proven, and what learned from them is named.

The order is what lets a kill at any instant be mended by doing it again: the tables of sources, which tell what else is
the subject's, come last of the tables; online rows follow them; the record of the request is opened first, closed last.
"""

from __future__ import annotations

import hmac
from collections.abc import Sequence
from contextlib import nullcontext
from itertools import chain
from pathlib import Path

import msgspec
from msgspec.structs import replace

from drivetrain.core.clock import now as present
from drivetrain.core.hashing import digest
from drivetrain.core.ids import new_id
from drivetrain.core.progress import Progress, watcher
from drivetrain.core.records import Decision, Forgetting
from drivetrain.data.forgotten import place_of_key, subject_digest
from drivetrain.data.privacy.key import read_key
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.forget.erasing import Erasing
from drivetrain.loop.forget.learned import Learned, learned_from
from drivetrain.loop.forget.person import entities_of, find_person, texts_of
from drivetrain.loop.forget.proof import LEAST, Names, places_of_state, search
from drivetrain.loop.runner import LEASE, holding

_SCRUBS = 5


class Forgotten(msgspec.Struct, frozen=True, kw_only=True):
    """What came of a request to be forgotten, or would.

    Attributes:
        entity: What the subject was.
        id: The record's id; none where nothing was done.
        digest: Of entity and key, under the project's own key.
        dry_run: Whether nothing was done.
        erased: Place → how many rows or entries.
        versions: Model versions that learned from the subject.
        retrain: Endpoints whose next look retrains.
        left: Files of the state that still hold the subject's name; none where it is proven that none does.
        searched: What was searched for: the key as ``text``, or as a ``value`` of its columns alone, where it is too
            short to tell it from other text.
        waiting: What has to happen before it is wholly done.
        outside: Files that sources read, beyond the state, that still name the subject.
        beyond: What no search here reaches, and what was or should be done about it.
    """

    entity: str
    id: str | None
    digest: str
    dry_run: bool
    erased: dict[str, int]
    versions: tuple[Learned, ...]
    retrain: tuple[str, ...] = ()
    left: tuple[str, ...] = ()
    searched: str = "text"
    waiting: tuple[str, ...] = ()
    outside: tuple[str, ...] = ()
    beyond: tuple[str, ...] = ()

    @property
    def done(self) -> bool:
        """Whether nothing of the subject is left."""
        return not self.left


def forget(
    project: Definitions,
    entity: str,
    key: str,
    *,
    dry_run: bool,
    retrain: bool,
    because: str,
    actor: str,
    progress: Progress | None,
) -> Forgotten:
    """See :meth:`Project.forget`."""
    watching = watcher(progress)
    person = find_person(project, entity, key)
    forms = [texts_of(form) for form in person.keys]
    place = place_of_key(project.settings.privacy, project.settings.store)
    known = digest_of(project, place, person.entity.name, person.texts, make=not dry_run)
    raw = digest_of(project, place, person.entity.name, person.given, make=not dry_run)
    with nullcontext() if dry_run else holding(project.store.leases, LEASE):
        entities = entities_of(project, person)
        names = Names([*({*person.given, *chain(*forms)} if len(person.texts) == 1 else ()), *entities])
        versions = learned_from(project, person, entities)
        erasing = Erasing(project, person, entities, names, present(), dry=dry_run)
        record = _opened(
            project,
            Forgetting(
                at=erasing.now,
                id=new_id(),
                entity=person.entity.name,
                digest=known,
                given="" if person.given == person.texts else raw,
                sealed=place,
                actor=actor,
                because=because,
                places=person.places,
                versions=tuple(one.ref for one in versions),
            ),
            dry=dry_run,
        )
        _erase(erasing, watching)
        state = places_of_state(project)
        left = [] if dry_run else _proven(project, erasing, state, watching)
        said = Forgotten(
            entity=person.entity.name,
            id=None if dry_run else record.id,
            digest=known,
            dry_run=dry_run,
            erased=erasing.erased,
            versions=tuple(versions),
            retrain=_queued(project, record, versions) if retrain and not dry_run else (),
            left=tuple(_told(project, path) for path in left),
            searched="text"
            if all(len(text) >= LEAST for text in chain(*forms)) and len(person.texts) == 1
            else "value",
            waiting=_waiting(project),
            beyond=_beyond(project),
            outside=tuple(_told(project, path) for path in _outside(project, erasing, state)),
        )
        if not dry_run:
            _close(project, record, said)
    return said


def digest_of(project: Definitions, place: str, entity: str, texts: Sequence[str], *, make: bool) -> str:
    """What a record calls a subject; empty where there is no key yet and none is to be made."""
    path = project.folder / place.removeprefix("file:")
    if not make and place.startswith("file:") and not path.exists():
        return ""
    return subject_digest(read_key(place, project.folder, make=make), entity, texts)


def _opened(project: Definitions, record: Forgetting, *, dry: bool) -> Forgetting:
    """The record, committed before anything is erased; that of a call that was cut off goes on."""
    if dry:
        return record
    catalog = project.store.catalog
    past = [
        one
        for one in catalog.find(Forgetting, record.entity)
        if one.state == "open" and hmac.compare_digest(one.digest, record.digest)
    ]
    if past:
        versions = tuple(dict.fromkeys([*past[0].versions, *record.versions]))
        record = replace(past[0], versions=versions, places=past[0].places | record.places)
    catalog.commit(record)
    return record


def _erase(erasing: Erasing, progress: Progress) -> None:
    task = "forget"
    progress.start(task)
    for words, do in (
        ("logs", erasing.logs),
        ("training sets", erasing.training_sets),
        ("quarantine", erasing.quarantine),
    ):
        progress.advance(task, 1, words)
        do()
    progress.advance(task, 1, "tables")
    changed = erasing.tables()
    progress.advance(task, 1, "online rows")
    erasing.online(changed)
    progress.advance(task, 1, "records")
    erasing.keys()
    erasing.records(changed)
    progress.finish(task, f"{sum(erasing.erased.values()):,} rows and entries")


def _proven(project: Definitions, erasing: Erasing, state: Sequence[Path], progress: Progress) -> list[Path]:
    """Files that still hold the subject; the online store is cleared again while others write it."""
    task = "proof"
    progress.start(task)
    left = search(state, erasing.names, erasing.is_theirs)
    for _ in range(_SCRUBS):
        if not any(path.name == "data.mdb" for path in left):
            break
        project.store.online.scrub()
        left = search(left, erasing.names, erasing.is_theirs)
    progress.finish(task, f"{len(left)} files still name the subject" if left else "no file names the subject")
    return left


def _queued(project: Definitions, record: Forgetting, versions: Sequence[Learned]) -> tuple[str, ...]:
    """Asks for retraining, once, of what serves and learned from the subject; the next look of its monitor does it."""
    models = {one.model for one in versions if one.serves}
    asked = [
        endpoint
        for endpoint in project.endpoints.values()
        if endpoint.model.name in models
        and endpoint.name in project.monitors
        and project.monitors[endpoint.name].retrain is not None
    ]
    decisions = [
        Decision(
            id=digest(["forget", record.id, endpoint.name]),
            at=present(),
            about=endpoint.name,
            what="retrain",
            because="a subject whose rows the champion learned from was forgotten",
            actor=record.actor,
            evidence=msgspec.json.encode({"forgetting": record.id}).decode(),
        )
        for endpoint in asked
    ]
    if decisions:
        project.store.catalog.commit(*decisions)
    return tuple(endpoint.name for endpoint in asked)


def _waiting(project: Definitions) -> tuple[str, ...]:
    if project.settings.serve.durability != "memory":
        return ()
    return ("a running server holds up to 1 MiB of its log in memory; forget again when it has stopped",)


def _beyond(project: Definitions) -> tuple[str, ...]:
    """What is kept by servers: it is erased there, and their files and copies are not ours to search."""
    store, told = project.settings.store, []
    if store.online.partition("://")[0].startswith(("redis", "valkey", "rediss")):
        told.append(
            "the online store's server wrote its append-only file and snapshot anew, where it keeps them; its replicas "
            "and copies of its files may hold the subject's rows until they are replaced"
        )
    if not store.catalog.startswith("sqlite"):
        told.append(
            "the catalog's server was told to vacuum; its write-ahead log, replicas and backups may hold what was "
            "erased until they are recycled"
        )
    if "://" in store.tables or "://" in store.blobs:
        told.append("files in object storage were deleted; a bucket that keeps versions keeps them: let these expire")
    return tuple(told)


def _outside(project: Definitions, erasing: Erasing, state: Sequence[Path]) -> list[Path]:
    """Raw files below the project's folder that name the subject: they are not ours to change."""
    if not erasing.names:
        return []
    files = [
        path
        for path in project.folder.rglob("*")
        if path.is_file() and not any(place == path or place in path.resolve().parents for place in state)
    ]
    return search(files, erasing.names, erasing.is_theirs)


def _close(project: Definitions, record: Forgetting, said: Forgotten) -> None:
    project.store.catalog.commit(
        replace(
            record,
            state="open" if said.left else "done",
            erased=_added(record.erased, said.erased),
            left=said.left,
            finished=None if said.left else present(),
        )
    )


def _added(before: dict[str, int], more: dict[str, int]) -> dict[str, int]:
    return {place: before.get(place, 0) + more.get(place, 0) for place in {**before, **more}}


def _told(project: Definitions, path: Path) -> str:
    try:
        return path.relative_to(project.folder.resolve()).as_posix()
    except ValueError:
        return path.as_posix()
