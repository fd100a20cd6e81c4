"""What a run was made with: its definitions, its configuration, its code, its packages and its machine."""

from __future__ import annotations

import msgspec

from drivetrain.core.clock import Micros
from drivetrain.core.hashing import Digest


class Definition(msgspec.Struct, frozen=True):
    """What a name stood for."""

    digest: Digest
    words: str = ""
    """The same for people; two of these may read alike and be different."""


class Machine(msgspec.Struct, frozen=True, kw_only=True):
    """What a fit ran on. Bits of its result may hang on each of these."""

    cpu: str = ""
    """Model, as the kernel calls it."""
    system: str = ""
    """``Linux x86_64``."""
    cores: int = 0
    memory: int = 0
    """Bytes."""
    blas: str = ""
    """Library of linear algebra that numpy was built with."""
    simd: tuple[str, ...] = ()
    """Instruction sets that numpy found."""
    threads: int = 0
    """Threads that the fit was given."""
    limits: dict[str, str] = {}
    """Environment variables that bound the threads of libraries, as far as they were set."""


class Making(msgspec.Struct, frozen=True, kw_only=True):
    """Everything besides rows that it takes to make a run again."""

    definitions: dict[str, Definition] = {}
    """Label and features by full name."""
    configuration: dict[str, str] = {}
    """How it was fitted, part by part, as the project writes it."""
    fit: Digest = ""
    """Of all of the configuration."""
    as_of: Micros = 0
    """Where the test window ended."""
    known_by: Micros | None = None
    """The moment by which labels had to be known; none where all in the training set were."""
    commit: str = ""
    """Git commit of the project's folder; empty where it is in no repository."""
    changes: Digest | None = None
    """Blob of what the project's Python files held beyond that commit, as a patch; none where they held nothing."""
    lock: Digest | None = None
    """Blob of every installed package with its version, a line each."""
    machine: Machine = Machine()
