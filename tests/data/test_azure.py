"""Files in a container of Azure Blob Storage, as Microsoft's emulator keeps it."""

from __future__ import annotations

import base64

import pytest
from tests.data.buckets import BucketConformance, read_all

from drivetrain.core.errors import SourceAway, SourceError
from drivetrain.data.readers.files import files
from drivetrain.testing.azurite import azurite, running_azurite

__all__ = ["azurite"]

pytestmark = pytest.mark.services


class TestAzure(BucketConformance):
    scheme = "az"

    def shared(self, request):
        return request.getfixturevalue("azurite")

    def running(self):
        return running_azurite()


del BucketConformance


@pytest.fixture(autouse=True)
def reached(azurite, monkeypatch):
    for name, value in azurite.environment.items():
        monkeypatch.setenv(name, value)


@pytest.mark.parametrize("name", ["*.csv", "one.csv"])
def test_a_container_that_is_not_there_is_no_place_that_is_away(tmp_path, name):
    with pytest.raises(SourceError) as caught:
        read_all(files(f"az://nobodys/{name}"), tmp_path)
    assert not isinstance(caught.value, SourceAway)
    assert str(caught.value) == "az://nobodys is not there. Check the bucket and the name."


def test_a_wrong_key_is_told_in_words(azurite, tmp_path, monkeypatch):
    monkeypatch.setenv("AZURE_STORAGE_ACCOUNT_KEY", base64.b64encode(b"another").decode())
    with pytest.raises(SourceError) as caught:
        read_all(files(f"az://{azurite.bucket()}/*.csv"), tmp_path)
    assert not isinstance(caught.value, SourceAway)
    assert "refuses this user: 403 Forbidden (AuthorizationFailure). Check the credentials" in str(caught.value)


def test_a_listing_of_several_pages_misses_none(azurite, tmp_path):
    """A page of this server holds 100."""
    container = azurite.bucket()
    for number in range(301):
        azurite.put(f"{container}/raw/{number:05}.csv", b"")
    assert files(f"az://{container}/raw/*.csv").pending(tmp_path, "").startswith("301 new files: 00000.csv")


@pytest.mark.parametrize("scheme", ["abfs", "abfss"])
def test_a_container_has_other_names(azurite, tmp_path, scheme):
    container = azurite.bucket()
    azurite.put(f"{container}/a.csv", b"a\n1\n")
    [batch], _ = read_all(files(f"{scheme}://{container}/*.csv"), tmp_path)
    assert batch.origin == f"{scheme}://{container}/a.csv"
