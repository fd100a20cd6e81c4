"""Signatures of versions: made where versions are registered, checked wherever one is opened to answer.

What is signed is a statement in a canonical form, after a text that no other use of the key shares. A version is
checked by making its statement anew from what is there now; the one kept beside the signature only tells what changed.

A signature says that a version is what the holder of the key registered. It does not say that it is the one to answer:
aliases and policies are not signed, and an older signed version verifies as the newest does.
"""

from __future__ import annotations

import hashlib

import msgspec
from msgspec.structs import replace

from drivetrain.core import clock
from drivetrain.core.clock import Micros
from drivetrain.core.errors import Conflict, SignatureRefused, StoreError, UsageError
from drivetrain.core.ids import new_id
from drivetrain.core.records import Decision, InputSchema, ModelVersion, Signature, Statement
from drivetrain.core.signing import SigningKey, VerifyKey
from drivetrain.registry.aliases import find_version
from drivetrain.store.bundle import Store

FORM = 1
_DOMAIN = b"drivetrain model version\x00"
_TRIES = 100

_canonical = msgspec.msgpack.Encoder(order="sorted")


def statement_of(version: ModelVersion) -> Statement:
    """What would be signed of a version as it is."""
    return Statement(
        form=FORM,
        model=version.model,
        version=version.version,
        artifacts=tuple((each.name, each.format, each.digest, each.size) for each in version.artifacts),
        input_schema=_schema_digest(version.input_schema),
        features=version.features,
    )


def signed(version: ModelVersion, key: SigningKey, at: Micros | None = None) -> ModelVersion:
    """A version with a key's signature, beside those of other keys.

    Args:
        version: The version.
        key: Who vouches.
        at: The moment the signature is dated; the present by default.
    """
    statement = statement_of(version)
    signature = Signature(
        key=key.id,
        at=clock.now() if at is None else at,
        statement=statement,
        value=key.sign(_message(statement)).hex(),
    )
    others = tuple(each for each in version.signatures if each.key != key.id)
    return replace(version, signatures=(*others, signature))


def check_signature(version: ModelVersion, key: VerifyKey) -> None:
    """Makes sure that a version is what the holder of a key signed.

    Raises:
        SignatureRefused: It is not signed, signed with other keys only, or not what was signed.
    """
    name = f"{version.model} v{version.version}"
    signature = next((each for each in version.signatures if each.key == key.id), None)
    if signature is None:
        keys = ", ".join(each.key for each in version.signatures)
        raise SignatureRefused(
            f"{name} is signed with another key" if keys else f"{name} is not signed",
            found=f"key {keys}" if keys else None,
            expected=f"a signature with key {key.id}",
            do=f"If you trust it, sign it where the private key is: drivetrain key sign {version.version} --because …",
        )
    if signature.statement.form != FORM:
        raise SignatureRefused(
            f"{name} is signed in a form that this drivetrain does not know",
            found=f"form {signature.statement.form}",
            expected=f"form {FORM}",
            do="Use the drivetrain that signed it or a newer one",
        )
    statement, value = statement_of(version), _bytes(signature.value)
    if key.verifies(_message(statement), value):
        return
    if not key.verifies(_message(signature.statement), value):
        raise SignatureRefused(
            f"the signature of {name} does not verify",
            found=f"{signature.value[:16]}… under the name of key {key.id}",
            expected="what the private key would make of it",
            do="Restore the version's record from a backup, and find out who changed it",
        )
    found, expected = _difference(statement, signature.statement)
    raise SignatureRefused(
        f"{name} is not what was signed on {clock.iso(signature.at)}",
        found=found,
        expected=expected,
        do="Restore the version's record from a backup, and find out who changed it",
    )


def sign_version(
    store: Store, model: str, number: int, key: SigningKey, *, because: str, actor: str = "person"
) -> ModelVersion:
    """Signs a version that is registered already, once its artifacts are seen to be whole.

    Args:
        store: Where it is.
        model: The model.
        number: The version's number.
        key: Who vouches.
        because: Why, in a sentence; kept for good.
        actor: Who signs.

    Raises:
        UnknownName: There is no such version.
        UsageError: No reason is given.
        StoreError: An artifact is missing or damaged.
    """
    if not because.strip():
        raise UsageError(f"signing {model} v{number} needs a reason", do="Say why in a sentence")
    for _ in range(_TRIES):
        version = find_version(store, model, number)
        expect = {version.ref: store.catalog.record_revision(version.ref)}
        for artifact in version.artifacts:
            store.blobs.path(artifact.digest)
        vouched = signed(version, key)
        decision = Decision(
            at=clock.now(),
            id=new_id(),
            about=model,
            what="sign",
            because=because,
            actor=actor,
            version=number,
            evidence=msgspec.json.encode(vouched.signatures[-1]).decode(),
        )
        try:
            store.catalog.commit(vouched, decision, expect=expect)
        except Conflict:
            continue  # somebody signed it meanwhile: look again
        return vouched
    raise StoreError(f"{model} v{number} changes faster than it can be signed", do="Try again")


def _message(statement: Statement) -> bytes:
    return _DOMAIN + _canonical.encode(statement)


def _schema_digest(schema: InputSchema) -> str:
    """SHA-256 of all that decides how values become a row; descriptions are for people, and may be mended."""
    fields = [
        (
            field.name,
            field.type,
            field.categories,
            *(() if field.fill is None else (field.fill, field.indicator)),
            *((field.means,) if field.means else ()),
        )
        for field in schema.fields
    ]
    return hashlib.sha256(_canonical.encode(fields)).hexdigest()


def _bytes(value: str) -> bytes:
    try:
        return bytes.fromhex(value)
    except ValueError:
        return b""


def _difference(found: Statement, expected: Statement) -> tuple[str, str]:
    """The first part that differs, as it is and as it was signed."""
    for part, words in (
        ("model", "model {}"),
        ("version", "number {}"),
        ("input_schema", "an input schema with digest {}"),
    ):
        ours, theirs = getattr(found, part), getattr(expected, part)
        if ours != theirs:
            return words.format(ours), words.format(theirs)
    artifacts, were = _told(found), _told(expected)
    for name in sorted({*artifacts, *were}):
        if artifacts.get(name) != were.get(name):
            return artifacts.get(name, f"no {name}"), were.get(name, f"no {name}")
    return "its artifacts in another order", "the one that was signed first"


def _told(statement: Statement) -> dict[str, str]:
    """Artifacts and features by name, each in words."""
    artifacts = {
        f"artifact {name}": f"artifact {name} ({format}, {size:,} bytes) with digest {digest}"
        for name, format, digest, size in statement.artifacts
    }
    features = {
        f"definition of {name}": f"a definition of {name} with digest {digest}"
        for name, digest in statement.features.items()
    }
    return artifacts | features
