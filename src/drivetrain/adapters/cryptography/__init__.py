"""cryptography: Ed25519 keys that sign model versions and verify their signatures."""

from drivetrain.adapters.cryptography.ed25519 import key_pair, signing_key, verify_key

__all__ = ["key_pair", "signing_key", "verify_key"]
