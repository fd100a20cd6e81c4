"""TLS by files that the test makes: said plainly where they can't be used, and spoken by a real server."""

from __future__ import annotations

import datetime
import ipaddress
import socket
import ssl
from contextlib import closing
from pathlib import Path

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from drivetrain.core.errors import NotReady, RequestError, SettingsError
from drivetrain.core.settings import ServeSettings
from drivetrain.loop.client import Client
from drivetrain.serve.tls import tls_of
from serve import world
from serve.process import free_port, running
from serve.test_tokens import keep
from serve.world import instance


def certify(folder, name, password=None):
    """A self-signed certificate for this machine, and its key, as PEM files."""
    key = ec.generate_private_key(ec.SECP256R1())
    about = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
    moment = datetime.datetime.now(datetime.UTC)
    certificate = (
        x509.CertificateBuilder()
        .subject_name(about)
        .issuer_name(about)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(moment - datetime.timedelta(hours=1))
        .not_valid_after(moment + datetime.timedelta(hours=1))
        .add_extension(x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))]), critical=False)
        .sign(key, hashes.SHA256())
    )
    locked = serialization.BestAvailableEncryption(password.encode()) if password else serialization.NoEncryption()
    paths = folder / f"{name}.pem", folder / f"{name}.key"
    paths[0].write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
    paths[1].write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, locked))
    return tuple(map(str, paths))


def traditional(folder, key):
    """A key with a password, as older tools write it."""
    read = serialization.load_pem_private_key(Path(key).read_bytes(), None)
    locked = serialization.BestAvailableEncryption(b"secret")
    path = folder / "traditional.key"
    path.write_bytes(
        read.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.TraditionalOpenSSL, locked)
    )
    return str(path)


@pytest.fixture
def files(tmp_path):
    return certify(tmp_path, "one")


def settings(certificate, key, **more):
    return ServeSettings(tls_certificate=certificate, tls_key=key, **more)


def test_no_files_no_tls():
    assert tls_of(ServeSettings()) is None


@pytest.mark.parametrize(
    ("spoil", "says"),
    [
        (lambda c, k, _: (c, ""), "serve.tls_key is empty"),
        (lambda c, k, _: ("", k), "serve.tls_certificate is empty"),
        (lambda c, k, _: (c + "x", k), "tls_certificate names can't be read: No such file"),
        (lambda c, k, f: (c, str(f)), "tls_key names can't be read: Is a directory"),
        (lambda c, k, f: (c, traditional(f, k)), "has a password, which the inference server can't"),
        (lambda c, k, f: (c, certify(f, "two")[1]), "not that of the certificate"),
        (lambda c, k, _: (k, k), "holds no certificate"),
        (lambda c, k, _: (c, c), "holds no key"),
        (
            lambda c, k, f: certify(f, "locked", "secret"),
            "has a password, which the inference server can't",
        ),
    ],
)
def test_files_that_can_not_be_used_are_named(tmp_path, files, spoil, says):
    with pytest.raises(SettingsError) as caught:
        tls_of(settings(*spoil(*files, tmp_path)))
    assert says in str(caught.value)


def test_a_server_says_so_before_any_worker_starts(tmp_path, files):
    with running(tmp_path, wait=False, tls_certificate=files[0], tls_key=files[0]) as server:
        assert server.process.wait(60) == 1
        assert server.process.communicate()[1].startswith("refused: the file that serve.tls_key names holds no key")


def test_our_own_client_brings_its_token_over_tls(tmp_path, files, monkeypatch):
    certificate, key = files
    text = keep(world.make(tmp_path), scopes=("predict", "read"))
    monkeypatch.setenv("DRIVETRAIN_TOKEN", text.removeprefix("Bearer "))
    port = free_port()
    named = {"tls_certificate": certificate, "tls_key": key, "port": port}
    with running(tmp_path, wait=False, tokens="on", **named):
        with closing(Client(ServeSettings(**named, tls_ca=certificate), patience=60)) as trusting:
            assert trusting.describe("plain")["ready"]
            assert trusting.predict("plain", [instance()])["predictions"] == [106.0]
            with pytest.raises(RequestError, match="not for this"):
                trusting.feedback("plain", [{"entity": "f1", "label": 1}])
        monkeypatch.delenv("DRIVETRAIN_TOKEN")
        for client, refusal, words in (
            (ServeSettings(**named), RequestError, r"is not trusted.*tls_ca"),
            (ServeSettings(**named, tls_ca=certificate), RequestError, "with a token only"),
            (ServeSettings(port=port), NotReady, "nothing answers"),
        ):
            with closing(Client(client)) as caller, pytest.raises(refusal, match=words):
                caller.describe("plain")
        old = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
        old.load_verify_locations(certificate)
        old.maximum_version = ssl.TLSVersion.TLSv1_2
        with (
            socket.create_connection(("127.0.0.1", port)) as plain,
            old.wrap_socket(plain, server_hostname="127.0.0.1") as spoken,
        ):
            assert spoken.version() == "TLSv1.2"


def test_an_authority_that_is_no_file_is_named(tmp_path, files):
    with pytest.raises(SettingsError, match="tls_ca names can't be used"):
        Client(settings(*files, tls_ca=str(tmp_path / "none.pem")))
