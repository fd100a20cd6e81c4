"""Ed25519 (RFC 8032), its keys as PEM (RFC 8410): PKCS #8 for the private half, SubjectPublicKeyInfo for the public."""

from __future__ import annotations

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_pem_private_key,
    load_pem_public_key,
)

from drivetrain.core.errors import SettingsError
from drivetrain.core.hashing import Digest, digest_bytes
from drivetrain.core.signing import KeyPair

_PRIVATE, _PUBLIC = "a private Ed25519 key, PEM", "a public Ed25519 key, PEM"
_MAKE = "Make a pair with: drivetrain key create FOLDER"


class Ed25519Signing:
    """A private key.

    Args:
        key: The key.
    """

    def __init__(self, key: Ed25519PrivateKey) -> None:
        self._key = key
        self.id = _id(key.public_key())

    def sign(self, message: bytes) -> bytes:
        """64 bytes, the same for the same message."""
        return self._key.sign(message)


class Ed25519Verify:
    """A public key.

    Args:
        key: The key.
    """

    def __init__(self, key: Ed25519PublicKey) -> None:
        self._key = key
        self.id = _id(key)

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the signature is this key's of this message."""
        try:
            self._key.verify(signature, message)
        except InvalidSignature:
            return False
        return True


def signing_key(pem: bytes, place: str) -> Ed25519Signing:
    """Reads a private key; see :class:`~drivetrain.core.signing.ReadSigningKey`."""
    if _holds(pem, b"PUBLIC KEY"):
        raise SettingsError(f"{place} can't sign", found="a public key", expected=_PRIVATE)
    try:
        key = load_pem_private_key(pem, None)
    except TypeError:
        raise SettingsError(
            f"{place} can't be used", found="a key with a password", expected=f"{_PRIVATE}, without a password"
        ) from None
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"{place} can't be used", found="no key", expected=_PRIVATE, do=_MAKE) from None
    if not isinstance(key, Ed25519PrivateKey):
        raise SettingsError(f"{place} can't be used", found=_kind(key), expected=_PRIVATE, do=_MAKE)
    return Ed25519Signing(key)


def verify_key(pem: bytes, place: str) -> Ed25519Verify:
    """Reads a public key; see :class:`~drivetrain.core.signing.ReadVerifyKey`."""
    if _holds(pem, b"PRIVATE KEY"):
        raise SettingsError(
            f"{place} is not for verifying",
            found="a private key",
            expected=_PUBLIC,
            do="Name the public half, and keep the private one from whoever only serves",
        )
    try:
        key = load_pem_public_key(pem)
    except (ValueError, UnsupportedAlgorithm):
        raise SettingsError(f"{place} can't be used", found="no key", expected=_PUBLIC, do=_MAKE) from None
    if not isinstance(key, Ed25519PublicKey):
        raise SettingsError(f"{place} can't be used", found=_kind(key), expected=_PUBLIC, do=_MAKE)
    return Ed25519Verify(key)


def key_pair() -> KeyPair:
    """Makes a key from the system's randomness."""
    key = Ed25519PrivateKey.generate()
    return KeyPair(
        _id(key.public_key()),
        key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()),
        key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo),
    )


def _id(key: Ed25519PublicKey) -> Digest:
    return digest_bytes(key.public_bytes(Encoding.Raw, PublicFormat.Raw))


def _holds(pem: bytes, mark: bytes) -> bool:
    return b"-----BEGIN " in pem and mark + b"-----" in pem


def _kind(key: object) -> str:
    return f"a key of another kind ({type(key).__name__.lstrip('_')})"
