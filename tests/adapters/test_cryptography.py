"""Ed25519 keys: the standard's own vectors, and what is no such key."""

from __future__ import annotations

import subprocess
import sys

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa, x25519
from cryptography.hazmat.primitives.serialization import (
    BestAvailableEncryption,
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
)

from drivetrain.adapters.cryptography import key_pair, signing_key, verify_key
from drivetrain.core.errors import SettingsError

# RFC 8032, section 7.1: TEST 2 and TEST 3.
VECTORS = [
    (
        "4ccd089b28ff96da9db6c346ec114e0f5b8a319f35aba624da8cf6ed4fb8a6fb",
        "72",
        "92a009a9f0d4cab8720e820b5f642540a2b27b5416503f8fb3762223ebdb69da"
        "085ac1e43e15996e458f3613d0f11d8c387b2eaeb4302aeeb00d291612bb0c00",
    ),
    (
        "c5aa8df43f9f837bedb7442f31dcb7b166d38535076f094b85ce3a2e0b4458f7",
        "af82",
        "6291d657deec24024827e69c3abe01a30ce548a284743a445e3680d7db5ac3ac"
        "18ff9b538d16f290ae67f760984dc6594a7c15e9716ed28dc027beceea1ec40a",
    ),
]


def private(key, locked=None) -> bytes:
    encryption = BestAvailableEncryption(locked) if locked else NoEncryption()
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, encryption)


def public(key) -> bytes:
    return key.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


@pytest.mark.parametrize(("secret", "message", "signature"), VECTORS)
def test_signatures_are_those_of_the_standard(secret, message, signature):
    key = ed25519.Ed25519PrivateKey.from_private_bytes(bytes.fromhex(secret))
    signing, verify = signing_key(private(key), "a"), verify_key(public(key), "b")
    assert signing.sign(bytes.fromhex(message)).hex() == signature
    assert signing.id == verify.id
    assert verify.verifies(bytes.fromhex(message), bytes.fromhex(signature))
    assert not verify.verifies(bytes.fromhex(message) + b"!", bytes.fromhex(signature))
    assert not verify.verifies(bytes.fromhex(message), bytes(64))
    assert not verify.verifies(bytes.fromhex(message), b"")


def test_a_pair_belongs_together_and_to_no_other():
    ours, theirs = key_pair(), key_pair()
    signature = signing_key(ours.private, "a").sign(b"said")
    assert verify_key(ours.public, "b").verifies(b"said", signature)
    assert not verify_key(theirs.public, "b").verifies(b"said", signature)
    assert ours.id == signing_key(ours.private, "a").id != theirs.id


PAIR = key_pair()
RSA = rsa.generate_private_key(65537, 2048)


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        (b"", "found no key"),
        (b"-----BEGIN PRIVATE KEY-----\ngarbage\n-----END PRIVATE KEY-----\n", "found no key"),
        (PAIR.public, "found a public key"),
        (private(RSA), "found a key of another kind .RSAPrivateKey"),
        (private(ec.generate_private_key(ec.SECP256R1())), "another kind"),
        (private(x25519.X25519PrivateKey.generate()), "another kind .X25519"),
        (private(ed25519.Ed25519PrivateKey.generate(), b"secret"), "a key with a password"),
    ],
)
def test_what_can_not_sign_is_named(pem, says):
    with pytest.raises(SettingsError, match=rf"the key .*{says}.*expected a private Ed25519 key"):
        signing_key(pem, "the key")


@pytest.mark.parametrize(
    ("pem", "says"),
    [
        (b"\x00\xff", "found no key"),
        (PAIR.private, "found a private key"),
        (public(RSA), "found a key of another kind .RSAPublicKey"),
    ],
)
def test_what_can_not_verify_is_named(pem, says):
    with pytest.raises(SettingsError, match=rf"the key .*{says}.*expected a public Ed25519 key"):
        verify_key(pem, "the key")


def test_without_its_library_the_extra_is_named():
    code = (
        "import sys; sys.modules['cryptography'] = None\n"
        "from drivetrain.core import plugins\n"
        "plugins.load('verify_key', 'cryptography')"
    )
    told = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=False)
    assert "MissingExtra: the cryptography adapter needs cryptography" in told.stderr
    assert 'Run: pip install "drivetrain[cryptography]"' in told.stderr
