"""Keys of the project: which it signs and verifies with, made and used."""

from __future__ import annotations

from pathlib import Path

import msgspec

from drivetrain.core.clock import iso
from drivetrain.core.errors import SettingsError, UsageError
from drivetrain.core.records import ModelVersion
from drivetrain.core.signing import SigningKey, VerifyKey
from drivetrain.loop.definitions import Definitions
from drivetrain.registry.keys import make_keys, read_signing_key, read_verify_key
from drivetrain.registry.signature import check_signature, sign_version


class NewKey(msgspec.Struct, frozen=True, kw_only=True):
    """A key just made.

    Attributes:
        id: By which versions and messages name it.
        signing_key: File of the private half.
        verify_key: File of the public half.
        settings: Lines for ``drivetrain.toml``.
    """

    id: str
    signing_key: str
    verify_key: str
    settings: str


class SignedVersion(msgspec.Struct, frozen=True, kw_only=True):
    """A version just signed.

    Attributes:
        model: The model.
        version: Its number.
        key: The id of the key.
        at: When, ISO 8601.
    """

    model: str
    version: int
    key: str
    at: str


class Keys:
    """The keys that model versions are signed with, and must be signed with where ``registry.verify_key`` is set.

    Args:
        project: Whose.
    """

    def __init__(self, project: Definitions) -> None:
        self._project = project

    def create(self, folder: str | Path) -> NewKey:
        """Makes an Ed25519 key: ``signing.pem``, which only its owner may read, and ``verify.pem``, for every server.

        Args:
            folder: Where; outside the project's state, which others may come to see. Made if it is not there.

        Raises:
            UsageError: The folder is in the project's state, or holds a key already.
            StoreError: The files can't be written.
            MissingExtra: The extra ``signing`` is not installed.
        """
        place = Path(folder).resolve()
        state = (self._project.folder / self._project.settings.store.root).resolve()
        if place.is_relative_to(state):
            raise UsageError(
                "a key in the project's state goes wherever the state goes",
                found=place,
                expected=f"a folder outside {state}",
            )
        made = make_keys(place)
        lines = f"[registry]\nsigning_key = {_quoted(made.private)}\nverify_key = {_quoted(made.public)}\n"
        return NewKey(id=made.id, signing_key=str(made.private), verify_key=str(made.public), settings=lines)

    def sign(self, version: int, *, because: str, model: str | None = None, actor: str = "person") -> SignedVersion:
        """Signs a version that was registered without the key; servers load it at their next look.

        Args:
            version: Which version.
            because: Why it is trusted, in a sentence; kept in the timeline.
            model: Which model; not needed where there is one.
            actor: Who signs.

        Raises:
            SettingsError: ``registry.signing_key`` names no key that can be used.
            UnknownName: There is no such version.
            UsageError: No reason is given.
            StoreError: An artifact is missing or damaged.
        """
        key = signing_key(self._project)
        if key is None:
            raise SettingsError(
                "there is nothing to sign with",
                found="registry.signing_key is empty",
                expected="the file of a private key",
                do="Make one with: drivetrain key create FOLDER, and name it in drivetrain.toml",
            )
        name = self._project.find_model(model).name
        vouched = sign_version(self._project.store, name, version, key, because=because, actor=actor)
        return SignedVersion(model=name, version=version, key=key.id, at=iso(vouched.signatures[-1].at))


def signing_key(project: Definitions) -> SigningKey | None:
    """The key that versions are signed with when they are registered; none where none is named.

    Raises:
        SettingsError: It can't be used, or others may read it.
        MissingExtra: The extra ``signing`` is not installed.
    """
    named = project.settings.registry.signing_key
    return read_signing_key(project.folder / named) if named else None


def verify_path(project: Definitions) -> Path | None:
    """The file of the key that versions must be signed with to be opened; none where none is named."""
    named = project.settings.registry.verify_key
    return project.folder / named if named else None


def verify_key(project: Definitions) -> VerifyKey | None:
    """The key that versions must be signed with to be opened; raises as :func:`signing_key`."""
    path = verify_path(project)
    return None if path is None else read_verify_key(path)


def check_signed(project: Definitions, version: ModelVersion) -> None:
    """Makes sure that servers of this project would load a version; anything goes where no key is named.

    Raises:
        SignatureRefused: They would not.
        SettingsError: The key can't be used.
    """
    key = verify_key(project)
    if key is not None:
        check_signature(version, key)


def _quoted(path: Path) -> str:
    return msgspec.json.encode(str(path)).decode()  # of a path, JSON's text is TOML's basic string
