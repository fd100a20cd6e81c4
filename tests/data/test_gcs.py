"""Files in a bucket of Google Cloud Storage, as fake-gcs-server keeps it; and how requests to it are signed."""

from __future__ import annotations

import base64
import json
import threading
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
from cryptography.hazmat.primitives.asymmetric import padding, rsa
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from tests.data.buckets import BucketConformance, read_all

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.data.readers.files import files
from drivetrain.testing.gcs import gcs, running_gcs

__all__ = ["gcs"]

pytestmark = pytest.mark.services


class TestGcs(BucketConformance):
    scheme = "gs"

    def shared(self, request):
        return request.getfixturevalue("gcs")

    def running(self):
        return running_gcs()


del BucketConformance

PAGES = {
    "": "<Key>a.csv</Key>{}</Contents><IsTruncated>true</IsTruncated><NextContinuationToken>on</NextContinuationToken>",
    "on": "<Key>b.csv</Key>{}</Contents><IsTruncated>false</IsTruncated>",
}
REST = "<Size>4</Size><LastModified>2026-07-01T00:00:00.000Z</LastModified><ETag>&quot;x&quot;</ETag>"


@contextmanager
def cloud(status):
    """A server that lists two pages, or refuses; what it was asked with."""
    asked = []

    class Answers(BaseHTTPRequestHandler):
        def do_GET(self):
            asked.append(self.headers["Authorization"])
            token = "on" if "continuation-token=on" in self.path else ""
            listing = f"<ListBucketResult><Contents>{PAGES[token].format(REST)}</ListBucketResult>"
            refused = "<Error><Code>AccessDenied</Code><Message>Access denied.</Message></Error>"
            self.send_response(status)
            self.end_headers()
            self.wfile.write((listing if status == 200 else refused).encode())

        def log_message(self, *_):
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Answers)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_port}", asked
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


@pytest.fixture
def key(monkeypatch):
    """A service account's key."""
    monkeypatch.setenv("GOOGLE_ALLOW_HTTP", "true")
    private = rsa.generate_private_key(65537, 2048)
    pem = private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()

    def reach(url):
        account = {"private_key": pem, "private_key_id": "k1", "client_email": "me@x.iam", "gcs_base_url": url}
        monkeypatch.setenv("GOOGLE_SERVICE_ACCOUNT_KEY", json.dumps({**account, "disable_oauth": False}))

    return private, reach


def test_a_service_account_signs_what_it_asks_for_page_by_page(key, tmp_path):
    private, reach = key
    with cloud(200) as (url, asked):
        reach(url)
        assert files("gs://shop/*.csv").pending(tmp_path, "") == "2 new files: a.csv, b.csv"
    assert len(asked) == 2
    head, claims, signature = asked[0].removeprefix("Bearer ").split(".")
    given = json.loads(decoded(claims))
    assert (json.loads(decoded(head))["kid"], given["iss"]) == ("k1", "me@x.iam")
    private.public_key().verify(decoded(signature), f"{head}.{claims}".encode(), padding.PKCS1v15(), SHA256())


def test_a_refusal_is_told_in_words(key, tmp_path):
    with cloud(403) as (url, _):
        key[1](url)
        with pytest.raises(SourceError) as caught:
            read_all(files("gs://shop/*.csv"), tmp_path)
    assert not isinstance(caught.value, SourceAway)
    assert "gs://shop refuses this user: 403 Forbidden (AccessDenied). Check" in str(caught.value)


def decoded(part):
    return base64.urlsafe_b64decode(part + "=" * (-len(part) % 4))
