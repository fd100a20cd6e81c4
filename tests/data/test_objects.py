"""Files in a bucket, of a real S3 API."""

from __future__ import annotations

import io

import polars as pl
import pytest
from tests.data.buckets import BucketConformance, read_all
from tests.data.feeds import FileFeed

from drivetrain.core.errors import ProjectError, SourceError
from drivetrain.data.readers.files import files
from drivetrain.data.readers.places import _expression
from drivetrain.testing.s3 import running_s3, s3

__all__ = ["s3"]

pytestmark = pytest.mark.services


class TestBucket(BucketConformance):
    scheme = "s3"

    def shared(self, request):
        return request.getfixturevalue("s3")

    def running(self):
        return running_s3()


del BucketConformance


@pytest.fixture(autouse=True)
def reached(s3, monkeypatch):
    for name, value in s3.environment.items():
        monkeypatch.setenv(name, value)


def test_every_format_comes_out_of_a_bucket(s3, tmp_path):
    bucket = s3.bucket()
    feed = FileFeed(tmp_path, ".parquet", 512)
    feed.deliver([{"a": 1}, {"a": 2}])
    s3.put(f"{bucket}/one.parquet", (feed.folder / "001.parquet").read_bytes())
    ipc = io.BytesIO()
    pl.DataFrame({"a": [1, 2]}).write_ipc(ipc)
    s3.put(f"{bucket}/one.arrow", ipc.getvalue())
    for name in ("one.parquet", "one.arrow"):
        [batch], _ = read_all(files(f"s3://{bucket}/{name}"), tmp_path)
        assert batch.rows.to_dicts() == [{"a": 1}, {"a": 2}]
        assert batch.origin == f"s3://{bucket}/{name}"


def test_what_can_not_be_opened_is_named(s3, tmp_path):
    bucket = s3.bucket()
    with pytest.raises(SourceError, match="s3://nobodys is not there"):
        read_all(files("s3://nobodys/*.csv"), tmp_path)
    with pytest.raises(ProjectError, match="'nope' is not valid"):
        read_all(files(f"s3://{bucket}/*.csv", options={"nope": "1"}), tmp_path)
    with pytest.raises(SourceError, match="names no object"):
        read_all(files("ftp://host/*.csv"), tmp_path)


@pytest.mark.parametrize(
    ("pattern", "name", "matches"),
    [
        ("raw/*.csv", "raw/1.csv", True),
        ("raw/*.csv", "raw/a/1.csv", False),
        ("raw/**/*.csv", "raw/1.csv", True),
        ("raw/**/*.csv", "raw/a/b/1.csv", True),
        ("raw/?.csv", "raw/12.csv", False),
        ("raw/[0-3].csv", "raw/2.csv", True),
        ("raw/[!0-3].csv", "raw/2.csv", False),
        ("raw/a+b.csv", "raw/a+b.csv", True),
    ],
)
def test_globs(pattern, name, matches):
    assert bool(_expression(pattern).fullmatch(name)) == matches
