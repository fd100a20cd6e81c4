"""Looks at everything the project stands on, and says what to do about what is wrong."""

from __future__ import annotations

import shutil
import socket
import sys
from collections.abc import Callable, Iterator
from functools import partial
from typing import Any

from drivetrain.core.errors import DrivetrainError
from drivetrain.core.records import ModelVersion
from drivetrain.data.privacy.scan import compiled as looks_compiled
from drivetrain.features.online.heads import compiled
from drivetrain.loop.definitions import Definitions
from drivetrain.loop.keys import check_signed, signing_key, verify_key
from drivetrain.registry.aliases import current

Finding = dict[str, Any]
LOW_DISK_GIB = 2.0


def doctor(project: Definitions) -> list[Finding]:
    """Every check, each ``ok``, ``warning`` or ``broken``, in words, with what to do."""
    found: list[Finding] = []
    for about, check in _checks(project):
        try:
            found.append({"about": about, **check()})
        except (DrivetrainError, OSError) as error:
            found.append({"about": about, "state": "broken", "words": str(error), "do": getattr(error, "do", None)})
    return found


def _checks(project: Definitions) -> Iterator[tuple[str, Callable[[], Finding]]]:
    yield "python", lambda: _ok(sys.version.split()[0])
    yield "project", lambda: _project(project)
    yield "disk", lambda: _disk(project)
    yield "catalog", lambda: _ok(f"{project.settings.store.catalog}, revision {project.store.catalog.revision()}")
    yield "tables", lambda: _ok(f"{len(project.store.tables.names())} tables")
    yield "online store", lambda: _online(project)
    yield "personal data", lambda: _ok(f"text is looked at {_how(quick=looks_compiled())}")
    yield "signatures", lambda: _signatures(project)
    for endpoint in project.endpoints.values():
        yield f"endpoint {endpoint.name}", partial(_versions, project, endpoint.model.name)
    yield "inference port", lambda: _port(project.settings.serve.host, project.settings.serve.port, "serve")
    yield "dashboard port", lambda: _port(project.settings.web.host, project.settings.web.port, "web")


def _ok(words: str) -> Finding:
    return {"state": "ok", "words": words}


def _project(project: Definitions) -> Finding:
    counts = (
        f"{len(project.sources)} sources, {len(project.views)} feature views, {len(project.models)} models, "
        f"{len(project.endpoints)} endpoints"
    )
    if project.endpoints.keys() - project.monitors.keys():
        blind = ", ".join(sorted(project.endpoints.keys() - project.monitors.keys()))
        return {
            "state": "warning",
            "words": f"{counts}; nobody watches {blind}",
            "do": "Declare it with project.monitor(…)",
        }
    return _ok(counts)


def _disk(project: Definitions) -> Finding:
    free = shutil.disk_usage(project.folder).free / 2**30
    if free < LOW_DISK_GIB:
        return {"state": "warning", "words": f"{free:.1f} GiB free", "do": "Make room before the log can't be written"}
    return _ok(f"{free:.0f} GiB free")


def _online(project: Definitions) -> Finding:
    spaces = project.store.online.spaces()
    return _ok(f"{sum(spaces.values()):,} rows in {len(spaces)} spaces, read {_how(quick=compiled())}")


def _how(*, quick: bool) -> str:
    return "by compiled code" if quick else "in Python (installed with a C compiler, two to ten times as fast)"


def _versions(project: Definitions, model: str) -> Finding:
    aliases = {role: number for role, number in current(project.store, model).items() if number}
    if "champion" not in aliases:
        return {"state": "warning", "words": "no champion: nothing is served", "do": "Run: drivetrain run"}
    for number in aliases.values():
        version = project.store.catalog.get(ModelVersion, f"{model}@{number}")
        if version is None:
            continue
        for artifact in version.artifacts:
            project.store.blobs.path(artifact.digest)
        check_signed(project, version)
    signed = ", and every signature is good" if project.settings.registry.verify_key else ""
    return _ok(
        ", ".join(f"{role} v{number}" for role, number in aliases.items())
        + f"; every artifact matches its digest{signed}"
    )


def _signatures(project: Definitions) -> Finding:
    signing, verify = signing_key(project), verify_key(project)
    if verify is None:
        made = f"made with key {signing.id}, but " if signing else ""
        return _ok(f"{made}not checked: registry.verify_key names no key")
    words = f"a version is loaded only if key {verify.id} signed it"
    if signing is None:
        return _ok(f"{words}; none is signed here: registry.signing_key names no key")
    if signing.id != verify.id:
        return {
            "state": "warning",
            "words": f"{words}; those registered here are signed with key {signing.id}",
            "do": "Name the two halves of one key in registry.signing_key and registry.verify_key",
        }
    return _ok(words)


def _port(host: str, port: int, command: str) -> Finding:
    with socket.socket() as probe:
        probe.settimeout(1.0)
        taken = probe.connect_ex((host, port)) == 0
    return _ok(f"{host}:{port} is {'in use (ours, if it is up)' if taken else f'free for drivetrain {command}'}")
