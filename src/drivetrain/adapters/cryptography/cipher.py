"""AES-256-GCM, by ``cryptography``: what sealed values are made with."""

from __future__ import annotations

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from drivetrain.core.errors import RefusedError


class Cipher:
    """Authenticated encryption under one key (NIST SP 800-38D).

    Args:
        key: 32 bytes.
    """

    def __init__(self, key: bytes) -> None:
        self._gcm = AESGCM(key)

    def encrypt(self, nonce: bytes, data: bytes, about: bytes) -> bytes:
        """Sealed data, which opens only together with ``about``; a nonce must never come twice for different data."""
        return self._gcm.encrypt(nonce, data, about)

    def decrypt(self, nonce: bytes, data: bytes, about: bytes) -> bytes:
        """What was sealed.

        Raises:
            RefusedError: It was sealed with another key, or was changed since.
        """
        try:
            return self._gcm.decrypt(nonce, data, about)
        except (InvalidTag, ValueError):
            raise RefusedError("what was sealed can't be opened: it is of another key, or was changed since") from None
