"""Keys that sign and verify: what an adapter for a signature scheme must offer."""

from __future__ import annotations

from typing import NamedTuple, Protocol

from drivetrain.core.hashing import Digest


class SigningKey(Protocol):
    """A private key."""

    @property
    def id(self) -> Digest:
        """Digest of its public half, by which records name it."""
        ...

    def sign(self, message: bytes) -> bytes:
        """The signature of a message."""
        ...


class VerifyKey(Protocol):
    """A public key."""

    @property
    def id(self) -> Digest:
        """Its digest; equal to that of the private key it belongs to."""
        ...

    def verifies(self, message: bytes, signature: bytes) -> bool:
        """Whether the private key made this signature of this message."""
        ...


class KeyPair(NamedTuple):
    """A key just made.

    Attributes:
        id: Digest of the public half.
        private: The private half, PEM.
        public: The public half, PEM.
    """

    id: Digest
    private: bytes
    public: bytes


class ReadSigningKey(Protocol):
    """How an adapter reads a private key: its attribute ``signing_key``."""

    def __call__(self, pem: bytes, place: str, /) -> SigningKey:
        """Reads the key.

        Args:
            pem: What its file holds.
            place: What the file is called in messages.

        Raises:
            SettingsError: It holds no such key.
        """
        ...


class ReadVerifyKey(Protocol):
    """How an adapter reads a public key: its attribute ``verify_key``; as :class:`ReadSigningKey`."""

    def __call__(self, pem: bytes, place: str, /) -> VerifyKey:
        """Reads the key."""
        ...


class MakeKeyPair(Protocol):
    """How an adapter makes a key: its attribute ``key_pair``."""

    def __call__(self) -> KeyPair:
        """Makes a key."""
        ...
