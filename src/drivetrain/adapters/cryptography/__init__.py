"""cryptography: Ed25519 keys that sign versions and verify their signatures, and AES-256-GCM for sealed values."""

from drivetrain.adapters.cryptography.cipher import Cipher as cipher  # noqa: N813 - loaded by the name of what it is
from drivetrain.adapters.cryptography.ed25519 import key_pair, signing_key, verify_key

__all__ = ["cipher", "key_pair", "signing_key", "verify_key"]
