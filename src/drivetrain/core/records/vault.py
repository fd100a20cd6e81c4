"""Keys of subjects, which their sealed values are read with."""

from __future__ import annotations

from drivetrain.core.records.base import Record


class VaultKey(Record, frozen=True, kw_only=True):
    """One subject's key, wrapped by a master key that is not kept here.

    Attributes:
        name: HMAC-SHA256 of the subject under the master key, hex.
        wrapped: The nonce, then the key under AES-256-GCM.
    """

    kind = "vaultkey"

    name: str
    wrapped: bytes

    @property
    def key(self) -> str:
        """The name."""
        return self.name

    @property
    def subject(self) -> str:
        """Nothing that would tell whom it is of."""
        return "vault"
